"""The real pass under whatever may happen, in any order: after every event the laws hold, and in the end it rests.

`RECONCILER_EXAMPLES` says how many lives are tried; without it a few, the same ones every time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date
from functools import wraps
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from reconciler.domain.desired import Accept, ConfigFile, Desired, Quarantine, SecretRef, Service
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import Report, State
from reconciler.errors import JournalError
from reconciler.planning.history import fold
from reconciler.reconcile import decide
from tests.fakes.clock import settle
from tests.fakes.hosts import Faults
from tests.fakes.journal import Fault, Killed
from tests.scenarios.laws import Case, breaches, law_9_every_verdict_explains_itself, law_12_in_sync_is_true
from tests.scenarios.stage import BROKEN_CONFIG, Stage, fleet_of, second
from tests.support.sample import KEYSTONE

T = TypeVar("T")

EXAMPLES = int(os.environ.get("RECONCILER_EXAMPLES", "0"))
RELEASES = ("yoga", "zed", "2023.1", "2023.2", "2024.1", "2025.1", "2026.1", "2026.2")
PROCEDURES = ("fast-forward", "downtime", "zero-downtime")
HOSTS = ("ks1", "ks2", "ks3")
LAYOUTS = ("alone", "group", "apart")
PARTS = (
    "prepare",
    "quiesce",
    "backup",
    "schema",
    "seal",
    "install",
    "configure",
    "start",
    "verify",
    "back.",
    "roll.stop",
)
FOREVER = date(2099, 1, 1)
RESTING = {State.IN_SYNC, State.HALTED, State.BLOCKED, State.SUSPENDED}
REST_PASSES = 500
"""Within so many passes, five seconds apart, everything rests once faults have stopped."""

hosts = st.sampled_from(("ks1", *HOSTS))  # the first is bootstrap and canary: most happens there
few = st.integers(1, 6)


class Some(set[str]):
    """A set of step ids given by parts: `schema@ks1` means every id that holds `schema` and ends in `@ks1`."""

    def __contains__(self, step: object) -> bool:
        parts = [each.split("@") for each in self]
        return any(part in str(step) and str(step).endswith(f"@{host}") for part, host in parts)

    def discard(self, step: str) -> None:
        """Stay; `clear` ends all."""


def plain(name: str) -> Service:
    """Return a service of the sample with a secret in its configuration."""
    service = KEYSTONE if name == "keystone" else second(name)
    return replace(service, secrets={"db": SecretRef("file", "/etc/secret")}, policy="offline")


def config_of(name: str, kind: str) -> dict[str, tuple[ConfigFile, ...]]:
    if kind == "broken":
        return BROKEN_CONFIG
    text = "[DEFAULT]\nregion = {region}\n" + ("connection = {secret:db}\n" if kind == "other" else "")
    return {"*": (ConfigFile(path=f"/etc/{name}/{name}.conf", template=text),)}


def event(**given: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a rule of what happens, with some passes after it."""

    def as_rule(happens: Callable[..., None]) -> Any:
        @wraps(happens)
        def happens_then(self: Life, then: int, **drawn: Any) -> None:
            happens(self, **drawn)
            self.do(self.passes(then))

        return rule(then=st.integers(0, 5), **given)(happens_then)

    return as_rule


goals = st.fixed_dictionaries(
    {
        "release": st.sampled_from(RELEASES),
        "procedure": st.sampled_from(PROCEDURES),
        "policy": st.sampled_from(("offline", "offline", "supported")),
        "config": st.sampled_from(("plain", "plain", "plain", "other", "broken")),
        "override": st.sampled_from(("", "", "", "ks3", "ks1")),
        "suspended": st.sampled_from(("", "", "", "", "", "storm")),
    }
)


class Life(RuleBasedStateMachine):
    """One fleet, and everything that befalls it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.faulty = False  # a fault of the journal is planned

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Run something to its end; the runner gets no report to keep, for it writes out what a task returned."""
        found: list[T] = []

        async def kept() -> None:
            found.append(await what)

        self.runner.run(kept())
        return found[0]

    # ------------------------------------------------------------ setting

    @initialize(layout=st.sampled_from(LAYOUTS), goal=goals)
    def found(self, layout: str, goal: dict[str, str]) -> None:
        names = ["keystone"] if layout == "alone" else ["keystone", "identity"]
        faults = Faults(held=Some())
        self.do(self._found(names, faults))
        self.stage.fleet.failing = Some()
        self.rows = 0
        groups = {"control": tuple(names)} if layout == "group" else {}
        self.commit(fleet_of([plain(name) for name in names], groups))
        self.do(self.passes(3))
        self.aim(goal, names)
        self.do(self.passes(2))

    async def _found(self, names: list[str], faults: Faults) -> None:
        self.stage = Stage(faults, {name: plain(name) for name in names})

    def commit(self, wanted: Desired | None) -> None:
        self.stage.commit(wanted)
        if wanted is not None:
            self.wanted = wanted

    # ------------------------------------------------------------ git

    @event(goal=goals, which=st.sampled_from(("first", "last", "all")))
    def change_the_goal(self, goal: dict[str, str], which: str) -> None:
        names = list(self.wanted.services)
        self.aim(goal, {"first": names[:1], "last": names[-1:], "all": names}[which])

    def aim(self, goal: dict[str, str], chosen: list[str]) -> None:
        services = [self._aimed(s, goal) if s.name in chosen else s for s in self.wanted.services.values()]
        self.commit(replace(self.wanted, services={service.name: service for service in services}))

    def _aimed(self, service: Service, goal: dict[str, str]) -> Service:
        override = {goal["override"]: "yoga"} if goal["override"] else {}
        changes = {key: goal[key] for key in ("release", "procedure", "policy", "suspended")}
        return replace(service, **changes, overrides=override, config=config_of(service.name, goal["config"]))

    @event(which=st.integers(0, 30))
    def revert(self, which: int) -> None:
        earlier = [wanted for wanted in self.stage.wanted.values() if wanted is not None]
        self.commit(earlier[which % len(earlier)])

    @event()
    def go_back_to_the_start(self) -> None:
        """The most usual revert, and often enough to be met in mid-run."""
        services = {name: replace(service, release="yoga") for name, service in self.wanted.services.items()}
        self.commit(replace(self.wanted, services=services))

    @event()
    def commit_nonsense(self) -> None:
        self.commit(None)

    @event()
    def commit_something_unrelated(self) -> None:
        self.commit(self.wanted)

    @event()
    def accept_losses(self) -> None:
        accepts = tuple(
            Accept(what=f"data-loss:{name}", by="ada", reason="a test", until=FOREVER) for name in self.wanted.services
        )
        self.commit(replace(self.wanted, accepts=() if self.wanted.accepts else accepts))

    @event(layout=st.sampled_from(("group", "apart", "first only")))
    def regroup(self, layout: str) -> None:
        services = self.stage.services if layout != "first only" else {"keystone": None}
        kept = {name: self.wanted.services.get(name, plain(name)) for name in services}
        groups = {"control": tuple(kept)} if layout == "group" else {}
        self.commit(replace(self.wanted, services=kept, groups=groups))

    @event(host=hosts)
    def quarantine(self, host: str) -> None:
        """Switch a host off and leave it alone; its service needs another bootstrap meanwhile, as `validate` says."""
        self.stage.fleet.hosts.cut(host)
        for site in self.stage.fleet.sites.values():
            site.machines[host].running, site.machines[host].started_at = "", None
        self._leave_alone(host)

    @event()
    def end_quarantine(self) -> None:
        self._leave_alone()

    def _leave_alone(self, *away: str) -> None:
        first = next(host for host in HOSTS if host not in away)
        services = {name: replace(service, bootstrap=first) for name, service in self.wanted.services.items()}
        alone = tuple(Quarantine(host=host, by="ada", reason="it died", until=FOREVER) for host in away)
        self.commit(replace(self.wanted, services=services, quarantined=alone))

    # ------------------------------------------------------------ time and the daemon

    @event(count=st.integers(8, 20))
    def let_many_passes_go_by(self, count: int) -> None:
        self.do(self.passes(count))

    @event(seconds=st.sampled_from((61.0, 700.0, 20000.0)))
    def let_time_pass(self, seconds: float) -> None:
        self.do(self.passes(2, seconds))

    @event()
    def kill_the_daemon(self) -> None:
        self.do(self._restart())

    @event(fault=st.sampled_from(Fault), after=st.integers(1, 4))
    def break_the_journal(self, fault: Fault, after: int) -> None:
        self.stage.journal.fail(fault, self.stage.journal.writes + after)
        self.faulty = True

    @event(verb=st.sampled_from(("suspend", "resume", "retry", "retry", "clear-halt")), which=st.integers(0, 3))
    def order(self, verb: str, which: int) -> None:
        groups = [*self.wanted.groups] or [*self.wanted.services]
        halts = [halt.id for halt in self.stage.memory.history.halts] or ["h1"]
        subjects = halts if verb == "clear-halt" else groups if verb == "retry" else ["", *groups]
        self.stage.journal.ask(verb, subjects[which % len(subjects)], "ada", "a test")

    # ------------------------------------------------------------ hosts, databases, people

    @event(host=hosts)
    def cut(self, host: str) -> None:
        self.stage.fleet.hosts.cut(host)

    @event(host=hosts)
    def mend(self, host: str) -> None:
        self.stage.fleet.hosts.mend(host)

    @event(host=hosts)
    def reboot(self, host: str) -> None:
        self._reboot(host)

    def _reboot(self, host: str) -> None:
        """Reboot a host; one in quarantine is off, and a test that let it serve again would break the how-to."""
        if host not in {each.host for each in self.wanted.quarantined}:
            self.stage.fleet.reboot(host)

    @event(after=few, answer=st.booleans())
    def lose_a_word(self, after: int, answer: bool) -> None:
        faults, number = self.stage.fleet.hosts.faults, self.stage.fleet.hosts.starts + after
        (faults.lost_answers if answer else faults.lost_orders).add(number)

    @event(part=st.sampled_from(PARTS), host=hosts)
    def hold_steps(self, part: str, host: str) -> None:
        self.hold(part, host)

    @event(part=st.sampled_from(("schema", "schema", "start", "backup")), host=hosts, count=st.integers(4, 20))
    def reboot_in_mid_step(self, part: str, host: str, count: int) -> None:
        self.hold(part, host)
        self.do(self.passes(count))
        self._reboot(host)
        self.stage.fleet.hosts.faults.held.clear()

    @event(part=st.sampled_from(PARTS), host=hosts, count=st.integers(4, 12))
    def take_too_long(self, part: str, host: str, count: int) -> None:
        self.hold(part, host)
        self.do(self.passes(count))
        self.do(self.passes(2, 20000.0))
        self.release()

    def hold(self, part: str, host: str) -> None:
        self.stage.fleet.hosts.faults.held.add(f"{part}@{host}")

    def release(self) -> None:
        self.stage.fleet.hosts.faults.held.clear()
        self.do(self._released())

    @event()
    def let_held_steps_go_on(self) -> None:
        self.release()

    @event(part=st.sampled_from(PARTS), host=hosts)
    def let_steps_fail(self, part: str, host: str) -> None:
        self.stage.fleet.failing.add(f"{part}@{host}")

    @event()
    def let_no_step_fail(self) -> None:
        self.stage.fleet.failing.clear()

    @event(host=hosts)
    def toggle_api(self, host: str) -> None:
        self.stage.fleet.dead_apis ^= {host}

    @event(which=st.integers(0, 1))
    def somebody_writes_a_row(self, which: int) -> None:
        sites = list(self.stage.fleet.sites.values())
        site = sites[which % len(sites)]
        if any(machine.running for machine in site.machines.values()):
            self.rows += 1
            site.data.rows.append(f"row {self.rows}")

    @event(host=hosts, how=st.sampled_from(("config", "link", "unit")))
    def somebody_changes_a_host(self, host: str, how: str) -> None:
        machine = self.stage.fleet.machines[host]
        if how == "unit":
            machine.running, machine.started_at = "", None
            return
        if how == "link":
            machine.link = "/srv/keystone/zed"
            machine.complete.add(machine.link)
        else:
            machine.stamp = "bad0"
        machine.changed_at = self.stage.clock.now()

    # ------------------------------------------------------------ passing

    async def _released(self) -> None:
        self.stage.fleet.hosts.release()
        await settle()

    async def _restart(self) -> None:
        await self.stage.kill()
        self.stage.start()
        self.faulty = False

    async def passes(self, count: int, seconds: float = 1.0) -> Report | None:
        report = None
        for _ in range(count):
            report = await self._pass()
            await settle()
            self._look_behind()
            await self.stage.clock.advance(seconds)
        if count > 4:
            self._the_same_inputs_give_the_same_plan()
        return report

    async def _pass(self) -> Report | None:
        try:
            report = await self.stage.pass_once()
        except Killed:
            await self._restart()
            return None
        except JournalError:
            assert self.faulty
            return None
        found = list(law_9_every_verdict_explains_itself(report))
        assert not found, found
        return report

    def _look_behind(self) -> None:
        """See that nothing broke in the background, where nobody would hear of it."""
        looking = self.stage.memory.looking
        if looking is not None and looking.done() and not looking.cancelled():
            assert looking.exception() is None, looking.exception()

    # ------------------------------------------------------------ laws

    @invariant()
    def the_laws_hold(self) -> None:
        if hasattr(self, "stage"):
            found = breaches(Case(self.stage.store_entries(), self.stage.fleet.deeds, self.stage.wanted))
            assert not found, "\n".join(found)

    def _the_same_inputs_give_the_same_plan(self) -> None:
        """Law 11: whoever asks twice, or reads the journal anew, decides the same."""
        if self.stage.memory.read is None:
            return
        memory, read = self.stage.memory, self.stage.memory.read
        memory.remember()
        first = decide(memory, read)
        memory.history = fold(memory.ports.journal.read())
        assert decide(memory, read) == first

    def teardown(self) -> None:
        try:
            if hasattr(self, "stage"):
                self.do(self._end())
                self.the_laws_hold()
        finally:
            self.do(self._close())
            self.runner.close()

    async def _close(self) -> None:
        if hasattr(self, "stage"):
            await self.stage.kill()

    async def _end(self) -> None:
        """Law 12: when faults stop, everything comes to rest, and what is said of it is true."""
        await self._heal()
        report = await self._rest()
        for decision in report.decisions:
            if decision.verdict.state is State.HALTED:
                self.stage.journal.ask("retry", decision.verdict.group, "ada", "all is mended")
        report = await self._rest()
        found = list(law_12_in_sync_is_true(report, self.stage.fleet))
        assert not found, (found, [d.verdict for d in report.decisions])

    async def _heal(self) -> None:
        fleet = self.stage.fleet
        for host in HOSTS:
            fleet.hosts.mend(host)
        fleet.failing.clear()
        fleet.dead_apis = set()
        for each in (fleet.hosts.faults.held, fleet.hosts.faults.lost_answers, fleet.hosts.faults.lost_orders):
            each.clear()
        await self._released()
        await self._restart()
        if self.stage.memory.remember().suspensions:
            self.stage.journal.ask("resume", "", "ada", "all is mended")

    async def _rest(self) -> Report:
        """Pass until all groups rest, seen anew since."""
        calm = 0
        for _ in range(REST_PASSES):
            report = await self._pass()
            assert report is not None
            await settle()
            self._look_behind()
            verdicts = [decision.verdict for decision in report.decisions]
            resting = [v.state in RESTING or v.reason == Reason.CLAIMED for v in verdicts]
            at_rest = all(resting) and (not verdicts or any(v.state in RESTING for v in verdicts))
            calm = calm + 1 if at_rest else 0
            if calm > 3:
                return report
            await self.stage.clock.advance(5.0 if not at_rest else 61.0)
        raise AssertionError(f"no rest: {[d.verdict for d in report.decisions]}; {self.stage.fleet.ledger[-5:]}")


@pytest.mark.timeout(3600)  # as many lives as were asked for
def test_every_life_keeps_the_laws() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES or 20,
            stateful_step_count=40,
            deadline=None,
            derandomize=not EXAMPLES,
            database=None,
            print_blob=bool(EXAMPLES),
            suppress_health_check=list(HealthCheck),
        ),
    )
