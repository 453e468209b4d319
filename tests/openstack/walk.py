"""One host without a running service, whose database the product's own daemon walks from release to release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler import app
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.domain.verdict import Report, State
from reconciler.settings import read_settings
from reconciler.testdrive import processes, setup, sshd
from reconciler.testdrive.site import Site, new_site
from tests.openstack.eras import PACKAGES, TOOLS, provide
from tests.openstack.fleet import Fleet, Say, running
from tests.openstack.tools import CONFIGS, PASSWORD, Bench, Copy

INSTALL = ("prepare_build", "install_build", "configure")
BARE = """\
bare:
  text: Migrate one hop, and leave the rows as they are.
  leg: hop
  phases:
    - {phase: prepare, each: leg, on: fleet, steps: [prepare_build]}
    - {phase: backup, each: leg, on: bootstrap, steps: [backup]}
    - {phase: migrate, each: hop, on: bootstrap, steps: [install_tools, configure, {action: schema, mode: sync}]}
    - {phase: roll, each: leg, on: wave, steps: [install_build, verify_build]}
"""


@dataclass(slots=True)
class Walk(Fleet):
    """A fleet of one host, with a copy of a real database."""

    copy: Copy | None = None

    async def heard(self, report: Report) -> None:
        """Take in a report."""
        self.report = report

    def run_of(self, start: str, goal: str) -> Run:
        """Return the newest run from one release to another."""
        assert self.report is not None
        found = [
            run
            for run in self.report.history.runs
            for each in run.plan.services
            if (each.start, each.goal) == (start, goal)
        ]
        return found[-1]

    def steps(self, start: str, goal: str, kind: str) -> list[Step]:
        """Return what a run did of a kind of step."""
        run = self.run_of(start, goal)
        return [step for step in run.plan.steps if step.kind == kind and run.done(step.id)]


@asynccontextmanager
async def walk(root: Path, bench: Bench, copy: Copy, start: str, say: Say) -> AsyncIterator[Walk]:
    """Bring a host up at `start` and run the daemon on it; whoever gave the folder stops what was started there."""
    processes.mark(root)
    site = new_site(root, "mariadb")
    site = replace(site, store=bench.store, hosts=site.hosts[:1])
    for package in PACKAGES[copy.service].values():
        provide(bench.store, package)
    setup.write_files(site)
    site.secret("database").write_text(PASSWORD)
    files = _files(site, bench, copy, start)
    repository = setup.repository_of(site)
    repository.create()
    head = repository.commit(files, f"{copy.service} at {start}")
    await setup.start_hosts(site)
    hands = setup.Hands(site, setup.read(files), copy.service)
    try:
        await hands.do_everywhere(INSTALL, Phase.PREPARE)
    finally:
        await hands.close()
    found = Walk(site, app.open_daemon(read_settings(site.settings)), say, wanted=head, service=copy.service, copy=copy)
    async with running(found):
        await found.until(State.IN_SYNC)
        yield found


def _files(site: Site, bench: Bench, copy: Copy, start: str) -> dict[str, str]:
    """Write the desired state of one service at its first release."""
    (host,) = site.hosts
    service, tool = copy.service, TOOLS[copy.service]
    config = CONFIGS[service].format(url=f"{copy.database.url.replace('@', ':{secret:database}@')}?charset=utf8mb4")
    fleet = f"""\
fleet:
  name: walk
  defaults:
    login: {{user: {sshd.user()}}}
    state_dir: {site.root}/{{host}}/state
    manager: supervisord
    manager_config: {site.root}/{{host}}/supervisord.conf
"""
    text = f"""\
{service}:
  series: openstack
  release: {start}
  procedure: downtime
  policy: offline
  roles: [control]
  bootstrap: {host.name}
  databases:
    main: {{url: "{copy.database.url}", password: {{file: {site.secret("database")}}}}}
  builds:
{_builds(site, bench, service)}\
  config:
    "*": [{{path: "{host.etc}/{service}.conf", source: files/{service}.conf}}]
  commands:
    {tool}: ["{{env}}/bin/{tool}", --config-file, "{host.etc}/{service}.conf"]
  secrets:
    database: {{file: {site.secret("database")}}}
  backup: {{dir: {site.root}/backups}}
"""
    return {
        "fleet.yaml": fleet,
        "hosts/control.yaml": f"{host.name}: {{address: 127.0.0.1, port: {host.ssh_port}, roles: [control]}}\n",
        f"services/{service}.yaml": text,
        f"files/{service}.conf": config,
        "procedures/bare.yaml": BARE,
    }


def _builds(site: Site, bench: Bench, service: str) -> str:
    lines = []
    for release, package in PACKAGES[service].items():
        requirements = ", ".join(f'"{line}"' for line in package.requirements)
        lines.append(f"""\
    "{release}":
      environment:
        path: {site.root}/{{host}}/{service}/{release}
        link: {site.root}/{{host}}/{service}/current
        python: {bench.store.python(package.era)}
        requirements: [{requirements}]
        pip_args: [--no-index, --no-deps, --find-links, {site.store.wheels}]
""")
    return "".join(lines)
