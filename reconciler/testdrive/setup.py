"""Brings up a testdrive: three hosts, a database, and Keystone at the first release, put there by the product's steps.

What the daemon would otherwise find as drift is made by its own step kinds, over its own SSH: environments with their
markers, links, configuration with its stamps. So its first pass finds nothing to do.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncssh

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.journal import SqlJournal
from reconciler.app import make_ports
from reconciler.catalog.load import load_catalog
from reconciler.desired import Problems
from reconciler.domain.desired import Desired
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Step
from reconciler.domain.procedure import ActionSpec, Phase
from reconciler.domain.step_key import StepKey
from reconciler.errors import DesiredStateError, ReconcilerError
from reconciler.execution.carry import carry
from reconciler.execution.read import read_files
from reconciler.planning.actions import expand
from reconciler.planning.graph import make_step
from reconciler.planning.leg import Place
from reconciler.planning.setting import Setting
from reconciler.settings import read_settings
from reconciler.testdrive import keystone, mariadb, processes, sshd, supervisor
from reconciler.testdrive.repository import Repository
from reconciler.testdrive.site import BEGIN, Host, Site, cache, desired_files, settings_text

SERVICE = "keystone"
INSTALL = ("prepare_build", "install_build", "configure")
START = ("start", "verify_build", "verify")


class SetupError(ReconcilerError):
    """The fleet of the testdrive could not be brought up."""


async def set_up(site: Site, say: Callable[[str], None]) -> None:
    """Bring everything up; the daemon is all that is left to be started."""
    say("git repository, keys and settings")
    write_files(site)
    repository = repository_of(site)
    repository.create()
    repository.commit(desired_files(site), f"Keystone at {BEGIN}")
    if site.engine == "mariadb":
        say("MariaDB, a server of its own")
        await asyncio.to_thread(_start_database, site)
    say(f"{len(site.hosts)} hosts, each with its own sshd and supervisord")
    await start_hosts(site)
    desired = read(desired_files(site))
    hands = Hands(site, desired)
    try:
        say(f"Keystone {BEGIN} on every host")
        await hands.do_everywhere(INSTALL, Phase.PREPARE)
        say("its schema and administrator")
        await asyncio.to_thread(_bootstrap, site)
        say("its API on every host, and a first token from each")
        await hands.do_everywhere(START, Phase.ROLL)
    finally:
        await hands.close()


def repository_of(site: Site) -> Repository:
    """Name the repository and its clone."""
    return Repository(site.root / "desired.git", site.root / "desired")


def read(files: Mapping[str, str]) -> Desired:
    """Read a desired state of ours."""
    found = read_files({name: text.encode() for name, text in files.items()})
    if isinstance(found, Problems):
        raise DesiredStateError(str(found), reason="SourceInvalid")
    return found


def _bootstrap(site: Site) -> None:
    first = site.hosts[0]
    url = f"http://127.0.0.1:{first.api_port}/v3"
    keystone.bootstrap(first.link.resolve(), first.etc / "keystone.conf", url, site.secret("admin").read_text())


def write_files(site: Site) -> None:
    """Write secrets, keys and the daemon's settings."""
    for folder in (site.root / "secrets", site.state, site.root / "backups", *(host.folder for host in site.hosts)):
        folder.mkdir(mode=0o700)
    for name in ("admin", "database"):
        _write_private(site.secret(name), secrets.token_hex(16))
    key = asyncssh.generate_private_key("ssh-ed25519", comment="testdrive")
    _write_private(site.secret("ssh_key"), key.export_private_key().decode())
    _write_private(site.secret("ssh_key.pub"), key.export_public_key().decode())
    keystone.write_keys(site.root / "keys")
    site.settings.write_text(settings_text(site))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _start_database(site: Site) -> None:
    mariadb.start(site.server)
    account = mariadb.Account(database="keystone", name="keystone", password=site.secret("database").read_text())
    mariadb.create_database(site.server, account)


async def start_hosts(site: Site) -> None:
    """Start sshd and supervisord of every host, and pin their keys as `reconciler enrol` would."""
    program = await asyncio.to_thread(sshd.find_sshd, cache())
    tools = _write_tools(site)
    for host in site.hosts:
        environment = {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", processes.MARK: str(site.root)}
        key = site.secret("ssh_key.pub").read_text()
        server = sshd.Host(folder=host.folder, port=host.ssh_port, authorized_key=key, environment=environment)
        sshd.write_config(server)
        sshd.start(program, server)
        host.etc.mkdir()
        supervisor.write_config(host.folder, [keystone.api_program(host.link, host.etc)])
        supervisor.start(host.folder)
        with (site.root / "known_hosts").open("a") as known:
            known.write(f"[127.0.0.1]:{host.ssh_port} {server.public_host_key}\n")
    for host in site.hosts:
        await _until_up(host)


def _write_tools(site: Site) -> Path:
    """Put supervisorctl, which lies in this program's own environment, on the PATH of hosts; and a Python for them."""
    tools = site.python.parent
    tools.mkdir()
    supervisorctl = f'#!/bin/sh\nexec "{sys.executable}" -m supervisor.supervisorctl "$@"\n'
    for program, text in ((tools / "supervisorctl", supervisorctl), (site.python, keystone.python_text(site.store))):
        program.write_text(text)
        program.chmod(0o755)
    return tools


async def _until_up(host: Host) -> None:
    if not await asyncio.to_thread(processes.wait_for, lambda: _is_up(host), 30.0):
        raise SetupError(
            f"{host.name}: sshd on port {host.ssh_port} or supervisord did not come up",
            reason="SetupFailed",
            hint=f"read {host.folder}/sshd.log and {host.folder}/supervisord.log",
        )


def _is_up(host: Host) -> bool:
    with socket.socket() as probe:
        return (host.folder / "supervisor.sock").exists() and probe.connect_ex(("127.0.0.1", host.ssh_port)) == 0


class Hands:
    """Carries out the product's own steps on hosts, before there is a daemon."""

    def __init__(self, site: Site, desired: Desired, service: str = SERVICE) -> None:
        self.site = site
        self.desired = desired
        self.service = service
        self.journal = SqlJournal.acquire(site.journal_url, SystemClock(), "testdrive")
        self.ports = make_ports(read_settings(site.settings), self.journal)

    async def close(self) -> None:
        """Leave hosts and journal to the daemon."""
        await self.ports.hosts.close()
        self.journal.close()

    async def do_everywhere(self, actions: tuple[str, ...], phase: Phase) -> None:
        """Do actions on all hosts side by side, on each one after the other."""
        await asyncio.gather(*(self._do(host.name, actions, phase) for host in self.site.hosts))

    async def _do(self, host: str, actions: tuple[str, ...], phase: Phase) -> None:
        service = self.desired.services[self.service]
        setting = Setting(
            service=service,
            desired=self.desired,
            catalog=load_catalog(),
            host=self.desired.hosts[host],
            position=None,
            start=service.release,
            goal=service.release,
        )
        for action in actions:
            for draft in expand(setting, ActionSpec(action)):
                await self._carry(make_step(draft, Place(phase=phase, service=self.service, host=host)))

    async def _carry(self, step: Step) -> None:
        outcome = await carry(step, StepKey("setup", step.id, 1), self.desired, self.ports, may_start=True)
        if not isinstance(outcome, Done):
            raise SetupError(
                f"{step.title} on {step.host}: {outcome}",
                reason="SetupFailed",
                hint=f"look at {self.site.root}/{step.host}",
            )
