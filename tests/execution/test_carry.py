"""One step, from start to outcome, on fake hosts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Done, Exited, Failed, Lost
from reconciler.domain.plan import Step
from reconciler.domain.procedure import CutsLink, Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.execution.carry import carry
from reconciler.ports import Guard, NeverStarted, Ports, Unreachable
from tests.fakes.clock import VirtualClock, settle
from tests.fakes.databases import Content, MemoryDatabases
from tests.fakes.dns import MemoryDns
from tests.fakes.hosts import FakeHosts, Faults
from tests.fakes.journal import MemoryJournal
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.source import MemorySource
from tests.fakes.told import Told
from tests.planning.test_plan import plan
from tests.support.sample import DESIRED

KEY = StepKey("r1", "step", 1)
SECRET = "correct-horse-battery"
STEP = Step(
    id="step",
    kind="command",
    phase=Phase.FINISH,
    service="keystone",
    title="say it",
    host="ks1",
    args={"argv": ["say"]},
)
CONFIG = replace(
    STEP,
    kind="config_files",
    args={
        "service": "keystone",
        "digest": "ab",
        "files": [{"path": "/etc/k.conf", "content": "password = {secret:db}"}],
        "secret_refs": {"db": {"kind": "env", "origin": "DB_PASSWORD"}},
    },
)


NAME = ("nova.example.org.", "A")
CHANGE = replace(
    STEP,
    kind="dns_update",
    host="",
    args={
        "server": "ns",
        "zone": "example.org.",
        "record": NAME[0],
        "was": ["192.0.2.1"],
        "values": ["192.0.2.2"],
        "key_name": "mover",
        "key_secret": "db",
        "secret_refs": {"db": {"kind": "env", "origin": "DB_PASSWORD"}},
    },
)


def ports(hosts: FakeHosts, environ: dict[str, str] | None = None, dns: MemoryDns | None = None) -> Ports:
    clock = VirtualClock()
    secrets = LocalSecrets({"DB_PASSWORD": SECRET} if environ is None else environ, Redactor())
    databases = MemoryDatabases()
    return Ports(
        hosts,
        databases,
        None,
        dns or MemoryDns(),
        MemoryMetrics(),
        secrets,
        MemorySource(),
        MemoryJournal(clock),
        clock,
    )


async def carried(step: Step, hosts: FakeHosts, *, may_start: bool = True, **environ: dict[str, str] | None):
    return await carry(step, KEY, DESIRED, ports(hosts, **environ), may_start=may_start)


async def test_a_step_that_exits_well_is_done():
    assert isinstance(await carried(STEP, FakeHosts()), Done)


async def test_a_step_that_exits_badly_failed_and_shows_its_output():
    outcome = await carried(STEP, FakeHosts(lambda host, order: Exited(3, "no such user")))

    assert isinstance(outcome, Failed)
    assert "no such user" in outcome.text


async def test_a_secret_reaches_the_host_and_no_outcome():
    seen: list[str] = []

    def leak(host: object, order: object) -> Exited:
        seen.append(order.secrets["CONTENT_1"])
        return Exited(1, f"cannot use {SECRET}")

    outcome = await carried(CONFIG, FakeHosts(leak))

    assert seen == [f"password = {SECRET}"]
    assert isinstance(outcome, Failed)
    assert SECRET not in outcome.text


async def test_a_secret_that_cannot_be_read_starts_nothing():
    hosts = FakeHosts()

    outcome = await carried(CONFIG, hosts, environ={})

    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.SECRET_MISSING
    assert hosts.starts == 0


async def test_a_secret_that_cannot_be_read_any_more_hides_no_step_that_runs():
    hosts = FakeHosts(lambda _host, _order: Exited(0, f"wrote {SECRET}"))
    await carried(CONFIG, hosts)

    outcome = await carried(CONFIG, hosts, environ={})

    assert isinstance(outcome, Done)
    assert hosts.starts == 1
    assert SECRET not in outcome.text
    assert "withheld" in outcome.text


GUARDED = replace(STEP, cuts_link=CutsLink(("ifup", "eth0"), 60))


async def test_a_guard_travels_with_the_step():
    guards: list[object] = []

    def obey(host: object, order: object) -> Exited:
        guards.append(order.guard)
        return Exited(0, "")

    assert isinstance(await carried(GUARDED, FakeHosts(obey)), Done)
    revert = HostScript(body='exec "$@"\n', args=("ifup", "eth0"))
    assert guards == [Guard(revert, limit_s=GUARDED.timeout_s, within_s=60)]


async def test_a_step_that_its_host_took_back_has_failed_for_a_reason_of_its_own():
    hosts = FakeHosts(faults=Faults(cut_off={"step"}))
    outcome = await carried(GUARDED, hosts)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.text) == (
        Reason.LINK_CUT,
        "ks1 took no new connection within 60 s after it, and took it back by itself: put back",
    )
    again = await carried(GUARDED, hosts, may_start=False)
    assert again == outcome
    assert hosts.starts == 1


async def test_a_guarded_step_that_may_not_start_is_asked_after_alone():
    hosts = FakeHosts()
    assert await carried(GUARDED, hosts, may_start=False) == NeverStarted()
    hosts.cut("ks1")
    assert isinstance(await carried(GUARDED, hosts), Unreachable)
    assert hosts.starts == 0


async def test_a_host_that_cannot_be_reached_tells_nothing():
    outcome = await carried(STEP, FakeHosts(faults=Faults(unreachable={"ks1": Reason.HOST_UNREACHABLE})))

    assert isinstance(outcome, Unreachable)


async def test_a_step_whose_process_died_is_lost_and_says_why():
    outcome = await carried(STEP, FakeHosts(faults=Faults(dies_before={"step"}, reboots={"ks1"})))

    assert isinstance(outcome, Lost)
    assert "rebooted" in outcome.text


@pytest.mark.parametrize("may_start", [True, False])
async def test_a_step_that_a_host_never_heard_of_is_started_only_when_it_may(may_start: bool):
    hosts = FakeHosts()

    outcome = await carried(STEP, hosts, may_start=may_start)

    assert isinstance(outcome, Done if may_start else NeverStarted)
    assert len(hosts.ledger) == may_start


async def test_a_host_that_left_the_desired_state_is_not_contacted():
    hosts = FakeHosts()

    outcome = await carried(replace(STEP, host="gone"), hosts)

    assert isinstance(outcome, Lost)
    assert hosts.starts == 0


async def test_a_daemon_that_was_overtaken_is_refused():
    hosts = FakeHosts()
    hosts.hosts["ks1"] = type(hosts._machine(DESIRED.hosts["ks1"]))(epoch=99)

    outcome = await carried(STEP, hosts)

    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.HOST_FENCED


def name_server(**more: object) -> MemoryDns:
    return MemoryDns(keys={"mover": SECRET}, records={NAME: ("192.0.2.1",)}, **more)


async def test_what_the_daemon_does_itself_is_done_under_its_key_and_may_be_done_twice():
    dns = name_server()
    for _ in range(2):
        outcome = await carry(CHANGE, KEY, DESIRED, ports(FakeHosts(), dns=dns), may_start=True)
        assert isinstance(outcome, Done), outcome
    assert dns.records[NAME] == ("192.0.2.2",)


async def test_what_the_daemon_does_itself_is_begun_only_when_it_may_and_can():
    dns = name_server()
    suspended = await carry(CHANGE, KEY, DESIRED, ports(FakeHosts(), dns=dns), may_start=False)
    keyless = await carry(CHANGE, KEY, DESIRED, ports(FakeHosts(), {}, dns), may_start=True)

    assert isinstance(suspended, NeverStarted)
    assert isinstance(keyless, Failed)
    assert keyless.reason == Reason.SECRET_MISSING
    assert dns.records[NAME] == ("192.0.2.1",)


async def test_a_name_server_that_is_away_leaves_the_outcome_open():
    dns = name_server(away=True)

    assert isinstance(await carry(CHANGE, KEY, DESIRED, ports(FakeHosts(), dns=dns), may_start=True), Lost)


@pytest.mark.parametrize("told", [Told.AS_FAILED, Told.AS_UNKNOWN])
async def test_of_what_the_daemon_did_itself_the_servers_own_word_counts(told: Told):
    dns = name_server(told=told)
    assert isinstance(await carry(CHANGE, KEY, DESIRED, ports(FakeHosts(), dns=dns), may_start=True), Done)
    assert dns.changes == 1


async def test_a_server_that_cannot_tell_yet_leaves_the_outcome_open_and_a_second_time_does_no_harm():
    dns = name_server(told=Told.LATE)
    world = ports(FakeHosts(), dns=dns)
    assert isinstance(await carry(CHANGE, KEY, DESIRED, world, may_start=True), Lost)
    assert isinstance(await carry(CHANGE, replace(KEY, attempt=2), DESIRED, world, may_start=True), Done)
    assert dns.records[NAME] == ("192.0.2.2",)


@pytest.mark.parametrize(
    ("told", "first", "then"),
    [(Told.TRULY, Done, Done), (Told.AS_UNKNOWN, Unreachable, Done), (Told.AS_FAILED, Failed, Failed)],
)
async def test_a_step_that_did_its_work_does_it_no_second_time_whatever_is_told(told, first, then):
    hosts = FakeHosts(faults=Faults(told={STEP.id: told}))
    assert isinstance(await carried(STEP, hosts), first)
    assert isinstance(await carried(STEP, hosts), then)
    assert hosts.executed(STEP.id) == 1


async def test_a_step_that_is_told_done_late_is_waited_for():
    hosts = FakeHosts(faults=Faults(told={STEP.id: Told.LATE}))
    waiting = asyncio.create_task(carried(STEP, hosts))
    await settle()
    assert not waiting.done()
    hosts.release()
    assert isinstance(await waiting, Done)
    assert hosts.executed(STEP.id) == 1


async def test_a_schema_that_nobody_could_read_back_is_open_and_is_read_again_without_running_the_tool():
    hosts, schema = FakeHosts(), next(step for step in plan(release="2026.1").steps if step.kind == "schema_sync")
    schema = replace(schema, args={**schema.args, "component": ""})
    world = ports(hosts)
    assert isinstance(world.databases, MemoryDatabases)
    url, accept = schema.args["database"]["url"], schema.args["accept"]
    world.databases.contents[url] = Content(alembic=accept[0]["alembic"])
    world.databases.unsure = 1
    assert isinstance(await carry(schema, KEY, DESIRED, world, may_start=True), Lost)
    assert isinstance(await carry(schema, KEY, DESIRED, world, may_start=True), Done)
    assert len(hosts.ledger) == 1
