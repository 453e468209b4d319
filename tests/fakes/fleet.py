"""A whole fleet in memory: hosts that obey scripts, and for each service a database with rows and a schema, and an API.

Every service is a Keystone by its component; the first one is `keystone` by name too. A second deployment is a site of
its own, `NAME@new`. What a direct step kind does is noted, and nothing more.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database, Host
from reconciler.domain.effect import AskHttp
from reconciler.domain.marker import Stage
from reconciler.domain.observation import Absent, Known, Observed
from reconciler.domain.outcome import Exited, Sample
from reconciler.domain.row_probe import SAMPLES, RowProbe, Rows
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.step_key import StepKey
from reconciler.domain.structure import Structure
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.ports import Answer, Clock, Order, Question
from reconciler.steps import _dumps, _load, command, config_files, environment, prune_backups, units
from tests.fakes.hosts import FakeHosts, Faults

BROKEN = "broken"
"""A configuration that holds this word lets no Keystone come up healthy."""


@dataclass
class Machine:
    """One service on one host: what is installed, what runs or `ran` last, and what was saved before it was changed."""

    link: str
    config: dict[str, str]
    stamp: str
    changed_at: datetime
    complete: set[str] = field(default_factory=set)
    running: str = ""
    ran: str = ""  # build that was started last: path and configuration stamp
    started_at: datetime | None = None
    held_down: bool = False  # stopped by a step: no reboot starts it
    saved: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


@dataclass
class Data:
    """The database: the release of its schema, the one it is expanded towards, and its rows; no release: it is empty.

    `torn` is the release whose migration ended half-way.
    """

    release: str
    rows: list[str]
    expanded: str = ""
    torn: str = ""


@dataclass
class Site:
    """One service: its part of every host, its database, and the backups of that by run."""

    machines: dict[str, Machine]
    data: Data
    backups: dict[str, Data] = field(default_factory=dict)
    loaded: str = ""  # the run that filled the database


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One execution on a host, for judges: what was there before and after, and how it stood around it.

    `at` counts the journal's entries then, `arrived` the orders that hosts had taken when it came; `what` is prepare | switch | started | stopped | configure | backup | restore
    | load | unload | sync | expand | migrate | contract | other | nothing; `was` and `now` are builds, links or releases
    of the schema.
    """

    at: int
    host: str
    key: StepKey
    epoch: int
    service: str
    what: str
    was: str
    now: str
    code: int
    lost: tuple[str, ...]  # rows that are gone
    torn: str  # before
    expanded: str  # before
    serving: Mapping[str, str]  # release by host that ran the service before
    arrived: int = 0
    beside: tuple[str, ...] = field(default=(), repr=False)  # hosts of the other deployment that ran the service before


class Fleet:
    """Plays hosts, database and API; `ledger` lists what was done where, in order."""

    def __init__(
        self,
        clock: Clock,
        names: Sequence[str],
        release: str = "yoga",
        *,
        faults: Faults | None = None,
        services: Sequence[str] = ("keystone",),
        new: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.clock = clock
        self.names = [*names, *(host for hosts in (new or {}).values() for host in hosts)]
        self.component = load_catalog().service("keystone")
        self.sites = {
            service: Site({name: self._machine(service, release) for name in names}, Data(release, ["admin"]))
            for service in services
        }
        for service, hosts in (new or {}).items():
            self.sites[f"{service}@new"] = Site({name: self._bare() for name in hosts}, Data("", []))
        self.values: dict[str, dict[str, str]] = {}  # what direct steps leave, by step id
        self.ledger: list[str] = []
        self.deeds: list[Deed] = []
        self.written: Callable[[], int] = lambda: 0  # entries in the journal
        self.failing: set[str] = set()  # step ids that exit 1
        self.in_the_way: dict[str, tuple[str, ...]] = {}  # keys of rows that row probes find, by release of the schema
        self.untrue: list[str] = []  # releases that the next reads of any marker show in place of what is there
        self.dead_apis: set[str] = set()  # hosts whose API never answers well
        self.hosts = FakeHosts(self.obey, self.look, faults)

    def _machine(self, service: str, release: str) -> Machine:
        path = f"/srv/{service}/{release}"
        early = self.clock.now() - timedelta(days=30)
        return Machine(path, {}, "", early, {path}, path, started_at=early + timedelta(minutes=1))

    def _bare(self) -> Machine:
        return Machine("", {}, "", self.clock.now() - timedelta(days=30))

    def site(self, service: str, host: str) -> Site:
        """Return the deployment of a service that a host bears."""
        new = self.sites.get(f"{service}@new")
        return new if new is not None and host in new.machines else self.sites[service]

    @property
    def machines(self) -> dict[str, Machine]:
        return self.sites["keystone"].machines

    @property
    def data(self) -> Data:
        return self.sites["keystone"].data

    def reboot(self, name: str) -> None:
        """End what runs on a host; its units come up with it, but for those that a step holds down."""
        self.hosts.kill(name, rebooted=True)
        for site in (each for each in self.sites.values() if name in each.machines):
            machine = site.machines[name]
            machine.running = ""
            if not machine.held_down:
                self._start(machine)

    # ---------------------------------------------------------------- steps

    def obey(self, host: Host, order: Order) -> Exited:
        """Do what a script of a known step kind says, and note what came of it."""
        service = _service_of(order).removesuffix("@rehearsal")
        site = self.site(service, host.name)
        machine, before = site.machines[host.name], copy.deepcopy(site.data)
        serving = {name: _release(each.running) for name, each in site.machines.items() if each.running}
        beside = tuple(name for name, each in self._other(service, site).items() if each.running)
        was = machine.ran, machine.link
        failing = order.key.step in self.failing
        if not failing:
            self.ledger.append(f"{order.key.step}")
        exited, what = self._fail(site, order) if failing else self._do(site, machine, order)
        pairs = {"switch": (was[1], machine.link), "started": (was[0], machine.ran)}
        old, new = pairs.get(what, (before.release, site.data.expanded if what == "expand" else site.data.release))
        deed = Deed(
            at=self.written(),
            host=host.name,
            key=order.key,
            epoch=order.epoch,
            service=service,
            what=what,
            was=old,
            now=new,
            code=exited.code,
            lost=tuple(row for row in before.rows if row not in self._rows(service)),
            torn=before.torn,
            expanded=before.expanded,
            serving=serving,
            arrived=self.hosts.arrived.get((host.name, order.key), 0),
            beside=beside,
        )
        self.deeds.append(deed)
        return exited

    def _rows(self, service: str) -> set[str]:
        """Return the rows of all deployments of a service."""
        sites = [self.sites[service], self.sites.get(f"{service}@new", self.sites[service])]
        return {row for site in sites for row in site.data.rows}

    def _other(self, service: str, site: Site) -> Mapping[str, Machine]:
        """Return the machines of a service's other deployment."""
        both = (self.sites[service], self.sites.get(f"{service}@new", site))
        return next((each.machines for each in both if each is not site), {})

    def _fail(self, site: Site, order: Order) -> tuple[Exited, str]:
        """Fail as the test wants; a migration that fails leaves the schema between releases."""
        if order.script.body == command.BODY and order.script.args[-1] == "db_sync":
            site.data.torn = _release_of(order)
        return Exited(1, "as the test wanted"), "nothing"

    def _do(self, site: Site, machine: Machine, order: Order) -> tuple[Exited, str]:
        args = order.script.args
        match order.script.body:
            case environment.BODY:
                return self._environment(machine, args), args[0]
            case units.BODY:
                return self._units(machine, args), args[3]
            case config_files.BODY:
                return self._configure(machine, order), "configure"
            case _dumps.MARIADB_BODY:
                return self._dump(site, order), args[0]
            case _load.MARIADB_BODY:
                return self._load(site, order), args[0]
            case prune_backups.BODY:
                return self._prune(site, args[1:]), "prune"
            case command.BODY if args[1].startswith("/srv/"):
                return self._sync(site, order), args[-1].removeprefix("--").replace("db_sync", "sync")
        return Exited(0, "", self.values.get(order.key.step, {})), "other"

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
        if args[3] != "started":
            machine.running, machine.started_at = "", None
        machine.held_down = args[3] == "stopped"
        if not machine.held_down:
            self._start(machine)
        return Exited(0, "")

    def _start(self, machine: Machine) -> None:
        """Start a unit that does not run."""
        if not machine.running:
            machine.running, machine.started_at = machine.link, self.clock.now()
            machine.ran = f"{machine.link} {machine.stamp}"

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

    def _dump(self, site: Site, order: Order) -> Exited:
        verb, name, _, run, _ = order.script.args[:5]
        run = run or order.key.run
        run += "".join(name.partition("@")[1:])  # a savepoint lies beside the set of its run
        if verb == "backup":
            site.backups.setdefault(run, copy.deepcopy(self._named(order.script.args[8])))
            told = {"sha256": "0" * 64, "trust": "read_back", "manifest": "a" * 64}
            path = f"/var/backups/reconciler/{order.key.run}/{name}.sql.gz"
            return Exited(0, "", {"path": path, **told})
        if verb == "space":
            return Exited(0, "", {"wanted": "1", "free": "2"})
        if run not in site.backups:
            return Exited(1, f"no backup of {run}")
        if verb == "restore":
            site.data = copy.deepcopy(site.backups[run])
        return Exited(0, "")

    def _prune(self, site: Site, files: Sequence[str]) -> Exited:
        runs = [file.partition("/")[0] for file in files]
        for run in runs:
            for kept in [each for each in site.backups if each.partition("@")[0] == run]:
                site.backups.pop(kept)
        return Exited(0, "", {"removed": " ".join(runs), "freed": "0"})

    def _load(self, site: Site, order: Order) -> Exited:
        verb, run = order.script.args[0], order.script.args[3] or order.key.run
        if verb == "unload":
            if site.loaded == run:
                site.data, site.loaded = Data("", []), ""
            return Exited(0, "")
        if site.data.release and site.loaded != run:
            return Exited(1, "it is not empty, and what is in it was not loaded by this run")
        if run not in site.backups:
            return Exited(1, f"no backup of {run}")
        site.data, site.loaded = copy.deepcopy(site.backups[run]), run
        return Exited(0, "", {"tables": "40"})

    def _sync(self, site: Site, order: Order) -> Exited:
        release, mode, data = _release_of(order), order.script.args[-1], site.data
        running = {_release(machine.running) for machine in site.machines.values() if machine.running}
        if data.torn:
            return Exited(1, f"the migration to {data.torn} was not finished")
        if mode == "--expand":
            data.expanded = release
        elif running - {release} if mode == "--contract" else running:
            return Exited(1, "somebody still writes")
        else:
            data.release, data.expanded = release, ""
        return Exited(0, "")

    # ---------------------------------------------------------------- questions

    def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer]:
        """Answer as the observers' scripts print it."""
        return {question.key: self._answer(host.name, question) for question in questions}

    def _answer(self, host: str, question: Question) -> Answer:
        lines: list[str] = []
        kind, _, subject = question.key.partition(":")
        service = subject.split("/")[2] if kind == "environments" else subject
        machine = self.site(service if service in self.sites else "keystone", host).machines[host]
        match kind:
            case "host_facts":
                lines = ["boot\t00000000-0000-0000-0000-000000000000"]
            case "environments":
                lines = [f"link\t{question.args[0]}"]
                if machine.link:
                    lines += [f"path\t{machine.link}", f"switched\t{_s(machine.changed_at)}"]
                    lines += [f"dist\tkeystone\t{self._version(machine.link)}"]
            case "units":
                lines = [line for unit in question.args for line in _shown(unit, self.site(unit, host).machines[host])]
            case "config_digest":
                lines = [f"service\t{service}"]
                if machine.stamp:
                    lines += [f"written\t{_s(machine.changed_at)}", f"digest\t{machine.stamp}"]
        return Answer(0, "\n".join([*lines, "end"]).encode() + b"\n")

    def _version(self, path: str) -> str:
        return self.component.at(path.rsplit("/", maxsplit=1)[-1]).final_version

    # ---------------------------------------------------------------- database and API

    async def marker(self, database: Database, password: str | None) -> Observed[SchemaMarker]:
        """Show the schema's release as its marker."""
        data = Data(self.untrue.pop(0), []) if self.untrue else self._data(database)
        if not data.release:
            return Absent(self.clock.now())
        if data.torn:
            return Known(SchemaMarker(alembic=frozenset({"half"}), migrate=None, tables=40), self.clock.now())
        marker = heads_expected(self.component, "main", data.release)[0]
        if data.expanded:
            marker = expected_after(self.component, "main", data.release, data.expanded, Stage.EXPAND)
        return Known(
            SchemaMarker(alembic=marker.alembic or None, migrate=dict(marker.migrate) or None, tables=40),
            self.clock.now(),
        )

    async def fingerprint(self, database: Database, password: str | None) -> Observed[str]:
        """Show all of the database."""
        data = self._data(database)
        return Known(json.dumps([data.release, data.expanded, data.torn, sorted(data.rows)]), self.clock.now())

    async def structure(self, database: Database, password: str | None) -> Observed[Structure]:
        """Show a database of an engine for which nothing is expected."""
        return Known(Structure("memory", frozenset()), self.clock.now())

    async def rows(self, database: Database, password: str | None, probe: RowProbe) -> Observed[Rows]:
        """Find the rows that the test has put in the way."""
        found = self.in_the_way.get(self._data(database).release, ())
        return Known(Rows(count=len(found), sample=tuple(found[:SAMPLES])), self.clock.now())

    def _data(self, database: Database) -> Data:
        return self._named(database.url.rsplit("/", maxsplit=1)[-1])

    def _named(self, dbname: str) -> Data:
        """Return a database by its name: that of a second deployment ends in `_new`."""
        name = f"{dbname.removesuffix('_new')}@new" if dbname.endswith("_new") else dbname
        return self.sites[name].data

    async def connect(self, host: str, port: int) -> Sample:
        """Take a connection where something runs."""
        name = self.names[int(host.rsplit(".", maxsplit=1)[-1]) - 1]
        up = bool(self.site("keystone", name).machines[name].running)
        return Sample(ok=up, text="connected" if up else "connection refused")

    async def sample(self, ask: AskHttp, secrets: Mapping[str, str]) -> Sample:
        """Answer for the host whose address is asked; the path of other services than Keystone is their name."""
        address, path = ask.probe.url.split("/")[2:4]
        name = self.names[int(address.partition(":")[0].rsplit(".", maxsplit=1)[-1]) - 1]
        machine = self.site(path if path in self.sites else "keystone", name).machines[name]
        if not machine.running:
            return Sample(ok=None, text="connection refused")
        sound = name not in self.dead_apis and not any(BROKEN in text for text in machine.config.values())
        return Sample(ok=sound, text="201" if sound else "500")


def _service_of(order: Order) -> str:
    """Read whom an order is for out of what it does, not out of its name."""
    args = order.script.args
    match order.script.body:
        case environment.BODY:
            return args[2].split("/")[2] if args[2] else args[1].split("/")[2]
        case units.BODY:
            return args[-1]
        case _dumps.MARIADB_BODY:
            return args[1].partition(".")[0]
        case _load.MARIADB_BODY:
            return args[1].partition(".")[0]
        case command.BODY if args[1].startswith("/srv/"):
            return args[1].split("/")[2]
        case config_files.BODY:
            return args[0]
    return order.key.step.removeprefix("back.").partition(".")[0]


def _release_of(order: Order) -> str:
    return order.script.args[1].split("/")[3]


def _release(path: str) -> str:
    return path.rsplit("/", maxsplit=1)[-1]


def _shown(unit: str, machine: Machine) -> list[str]:
    state = "active" if machine.running else "inactive"
    times = [f"ExecMainStartTimestamp={_wall(machine.started_at)}", "ActiveEnterTimestamp="]
    return [f"unit\t{unit}", "LoadState=loaded", f"ActiveState={state}", *times]


def _s(at: datetime) -> int:
    return int(at.timestamp())


def _wall(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%a %Y-%m-%d %H:%M:%S UTC")
