"""Gates other than windows, and people who open them or do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from reconciler.domain.approval import Approval, ApprovalPolicy
from reconciler.domain.backup import BackupPolicy
from reconciler.domain.desired import HaltPolicy, Percent, Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.window import Window
from reconciler.planning.scene import groups_of
from tests.fakes.journal import Fault
from tests.simulation.faults import LATEST, happens, one_of, upto
from tests.simulation.world import QUIET, World

PEOPLE = ("ada", "bob", "eve")


def a_policy(rng: Random) -> ApprovalPolicy:
    """Draw who must say yes."""
    by = rng.choice(((), (), ("ada", "bob")))
    return ApprovalPolicy(leg=rng.randint(0, 2), waves=rng.randint(0, 1), by=by)


@happens(3, since=LATEST, policy=a_policy)
def ask_for_approvals(world: World, policy: ApprovalPolicy) -> None:
    groups = groups_of(world.wanted_now)
    world.want_all(replace(world.wanted_now, approvals=dict.fromkeys(groups, policy)))


@happens(3, since=LATEST, by=one_of(*PEOPLE), days=one_of(-1, 0, 30), wave=one_of(None, None, 1, 2))
def approve_in_git(world: World, by: str, days: int, wave: int | None) -> None:
    """Say yes to whatever waits or goes on, to the end of a day that may be over."""
    until = world.clock.now().date() + timedelta(days=days)
    plans = [run.plan.id for run in world.memory.history.runs if not run.ended]
    said = tuple(Approval(plan=plan, by=by, why="it is time", wave=wave, until=until) for plan in plans)
    world.want_all(replace(world.wanted_now, approved=(*world.wanted_now.approved, *said)))


@happens(5, since=LATEST, by=one_of(*PEOPLE), wave=one_of("", "", "/1", "/2"), which=upto(4))
def approve(world: World, by: str, wave: str, which: int) -> None:
    groups = [*groups_of(world.wanted_now)]
    world.journal.ask("approve", groups[which % len(groups)] + wave, by, "it is time")


@happens(2, since=LATEST, until=one_of("pause", "waves"))
def watch_for_alerts(world: World, until: str) -> None:
    alerts = (replace(QUIET, until=until),)
    world.want_all(replace(world.wanted_now, alerts=alerts, prometheus=Prometheus(url="http://metrics")))


@happens(3, since=LATEST, how=one_of("fires", "quiet", "quiet", "nobody can tell"))
def change_the_alerts(world: World, how: str) -> None:
    answers = {"fires": {QUIET.promql: (MetricSample(value=1.0),)}, "quiet": {QUIET.promql: ()}}
    world.metrics.answers = answers.get(how, {})


@happens(1, since=LATEST, hours=one_of(1, 24))
def ask_for_young_backups(world: World, hours: int) -> None:
    policies = dict.fromkeys(world.wanted_now.services, BackupPolicy(within_hours=hours))
    world.want_all(replace(world.wanted_now, backups=policies))


@happens(2, since=LATEST, limit=one_of("quorum", 1, 2, Percent(50)))
def limit_who_is_out(world: World, limit: Any) -> None:
    services = {name: replace(each, max_unavailable=limit) for name, each in world.wanted_now.services.items()}
    world.want_all(replace(world.wanted_now, services=services))


@happens(1, since=LATEST, days=one_of(0, 3))
def freeze(world: World, days: int) -> None:
    """Freeze all until the end of a day."""
    today: date = world.clock.now().date()
    window = Window(name="freeze", effect="deny", zone="UTC", first=today, last=today + timedelta(days=days))
    world.want_all(replace(world.wanted_now, windows=(*world.wanted_now.windows, window)))


@happens(1, since=LATEST)
def open_all_gates(world: World) -> None:
    world.want_all(world.without_gates())


@happens(1, since=LATEST, scope=one_of("host", "group", "fleet"))
def change_what_halts_stop(world: World, scope: str) -> None:
    halts = dict.fromkeys(groups_of(world.wanted_now), HaltPolicy(scope=scope, hosts=1))
    world.want_all(replace(world.wanted_now, halts=halts))


# ---------------------------------------------------------------- commands


VERBS = ("suspend", "resume", "retry", "retry", "clear-halt", "abandon", "abandon", "approve", "rehearse", "nonsense")


@happens(5, since=LATEST, verb=one_of(*VERBS), which=upto(4), fault=one_of(None, None, *Fault), after=upto(3))
def command(world: World, verb: str, which: int, fault: Fault | None, after: int) -> None:
    """Ask for something, of which the daemon may die, or its store fail, while it carries it out."""
    history = world.memory.history
    subjects = {
        "clear-halt": [halt.id for halt in history.halts],
        "abandon": [run.id for run in history.open_legs()],
    }.get(verb, [*groups_of(world.wanted_now)]) or ["none"]
    world.journal.ask(verb, subjects[which % len(subjects)], "ada", "a test")
    if fault is not None:
        world.journal.fail(fault, world.journal.writes + after)


# ---------------------------------------------------------------- two daemons


@happens(3, since=LATEST, seconds=one_of(1.0, 20.0, 200.0))
def stop_the_leader(world: World, seconds: float) -> None:
    """Stop the whole daemon as SIGSTOP does, let another one take the lease, and let the first go on later."""
    world.stop_leader(seconds)
