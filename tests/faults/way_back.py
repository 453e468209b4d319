"""A leg whose canary fails: the daemon is killed at every boundary between the turn and the end of the way back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.faults.cases import UNSTEADY, Case, same
from tests.faults.ground import End, Ground

TURN = "turned_back.before"
SOME = {"turned_back.after", "halt_raised.before", "intent.after", "start.after", "result.before", "run_ended.before"}


def leg_taken_back(ground: Ground, trace: Path) -> End:
    """Let the canary fail with nothing in the way of going back, and write the boundaries down."""
    ground.begin()
    try:
        ground.want("two", mode="broken")
        taken_back(ground, f"trace:{trace}")
        return ground.end()
    finally:
        ground.finish()


def boundaries_of_the_way_back(trace: Path, *, full: bool) -> list[tuple[str, int]]:
    """List the boundaries that are reached from the turn on, with their counts; of SOME the first, or all of them."""
    reached: Counter[str] = Counter()
    found: dict[str, list[tuple[str, int]]] = {}
    for name in trace.read_text().split():
        reached[name] += 1
        if reached[TURN] and name.partition(".")[0] not in UNSTEADY:
            found.setdefault(name, []).append((name, reached[name]))
    return [one for name in sorted(found) if full or name in SOME for one in found[name][: None if full else 1]]


def killed_on_the_way_back(name: str, count: int, undisturbed: End) -> Case:
    """Kill the daemon at a boundary; the next one goes on going back, and does nothing twice."""

    def run(ground: Ground, _: End) -> None:
        ground.want("two", mode="broken")
        ground.killed_at(name, count, lambda: ground.at_rest("Halted"))
        taken_back(ground)
        same(ground, undisturbed)

    return Case(f"killed-on-the-way-back-at {name} {count}", run)


def taken_back(ground: Ground, failpoint: str = "") -> None:
    """Let a new daemon go on until the group is halted and nothing is open any more."""
    daemon = ground.daemon(failpoint)
    ground.halted(daemon)
    ground.await_(lambda: ground.open_runs() == 0, "the end of the way back")
