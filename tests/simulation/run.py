"""Runs seeds, and says which ones fail and how to see it again."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

import structlog

from reconciler.domain.journal import Entry
from tests.scenarios.laws import Case, breaches
from tests.simulation import liars, permits  # noqa: F401 - they put themselves on the menu
from tests.simulation.gates import trespasses
from tests.simulation.leases import strayed
from tests.simulation.loop import VirtualLoop
from tests.simulation.model import judged
from tests.simulation.replacing import misplaced
from tests.simulation.world import Scenario, World


@dataclass(frozen=True)
class Outcome:
    """What came of one life: what was wrong with it, a digest of all that happened, and its story."""

    seed: int
    wrong: tuple[str, ...]
    digest: str
    story: tuple[str, ...]


def simulate(scenario: Scenario) -> Outcome:
    """Live through a scenario, and judge it."""
    loop = VirtualLoop()
    try:
        world = World(scenario, loop)
        loop.run_until_complete(world.live())
    finally:
        loop.close()
    entries = world.store_entries()
    wrong = tuple(dict.fromkeys((*world.breaches, *_breaches(world, entries))))
    story = (f"seed {scenario.seed}, {scenario.layout}: {scenario.goal}", *world.notes)
    told = [*story, *(entry.hash for entry in entries), *map(str, world.fleet.deeds)]
    return Outcome(scenario.seed, wrong, sha256("\n".join(told).encode()).hexdigest(), story)


def _breaches(world: World, entries: Sequence[Entry]) -> list[str]:
    deeds = world.fleet.deeds
    parents = {commit: world.source.parent(commit) for commit in world.wanted}
    lies = frozenset((key.run, key.step, key.attempt) for key in world.lies)
    left_alone = frozenset(each.host for wanted in world.wanted.values() if wanted for each in wanted.quarantined)
    return [
        *strayed(world.taken, entries),
        *judged(entries, deeds, parents, lies, left_alone),
        *misplaced(deeds),
        *trespasses(entries, world.wanted, world.metrics.heard),
        *breaches(Case(entries, deeds, world.wanted)),
    ]


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many processes; a seed is lived by one")
    parser.add_argument("--replay", type=int, help="this seed alone")
    parser.add_argument("--trace", action="store_true", help="tell all that happened")
    args = parser.parse_args()
    first, count = (args.first, args.seeds) if args.replay is None else (args.replay, 1)
    begun, failed = time.perf_counter(), 0
    for outcome in outcomes(range(first, first + count), args.jobs if count > 1 else 1):
        failed += bool(outcome.wrong)
        if outcome.wrong or args.trace or args.replay is not None:
            print("\n".join(told(outcome, trace=args.trace)), flush=True)
    seconds = time.perf_counter() - begun
    print(f"{count} seeds from {first}, {failed} failed, {count / seconds:.0f} a second")
    return 1 if failed else 0


def outcomes(seeds: Sequence[int], jobs: int) -> Iterator[Outcome]:
    """Live the lives of seeds, in so many processes, and yield what came of each in the order of the seeds."""
    if jobs == 1:
        _quiet()
        yield from map(_lived, seeds)
        return
    with ProcessPoolExecutor(jobs, initializer=_quiet) as processes:
        yield from processes.map(_lived, seeds, chunksize=8)


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _lived(seed: int) -> Outcome:
    return simulate(Scenario.of(seed))


def told(outcome: Outcome, *, trace: bool) -> list[str]:
    """Tell how a life went, and how to live it again."""
    lines = list(outcome.story) if trace else []
    lines += [f"seed {outcome.seed}: {each}" for each in outcome.wrong]
    replay = f"python -m tests.simulation --replay {outcome.seed} --trace"
    return [*lines, f"seed {outcome.seed}: {'failed' if outcome.wrong else 'sound'}, {outcome.digest[:12]}: {replay}"]


if __name__ == "__main__":
    sys.exit(main())
