"""The product on the lab: the real pass with the real adapters, on a desired state in literals.

product = Product(lab, folder)
product.want(release="three")      # a commit
report = await product.rest()      # pass after pass until nothing runs and nothing may start
await product.stop()               # the daemon ends; `start` makes another one on the same journal
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databases import SqlDatabases
from reconciler.adapters.dns import DnspythonDns
from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.http import HttpxHttp
from reconciler.adapters.journal import SqlJournal
from reconciler.adapters.prometheus import PrometheusMetrics
from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.adapters.ssh import SshSettings
from reconciler.app import read_revision
from reconciler.daemon import Daemon
from reconciler.domain.desired import Desired, Host
from reconciler.domain.observation import Known, Observations
from reconciler.domain.outcome import Outcome
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Report, State, Verdict
from reconciler.execution.executor import Executor
from reconciler.execution.look import look
from reconciler.execution.memory import Memory
from reconciler.execution.read import read_files
from reconciler.ports import HostStep, Ports, Unreachable
from tests.fakes.source import MemorySource
from tests.lab.lab import Lab
from tests.lab.repository import DEMO, DEMO_VERSIONS

OLD, MIDDLE, NEW = DEMO_VERSIONS
STATE_DIR = "/var/lib/reconciler"
STEPS = f"{STATE_DIR}/steps"
CONFIG = f"/etc/{DEMO}/{DEMO}.conf"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y"

SERIES = {
    "series": "demo",
    "releases": [{"id": name, "codename": name} for name in ("one", "two", "three")],
    "rules": [
        {
            "id": "demo-sequential",
            "kind": "sequential",
            "reason": "The tool refuses to migrate over a release.",
            "source": "the lab",
            "verified": "run",
        }
    ],
}
COMPONENT = {
    "service": "demo",
    "series": "demo",
    "packages": {"deb": DEMO},
    "databases": {"main": {"alembic": {"base": "a1", "branches": [{"name": "main", "revisions": ["a2", "a3"]}]}}},
    "eras": [{"zero_downtime": False, "units": [DEMO], "sync": ["demo-manage", "db_sync"]}],
    "releases": [
        {"id": "one", "package": {"first": OLD, "final": OLD}, "databases": {"main": {"alembic": ["a1"]}}},
        {"id": "two", "package": {"first": MIDDLE, "final": MIDDLE}, "databases": {"main": {"alembic": ["a2"]}}},
        {"id": "three", "package": {"first": NEW, "final": NEW}, "databases": {"main": {"alembic": ["a3"]}}},
    ],
}
SERVICE: Mapping[str, Any] = {
    "series": "demo",
    "release": "one",
    "procedure": "fast-forward",
    "hosts": ["h1", "h2", "h3"],
    "units": [DEMO],
    "builds": {"*": {"packages": {DEMO: "{version}"}}},
    "config": {"*": [{"path": CONFIG, "source": "files/demo.conf", "mode": "0644"}]},
    "verify": ["answers"],
    "vars": {"port": "8080"},
}
FILES = {
    "catalog/series.yaml": SERIES,
    "catalog/demo.yaml": COMPONENT,
    "probes/demo.yaml": {
        "answers": {"http": {"url": "http://{address}:8080/version", "count": 2, "interval_s": 0.1, "warmup_s": 3}}
    },
}


class Hosts(SshHosts):
    """Counts the questions after steps that could not be asked, so that a test knows when a loss was noticed."""

    lost = 0

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        answer = await super().ask(host, keys)
        self.lost += isinstance(answer, Unreachable)
        return answer


class Product:
    """One daemon, one repository, one journal; the hosts are the lab's."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.known_hosts = lab.folder / "known_hosts"
        self.source = MemorySource()
        self.files: dict[str, Any] = dict(FILES)
        self.logins: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        """Start a daemon on the journal."""
        clock = SystemClock()
        self.hosts = Hosts(
            SshSettings(
                known_hosts=self.known_hosts,
                client_keys=(self.lab.folder / "id_ed25519",),
                connect_timeout_s=2,
                keepalive_interval_s=1,
                keepalive_count=2,
            )
        )
        self.journal = SqlJournal.acquire(f"sqlite:///{self.folder}/journal.db", clock)
        self.ports = Ports(
            hosts=self.hosts,
            databases=SqlDatabases(),
            http=HttpxHttp(),
            dns=DnspythonDns(),
            metrics=PrometheusMetrics(clock),
            secrets=LocalSecrets(os.environ, Redactor()),
            source=self.source,
            journal=self.journal,
            clock=clock,
        )
        self.memory = Memory(self.ports, read_revision, Executor(self.ports))

    async def stop(self) -> None:
        """End the daemon; what runs on hosts goes on."""
        await self.memory.stop()
        await self.hosts.close()
        self.journal.close()

    def want(self, *, conf: str = "port={port}\n", **changes: object) -> Desired:
        """Commit a desired state whose service differs so from SERVICE, and return it as it is read."""
        service = {**SERVICE, **changes}
        hosts = {
            name: {"address": host.address, **self.logins.get(name, {})}
            for name, host in self.lab.hosts.items()
            if name in service["hosts"]
        }
        documents = {
            **self.files,
            "fleet.yaml": {"fleet": {"name": "lab"}, "hosts": hosts, "services": {"demo": service}},
        }
        files = {name: json.dumps(document).encode() for name, document in documents.items()}  # JSON is YAML
        files["files/demo.conf"] = conf.encode()
        self.source.commit(files)
        desired = read_files(files)
        assert isinstance(desired, Desired), desired
        return desired

    async def rest(self) -> Report:
        """Pass after pass, until nothing runs and nothing may start."""

        async def publish(_: Report) -> None:
            return

        async with asyncio.timeout(110):
            return await Daemon(self.memory, publish).run_once()

    async def verdict(self) -> Verdict:
        """Come to rest, and return how the group of the service stands."""
        return (await self.rest()).decisions[0].verdict

    async def reach(self, **changes: object) -> Report:
        """Commit, come to rest, and see that everything is where it should be."""
        self.want(**changes)
        report = await self.rest()
        verdict = report.decisions[0].verdict
        assert verdict.state is State.IN_SYNC, verdict
        return report

    async def look(self, desired: Desired) -> Observations:
        """Look at the fleet once."""
        return await look(desired, self.ports)

    def outcomes(self, step: str) -> list[Outcome | None]:
        """Return how the attempts at a step ended, over all runs, oldest first."""
        runs = self.memory.remember().runs
        return [attempt.outcome for run in runs for attempt in run.attempts.get(step, ())]

    def order(self) -> list[str]:
        """Return the steps of all runs in the order in which they were begun."""
        return [entry.step for entry in self.journal.read() if entry.kind == "intent"]


def standing(seen: Observations) -> object:
    """Return what was seen of hosts and databases without the times."""
    hosts = {}
    for name, report in seen.hosts.items():
        assert isinstance(report, Known), (name, report)
        parts = (report.value.packages, report.value.units, report.value.configs)
        hosts[name] = [{subject: _timeless(state) for subject, state in part.items()} for part in parts]
    return hosts, {name: _timeless(state) for name, state in seen.databases.items()}


def _timeless(state: Any) -> object:
    if not isinstance(state, Known):
        return type(state).__name__
    times = {name: None for name in ("installed_at", "started_at", "changed_at") if hasattr(state.value, name)}
    return replace(state.value, **times)
