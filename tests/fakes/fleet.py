"""A whole Keystone fleet in memory: hosts that obey scripts, a database with rows and a schema, and its API."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.catalog import load_catalog
from reconciler.domain.catalog import Stage
from reconciler.domain.desired import Database, Host
from reconciler.domain.effect import AskHttp
from reconciler.domain.observation import Known, Observed
from reconciler.domain.outcome import Exited, Sample
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.ports import Answer, Order, Question
from reconciler.steps import _dumps, command, config_files, environment, units
from tests.fakes.clock import VirtualClock
from tests.fakes.hosts import FakeHosts, Faults

BROKEN = "broken"
"""A configuration that holds this word lets no Keystone come up healthy."""


@dataclass
class Machine:
    """One host: what is installed, what runs, and what was saved before it was changed."""

    link: str
    config: dict[str, str]
    stamp: str
    changed_at: datetime
    complete: set[str] = field(default_factory=set)
    running: str = ""
    started_at: datetime | None = None
    saved: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


@dataclass
class Data:
    """The database: the release of its schema, the one it is expanded towards, and its rows."""

    release: str
    rows: list[str]
    expanded: str = ""


class Fleet:
    """Plays hosts, database and API; `ledger` lists what was done where, in order."""

    def __init__(
        self, clock: VirtualClock, names: Sequence[str], release: str = "yoga", faults: Faults | None = None
    ) -> None:
        self.clock = clock
        self.component = load_catalog().service("keystone")
        self.data = Data(release, ["admin"])
        self.backups: dict[str, Data] = {}
        self.ledger: list[str] = []
        self.failing: set[str] = set()  # step ids that exit 1
        self.dead_apis: set[str] = set()  # hosts whose API never answers well
        self.machines = {name: self._machine(release) for name in names}
        self.hosts = FakeHosts(self.obey, self.look, faults)

    def _machine(self, release: str) -> Machine:
        path = f"/srv/keystone/{release}"
        early = self.clock.now() - timedelta(days=30)
        return Machine(path, {}, "", early, {path}, path, early + timedelta(minutes=1))

    # ---------------------------------------------------------------- steps

    def obey(self, host: Host, order: Order) -> Exited:
        """Do what a script of a known step kind says."""
        machine, args = self.machines[host.name], order.script.args
        if order.key.step in self.failing:
            return Exited(1, "as the test wanted")
        self.ledger.append(f"{order.key.step}")
        match order.script.body:
            case environment.BODY:
                return self._environment(machine, args)
            case units.BODY:
                return self._units(machine, args)
            case config_files.BODY:
                return self._configure(machine, order)
            case _dumps.MARIADB_BODY:
                return self._dump(order)
            case command.BODY:
                return self._sync(args)
        return Exited(127, "no such script")

    def _environment(self, machine: Machine, args: Sequence[str]) -> Exited:
        action, path = args[0], args[1]
        if action == "prepare":
            machine.complete.add(path)
        elif path not in machine.complete:
            return Exited(1, f"{path} is not complete")
        elif machine.link != path:
            machine.link, machine.changed_at = path, self.clock.now()
        return Exited(0, "")

    def _units(self, machine: Machine, args: Sequence[str]) -> Exited:
        if args[3] == "stopped":
            machine.running, machine.started_at = "", None
        else:
            machine.running, machine.started_at = machine.link, self.clock.now()
        return Exited(0, "")

    def _configure(self, machine: Machine, order: Order) -> Exited:
        _, digest, restore_from, *places = order.script.args
        run = order.key.run if restore_from in {"", "self"} else restore_from
        if restore_from:
            if run in machine.saved:
                machine.stamp, machine.config = copy.deepcopy(machine.saved[run])
                machine.changed_at = self.clock.now()
            return Exited(0, "")
        machine.saved.setdefault(run, (machine.stamp, dict(machine.config)))
        if machine.stamp != digest:
            machine.changed_at = self.clock.now()
        machine.stamp = digest
        machine.config = {path: order.secrets[f"CONTENT_{n}"] for n, path in enumerate(places[::4], 1)}
        return Exited(0, "")

    def _dump(self, order: Order) -> Exited:
        verb, _, _, run, _ = order.script.args[:5]
        run = run or order.key.run
        if verb == "backup":
            self.backups.setdefault(run, copy.deepcopy(self.data))
            return Exited(0, "", {"path": f"/backups/{run}", "sha256": "0" * 64, "trust": "read_back"})
        if run not in self.backups:
            return Exited(1, f"no backup of {run}")
        self.data = copy.deepcopy(self.backups[run])
        return Exited(0, "")

    def _sync(self, args: Sequence[str]) -> Exited:
        release, mode = args[1].split("/")[3], args[-1]
        running = {machine.running.split("/")[-1] for machine in self.machines.values() if machine.running}
        if mode == "--expand":
            self.data.expanded = release
        elif running - {release} if mode == "--contract" else running:
            return Exited(1, "somebody still writes")
        else:
            self.data.release, self.data.expanded = release, ""
        return Exited(0, "")

    # ---------------------------------------------------------------- questions

    def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer]:
        """Answer as the observers' scripts print it."""
        return {question.key: self._answer(self.machines[host.name], question) for question in questions}

    def _answer(self, machine: Machine, question: Question) -> Answer:
        lines: list[str] = []
        match question.key.partition(":")[0]:
            case "host_facts":
                lines = ["boot\t00000000-0000-0000-0000-000000000000"]
            case "environments":
                lines = [f"link\t{question.args[0]}", f"path\t{machine.link}", f"switched\t{_s(machine.changed_at)}"]
                lines += [f"dist\tkeystone\t{self._version(machine.link)}"]
            case "units":
                lines = [
                    "unit\tkeystone",
                    "LoadState=loaded",
                    f"ActiveState={'active' if machine.running else 'inactive'}",
                ]
                lines += [f"ExecMainStartTimestamp={_wall(machine.started_at)}", "ActiveEnterTimestamp="]
            case "config_digest":
                lines = ["service\tkeystone"]
                if machine.stamp:
                    lines += [f"written\t{_s(machine.changed_at)}", f"digest\t{machine.stamp}"]
        return Answer(0, "\n".join([*lines, "end"]).encode() + b"\n")

    def _version(self, path: str) -> str:
        return self.component.at(path.rsplit("/", maxsplit=1)[-1]).final_version

    # ---------------------------------------------------------------- database and API

    async def marker(self, database: Database, password: str | None) -> Observed[SchemaMarker]:
        """Show the schema's release as its marker."""
        data = self.data
        marker = heads_expected(self.component, "main", data.release)[0]
        if data.expanded:
            marker = expected_after(self.component, "main", data.release, data.expanded, Stage.EXPAND)
        return Known(
            SchemaMarker(alembic=marker.alembic or None, migrate=dict(marker.migrate) or None, tables=40),
            self.clock.now(),
        )

    async def fingerprint(self, database: Database, password: str | None) -> Observed[str]:
        """Show all of the database."""
        return Known(json.dumps([self.data.release, self.data.expanded, sorted(self.data.rows)]), self.clock.now())

    async def sample(self, ask: AskHttp, secrets: Mapping[str, str]) -> Sample:
        """Answer for the host whose port is asked."""
        number = int(ask.probe.url.split(":")[2].split("/")[0]) - 5000
        name, machine = list(self.machines.items())[number - 1]
        if not machine.running:
            return Sample(ok=None, text="connection refused")
        sound = name not in self.dead_apis and not any(BROKEN in text for text in machine.config.values())
        return Sample(ok=sound, text="201" if sound else "500")


def _s(at: datetime) -> int:
    return int(at.timestamp())


def _wall(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%a %Y-%m-%d %H:%M:%S UTC")
