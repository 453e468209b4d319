"""What counts as bringing a host back once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.domain.plan import Plan, ServiceRoute, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import History, Run
from reconciler.planning.repeats import moved

AT = datetime(2026, 1, 2, tzinfo=UTC)
ROUTE = ServiceRoute(service="keystone", start="yoga", goal="yoga", route=("yoga",))
HOP = ServiceRoute(service="keystone", start="yoga", goal="zed", route=("yoga", "zed"))
STEPS = tuple(
    Step(id=f"{phase}@{host}", kind="command", phase=phase, service="keystone", title="t", host=host)
    for phase, host in ((Phase.PREPARE, "ks3"), (Phase.ROLL, "ks1"), (Phase.ROLL, "ks2"))
)
REFRESH = Plan(id="p", group="keystone", inputs="i", services=(ROUTE,), steps=STEPS)


def run(number: int, plan: Plan = REFRESH, ended: str = "done") -> Run:
    at = AT + timedelta(hours=number)
    return Run(id=f"r{number}", plan=plan, started_at=at, ended=ended, ended_at=at)


def counted(*runs: Run) -> dict[str, int]:
    return {host: len(ends) for host, ends in moved(REFRESH, History(runs=runs)).items()}


def test_each_host_that_would_be_moved_has_a_count_of_its_own():
    one = replace(REFRESH, steps=STEPS[:2])
    assert counted() == {"ks1": 0, "ks2": 0}
    assert counted(run(1), run(2, one), run(3)) == {"ks1": 3, "ks2": 2}


def test_what_was_dropped_before_it_touched_anything_counts_for_nothing():
    assert counted(run(1), run(2, ended="dropped"), run(3)) == {"ks1": 2, "ks2": 2}


def test_the_count_begins_anew_with_other_inputs_and_with_a_hop():
    other = replace(REFRESH, inputs="j")
    hop = replace(REFRESH, services=(HOP,))
    back = replace(REFRESH, direction="back", inputs="j")
    for between in (run(2, other), run(2, hop), run(2, back), run(2, ended="backed_out")):
        assert counted(run(1), between, run(3)) == {"ks1": 1, "ks2": 1}


def test_legs_that_follow_each_other_are_no_drift():
    hop = replace(REFRESH, services=(HOP,))
    assert moved(hop, History(runs=(run(1), run(2)))) == {}
