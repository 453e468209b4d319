"""A fleet is asked what it is exposed to: by SQL, by command, by PromQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database, Desired, Host, Prometheus, SecretRef, Service
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.relation import Finding
from reconciler.execution.exposure import look_at_exposures
from reconciler.ports import Answer, Ports, Question
from tests.fakes.clock import VirtualClock
from tests.fakes.databases import Content, MemoryDatabases
from tests.fakes.dns import MemoryDns
from tests.fakes.hosts import FakeHosts, Faults
from tests.fakes.journal import MemoryJournal
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.source import MemorySource

MAIN = Database(name="main", url="memory://thing")
THING = Service(
    name="things",
    component="thing",
    series="things",
    release="b",
    procedure="p",
    hosts=("h1", "h2"),
    bootstrap="h1",
    databases={"main": MAIN},
)
SERVER = Prometheus(url="http://prom:9090", token=SecretRef("env", "TOKEN"))
HOSTS = {name: Host(name=name, address=name) for name in THING.hosts}
FLEET = Desired(fleet="f", hosts=HOSTS, services={"things": THING}, groups={}, procedures={}, prometheus=SERVER)


def documents(**exposed: object) -> list[Mapping[str, object]]:
    fact = {"reason": "Because.", "source": "somewhere", "verified": "read"}
    rule = {"id": "bug", "kind": "forbidden", "from": {"last": "a"}, "to": {"first": "b"}, **fact}
    return [
        {"series": "things", "releases": [{"id": name, "codename": name} for name in "ab"]},
        {
            "service": "thing",
            "series": "things",
            "releases_of": {},
            "rules": [rule | {"exposed": {"text": "fleets of old", **exposed}}],
        },
    ]


async def finding(
    desired: Desired = FLEET,
    *,
    databases: MemoryDatabases | None = None,
    hosts: FakeHosts | None = None,
    metrics: MemoryMetrics | None = None,
    **exposed: object,
) -> Observed[Finding]:
    clock, secrets = VirtualClock(), LocalSecrets({"TOKEN": "t0ken"}, Redactor())
    ports = Ports(
        hosts=hosts or FakeHosts(),
        databases=databases or MemoryDatabases(),
        http=None,
        dns=MemoryDns(),
        metrics=metrics or MemoryMetrics(),
        secrets=secrets,
        source=MemorySource(),
        journal=MemoryJournal(clock),
        clock=clock,
    )
    found = await look_at_exposures(desired, load_catalog(documents(**exposed)), ports)
    assert set(found) == {("things", "bug")}
    return found["things", "bug"]


def told(seen: Observed[Finding]) -> tuple[bool, str]:
    assert isinstance(seen, Known), seen
    return seen.value.exposed, seen.value.text


def reason(seen: Observed[Finding]) -> str:
    assert isinstance(seen, Unknown), seen
    return seen.reason


# ---------------------------------------------------------------- SQL


@pytest.mark.parametrize(("rows", "exposed"), [([(1, "old", "")], True), ([(1, "new", "")], False)])
async def test_rows_expose(rows, exposed):
    databases = MemoryDatabases()
    databases.contents[MAIN.url] = Content(tables={"thing": rows})
    found = await finding(databases=databases, sql="SELECT id FROM thing WHERE name = 'old'")
    assert told(found) == (exposed, f"{int(exposed)} such rows in things{': 1' if exposed else ''}")


async def test_a_database_that_is_away_or_not_there_tells_nothing():
    databases = MemoryDatabases()
    assert reason(await finding(databases=databases, sql="SELECT id FROM thing")) == Reason.DATABASE_UNREACHABLE
    databases.away.add(MAIN.url)
    assert reason(await finding(databases=databases, sql="SELECT id FROM thing")) == Reason.DATABASE_UNREACHABLE
    assert reason(await finding(sql="SELECT id FROM thing", database="api")) == Reason.DATABASE_UNREACHABLE


# ---------------------------------------------------------------- commands


def answering(codes: Mapping[str, int], *, unreachable: Sequence[str] = ()) -> FakeHosts:
    def look(host: Host, questions: Sequence[Question]) -> Mapping[str, Answer]:
        (question,) = questions
        assert question.args == ("tool", "--old")
        return {question.key: Answer(codes[host.name], b"\x1b[1mso it is\n")}

    return FakeHosts(looks=look, faults=Faults(unreachable=dict.fromkeys(unreachable, Reason.HOST_UNREACHABLE)))


@pytest.mark.parametrize(("code", "exposed"), [(0, True), (1, False)])
async def test_the_exit_code_of_a_command_tells(code, exposed):
    found = await finding(hosts=answering({"h1": code}), command=["tool", "--old"])
    assert told(found) == (exposed, f"tool on h1: exit code {code}, so it is")


async def test_another_host_is_asked_when_the_first_cannot_tell():
    hosts = answering({"h2": 1}, unreachable=["h1"])
    assert told(await finding(hosts=hosts, command=["tool", "--old"]))[0] is False


@pytest.mark.parametrize("code", [2, 126, 127, 137])
async def test_a_command_that_could_not_run_says_nothing(code):
    hosts = answering({"h1": code, "h2": code})
    assert reason(await finding(hosts=hosts, command=["tool", "--old"])) == Reason.HOST_OUTPUT_INVALID


async def test_with_no_host_in_reach_nobody_can_tell():
    hosts = answering({}, unreachable=["h1", "h2"])
    assert reason(await finding(hosts=hosts, command=["tool", "--old"])) == Reason.HOST_UNREACHABLE
    homeless = replace(FLEET, services={"things": replace(THING, hosts=(), bootstrap="")})
    assert reason(await finding(homeless, command=["tool", "--old"])) == Reason.HOST_NOT_ASKED


# ---------------------------------------------------------------- PromQL


async def test_a_sample_exposes_and_the_token_is_sent():
    up = MetricSample(value=1, labels={"__name__": "up", "job": "mq"})
    metrics = MemoryMetrics({"up == 1": (up,)})
    assert told(await finding(metrics=metrics, promql="up == 1")) == (True, 'up == 1 gives up{job="mq"} 1')
    assert metrics.tokens == ["t0ken"]


async def test_no_sample_means_not_exposed():
    assert told(await finding(metrics=MemoryMetrics({"up": ()}), promql="up")) == (False, "up gives no sample")


async def test_without_prometheus_nobody_can_tell():
    nameless = replace(FLEET, prometheus=None)
    assert reason(await finding(nameless, promql="up")) == Reason.METRICS_UNREACHABLE
    assert reason(await finding(promql="up")) == Reason.METRICS_UNREACHABLE
    secretless = replace(FLEET, prometheus=replace(SERVER, token=SecretRef("env", "NONE")))
    assert reason(await finding(secretless, promql="up")) == Reason.SECRET_MISSING
