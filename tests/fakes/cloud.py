"""A whole cloud in memory, of any services: hosts that do what the steps of a plan say, databases, and probes.

It reads the steps themselves, not their scripts: those have tests of their own. What it shows is what the observers
would have printed, so that positions, proofs and judgements are the product's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.domain.desired import Database, Host
from reconciler.domain.effect import AskHttp
from reconciler.domain.observation import (
    Absent,
    ConfigState,
    Container,
    Environment,
    HostReport,
    Known,
    Observations,
    Observed,
    Package,
    Unit,
)
from reconciler.domain.outcome import Exited, Sample
from reconciler.domain.plan import Json, Step
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.step_key import StepKey
from reconciler.domain.structure import Structure
from reconciler.ports import Answer, Order, Question
from reconciler.steps import environment, schema_sync, units
from reconciler.steps._dumps import UNREADABLE
from tests.fakes.clock import VirtualClock
from tests.fakes.hosts import FakeHosts, Faults
from tests.fakes.spoken import spoken
from tests.support.standing import TABLES, container

PARTS = ("packages", "environments", "containers", "units", "configs")


@dataclass
class Machine:
    """What stands on one host, and the configuration that a run found there."""

    packages: dict[str, Package] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    configs: dict[str, ConfigState] = field(default_factory=dict)
    saved: dict[tuple[str, str], ConfigState | None] = field(default_factory=dict)
    before: dict[tuple[str, ...], Container | None] = field(default_factory=dict)
    environments_known: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Observed[HostReport]) -> Machine:
        assert isinstance(report, Known)
        parts = {
            part: {name: seen.value for name, seen in getattr(report.value, part).items() if isinstance(seen, Known)}
            for part in PARTS
        }
        machine = cls(**parts)
        machine.environments_known = {each.path: each.versions for each in machine.environments.values()}
        return machine


@dataclass
class Data:
    """One database: its marker, and a count of what was done to it."""

    marker: SchemaMarker
    writes: int = 0


class Cloud:
    """Plays hosts, databases and probes; `ledger` lists the ids of the steps that were carried out on hosts."""

    def __init__(self, clock: VirtualClock, before: Observations, urls: Mapping[tuple[str, str], str]) -> None:
        self.clock = clock
        self.machines = {name: Machine.of(report) for name, report in before.hosts.items()}
        self.databases = {
            urls[key]: Data(seen.value) for key, seen in before.databases.items() if isinstance(seen, Known)
        }
        self.urls = urls
        self.backups: dict[tuple[str, str, str], Data | None] = {}
        self.damaged: set[tuple[str, str]] = set()  # services and databases whose dumps cannot be read any more
        self.held: dict[str, dict[str, Data]] = {}  # by service, what the node that is held back has
        self.ledger: list[str] = []
        self.failing: set[str] = set()  # ids of steps that exit 1
        self.bad: set[str] = set()  # addresses that answer no probe well
        self.step_of: Callable[[StepKey], Step] = _unset
        self.hosts = FakeHosts(self.obey, self.look, Faults())

    # ---------------------------------------------------------------- hosts

    def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer]:
        machine = self.machines.setdefault(host.name, Machine())
        return {question.key: spoken(question, machine) for question in questions}

    def obey(self, host: Host, order: Order) -> Exited:
        step = self.step_of(order.key)
        if step.id in self.failing:
            return Exited(1, "as the test wanted")
        self.ledger.append(step.id)
        machine = self.machines.setdefault(host.name, Machine())
        act = getattr(self, f"_{step.kind}", None)
        return act(machine, step, order) if act else Exited(0, "", _values(step))

    def _deb_packages(self, machine: Machine, step: Step, _: Order) -> Exited:
        if step.args["action"] == "install":
            for name, version in _pairs(step.args["packages"]):
                was = machine.packages.get(name)
                if was is None or was.version != version:
                    machine.packages[name] = Package(version, held=True, installed_at=self.clock.now())
        return Exited(0, "")

    _rpm_packages = _deb_packages

    def _environment(self, machine: Machine, step: Step, _: Order) -> Exited:
        args = environment.Model.model_validate(step.args)
        path, link = args.path, args.link
        if args.action == "prepare":
            lines = args.requirements
            machine.environments_known[path] = {
                name.lower(): version for name, _, version in (line.partition("==") for line in lines) if version
            }
        elif args.action == "switch":
            known = machine.environments_known[path]
            was = machine.environments.get(link)
            if was is None or was.path != path:
                machine.environments[link] = Environment(path, self.clock.now(), known)
        return Exited(0, "")

    def _units(self, machine: Machine, step: Step, _: Order) -> Exited:
        args = units.Model.model_validate(step.args)
        for name in args.units:
            was = machine.units.get(name)
            if args.state == "stopped":
                machine.units[name] = Unit("inactive", None)
            elif was is None or was.state != "active" or args.state == "restarted":
                machine.units[name] = Unit("active", self.clock.now())
        return Exited(0, "")

    def _config_files(self, machine: Machine, step: Step, order: Order) -> Exited:
        service, run = str(step.args["service"]), str(step.args.get("restore_from") or "")
        if run:
            saved = machine.saved.get((order.key.run if run == "self" else run, service))
            if saved is None:
                machine.configs.pop(service, None)
            else:
                machine.configs[service] = replace(saved, changed_at=self.clock.now())
            return Exited(0, "")
        was = machine.configs.get(service)
        machine.saved.setdefault((order.key.run, service), was)
        if was is None or was.digest != step.args["digest"]:
            machine.configs[service] = ConfigState(str(step.args["digest"]), self.clock.now())
        return Exited(0, "")

    def _container(self, machine: Machine, step: Step, order: Order) -> Exited:
        name, action = str(step.args.get("name", "")), step.args["action"]
        key = (order.key.run, name)
        shown = machine.containers.get(name)
        if action in {"run", "replace", "stop", "start"}:
            machine.before.setdefault((*key, str(action)), shown)
        if action in {"run", "replace"}:
            machine.containers[name] = container(str(step.args["image"]), self.clock.now())
        elif action == "stop" and shown is not None:
            machine.containers[name] = replace(shown, state="exited", started_at=None)
        elif action == "start" and shown is not None:
            machine.containers[name] = replace(shown, state="running", started_at=self.clock.now())
        elif action == "back":
            was = machine.before.get((*key, str(step.args["of"])))
            machine.containers.pop(name, None)
            if was is not None:
                began = self.clock.now() if was.state == "running" else None
                machine.containers[name] = replace(was, started_at=began)
            return Exited(0, "", {"was": "absent" if was is None else "running" if was.started_at else "stopped"})
        return Exited(0, "")

    # ---------------------------------------------------------------- databases

    def _schema_sync(self, _: Machine, step: Step, __: Order) -> Exited:
        for moved in schema_sync.Model.model_validate(step.args).moved:
            first = moved.accept[0]
            marker = SchemaMarker(
                alembic=None if first.alembic is None else frozenset(first.alembic),
                migrate=first.migrate,
                tables=TABLES,
            )
            url = moved.database.url
            self.databases[url] = Data(marker, self.databases[url].writes + 1 if url in self.databases else 1)
        return Exited(0, "")

    def _backup(self, _: Machine, step: Step, order: Order) -> Exited:
        key = (order.key.run, str(step.args["service"]), str(step.args["database"]))
        self.backups.setdefault(key, copy.deepcopy(self.databases.get(_url(step))))
        return Exited(0, "", {**_dumped(key), "trust": "read_back", "manifest": "a" * 64})

    def _transfer(self, _: Machine, step: Step, order: Order) -> Exited:
        login = step.args["dump_from"]
        assert isinstance(login, dict)
        key = (order.key.run, str(step.args["service"]), str(step.args["database"]))
        self.backups.setdefault(key, copy.deepcopy(self.databases.get(_url_of(login))))
        return Exited(0, "", _dumped(key))

    def _read_back(self, _: Machine, step: Step, order: Order) -> Exited:
        whose = str(step.args["service"]), str(step.args["database"])
        if whose in self.damaged or (str(step.args.get("run") or order.key.run), *whose) not in self.backups:
            return Exited(UNREADABLE, f"the dump of {'.'.join(whose)} is damaged")
        return Exited(0, "")

    def _restore(self, _: Machine, step: Step, order: Order) -> Exited:
        key = str(step.args.get("run") or order.key.run), str(step.args["service"]), str(step.args["database"])
        self._put(_url(step), self.backups[key])
        return Exited(0, "", _dumped(key))

    def _load(self, _: Machine, step: Step, order: Order) -> Exited:
        run = str(step.args.get("run") or order.key.run)
        if step.args.get("take_back"):
            self.databases.pop(_url(step), None)
        elif not step.args.get("fresh"):
            self._put(_url(step), self.backups[run, str(step.args["service"]), str(step.args["database"])])
        return Exited(0, "", {"tables": str(TABLES)})

    def _galera(self, _: Machine, step: Step, __: Order) -> Exited:
        """Let a node that is held keep the data of now, and one that begins the cluster anew bring them back."""
        urls = [url for (service, _), url in self.urls.items() if service == step.service]
        match step.args["action"]:
            case "hold":
                self.held[step.service] = {url: copy.deepcopy(self.databases[url]) for url in urls}
            case "bootstrap":
                for url, data in self.held.pop(step.service).items():
                    self._put(url, data)
            case "rejoin":
                self.held.pop(step.service, None)
        return Exited(0, "", {"members": "3"})

    def _put(self, url: str, data: Data | None) -> None:
        if data is None:
            self.databases.pop(url, None)
        else:
            self.databases[url] = copy.deepcopy(data)

    async def marker(self, database: Database, password: str | None) -> Observed[SchemaMarker]:
        data = self.databases.get(database.url)
        return Known(data.marker, self.clock.now()) if data else Absent(self.clock.now())

    async def fingerprint(self, database: Database, password: str | None) -> Observed[str]:
        data = self.databases.get(database.url)
        return Known(f"sha256:{data}", self.clock.now()) if data else Absent(self.clock.now())

    async def structure(self, database: Database, password: str | None) -> Observed[Structure]:
        """Show a database of an engine for which nothing is expected."""
        return Known(Structure("memory", frozenset()), self.clock.now())

    async def rows(self, database: Database, password: str | None, probe: RowProbe) -> Observed[Rows]:
        return Known(Rows(count=0, sample=()), self.clock.now())

    # ---------------------------------------------------------------- probes

    async def sample(self, ask: AskHttp, secrets: Mapping[str, str]) -> Sample:
        bad = any(f"//{address}:" in ask.probe.url for address in self.bad)
        return Sample(ok=not bad, text="500" if bad else "200")

    async def connect(self, host: str, port: int) -> Sample:
        return Sample(ok=host not in self.bad, text=f"{port}")


def _unset(key: StepKey) -> Step:
    raise AssertionError(f"nobody said which step {key} is")


def _values(step: Step) -> dict[str, str]:
    """Return what steps of a kind leave behind."""
    if step.kind == "instance" and step.args["action"] == "create":
        return {"id": "4d5e", "address": "192.0.2.50"}
    return {"openstack_call": {"answer": "7"}, "openvswitch": {"flows": "/saved/flows"}}.get(step.kind, {})


def _dumped(key: tuple[str, str, str]) -> dict[str, str]:
    """Say where the dump of a run, a service and a database lies."""
    return {"path": "/backups/{}/{}.{}.sql.gz".format(*key), "sha256": "0" * 64}


def _pairs(packages: Json) -> Sequence[tuple[str, str]]:
    assert isinstance(packages, dict)
    return [(name, str(version)) for name, version in packages.items()]


def _url(step: Step) -> str:
    """Return the URL of a target as the desired state writes it."""
    return _url_of(step.args)


def _url_of(args: Mapping[str, Json]) -> str:
    return f"mysql+pymysql://{args['user']}@{args['host']}/{args['dbname']}"
