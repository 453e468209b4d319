"""The pause as critical path, with and without durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.outcome import Done, Failed, Outcome
from reconciler.domain.plan import Plan, Step
from reconciler.domain.run import Attempt, History, Run
from reconciler.planning.durations import Durations, durations_of
from reconciler.planning.notice import notices
from reconciler.planning.pause import Pause, pauses
from tests.planning.graphs import ALL_STOPPED, plan, step

AT = datetime(2026, 1, 2, tzinfo=UTC)


def found(of: Plan, **seconds: float) -> tuple[Pause, ...]:
    """Return pauses; durations are given by title, or `title_host`."""
    medians = {
        (each.id.partition("@")[0], "", each.host): seconds[each.title] for each in of.steps if each.title in seconds
    }
    medians |= {
        (each.id.partition("@")[0], "", each.host): seconds[f"{each.title}_{each.host}"]
        for each in of.steps
        if f"{each.title}_{each.host}" in seconds
    }
    return pauses(of, notices(of, {}), Durations(medians))


def ids(steps: tuple[Step, ...]) -> list[str]:
    return [each.id for each in steps]


def test_a_pause_is_the_longest_chain_and_not_the_sum():
    (pause,) = found(ALL_STOPPED, fetch=1000, stop_a=5, stop_b=60, sync=100, install=10, start=1, check=4, smoke=1000)

    assert ids(pause.chain) == [
        "quiesce.stop@b",
        "migrate.sync@a",
        "roll.install@a",
        "roll.start@a",
        "roll.check@a",
    ]
    assert pause.seconds == 60 + 100 + 10 + 1 + 4
    assert (pause.unmeasured, pause.beside) == ((), 0)


def test_nothing_measured_is_no_duration_at_all():
    (pause,) = found(ALL_STOPPED)

    assert not pause.measured
    assert len(pause.chain) == 5
    assert pause.unmeasured == pause.chain
    assert pause.beside == 1  # the other host's stop


def test_what_was_not_measured_is_named_and_counts_nothing():
    (pause,) = found(ALL_STOPPED, stop=5, install=10, start=1)

    assert pause.seconds == 16
    assert ids(pause.unmeasured) == ["migrate.sync@a", "roll.check@a"]


def test_no_pause_where_nothing_is_stopped():
    assert found(plan(step("prepare.fetch@a"), step("migrate.sync@a"))) == ()


TWO = plan(
    step("quiesce.stop@a", service="s"),
    step("quiesce.stop@b", service="t"),
    step("migrate.sync@a", "quiesce.stop@a", "quiesce.stop@b", service="s"),
    step("migrate.sync@b", "quiesce.stop@a", "quiesce.stop@b", service="t"),
    step("roll.start@a", "migrate.sync@a", "migrate.sync@b", service="s", wave=0),
    step("roll.start@b", "migrate.sync@a", "migrate.sync@b", service="t", wave=0),
)
"""Two services with barriers between their phases."""


def test_a_service_waits_for_what_its_group_waits_for():
    first, second, group = found(TWO, stop=1, sync_a=10, sync_b=100, start_a=50, start_b=2)

    assert (first.service, first.seconds) == ("s", 1 + 100 + 50)
    assert (second.service, second.seconds) == ("t", 1 + 100 + 2)
    assert (group.service, group.seconds) == ("", 1 + 100 + 50)
    assert "migrate.sync@b" in ids(first.chain)


@given(st.lists(st.integers(0, 1000).map(float), min_size=10, max_size=10))
def test_a_chain_is_one_and_no_longer_than_all_its_steps_together(seconds: list[float]):
    medians = {
        (each.id.partition("@")[0], "", each.host): s for each, s in zip(ALL_STOPPED.steps, seconds, strict=True)
    }
    (pause,) = pauses(ALL_STOPPED, notices(ALL_STOPPED, {}), Durations(medians))

    for before, after in zip(pause.chain, pause.chain[1:], strict=False):
        assert before.id in after.after
    assert pause.seconds <= sum(seconds)
    longest_stop = max(medians["quiesce.stop", "", "a"], medians["quiesce.stop", "", "b"])
    assert pause.chain[0].phase == "quiesce"
    assert medians["quiesce.stop", "", pause.chain[0].host] == longest_stop


# ---------------------------------------------------------------- durations


def run(number: int, *took: tuple[Step, float, Outcome]) -> Run:
    attempts = {
        each.id: (Attempt(1, AT, 1, outcome=outcome, ended_at=AT + timedelta(seconds=seconds)),)
        for each, seconds, outcome in took
    }
    return Run(id=f"r{number}", plan=plan(*(each for each, _, _ in took)), started_at=AT, attempts=attempts)


SYNC = step("migrate.sync@a", hop="x>y")
DONE = Done({}, "")


def test_a_duration_is_the_median_over_earlier_runs():
    history = History(runs=tuple(run(n, (SYNC, seconds, DONE)) for n, seconds in enumerate((10, 500, 20))))

    assert durations_of(history).of(SYNC) == 20


def test_another_host_lends_its_durations_and_another_hop_does_not():
    durations = durations_of(History(runs=(run(1, (SYNC, 10, DONE)),)))

    assert durations.of(step("migrate.sync@b", hop="x>y")) == 10
    assert durations.of(step("migrate.sync@a", hop="y>z")) is None
    assert durations.of(step("roll.sync@a", hop="x>y")) is None


def test_what_failed_or_still_runs_says_nothing():
    running = Run(id="r2", plan=plan(SYNC), started_at=AT, attempts={SYNC.id: (Attempt(1, AT, 1),)})
    history = History(runs=(run(1, (SYNC, 10, Failed("StepFailed", ""))), running))

    assert durations_of(history).of(SYNC) is None
