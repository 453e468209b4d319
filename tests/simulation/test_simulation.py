"""The museum and a fixed number of seeds, lived in full; `make simulate` lives as many as one likes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextvars import Context
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.domain.chain import seal
from reconciler.domain.journal import GENESIS, Draft, Entry, Kind
from reconciler.domain.step_key import StepKey
from tests.fakes.clock import START
from tests.fakes.fleet import Deed
from tests.simulation.faults import LATEST, NEWEST
from tests.simulation.leases import Taken, strayed
from tests.simulation.loop import PROCESS, VirtualLoop
from tests.simulation.model import judged
from tests.simulation.replacing import misplaced
from tests.simulation.run import simulate
from tests.simulation.world import Scenario

ROOT = Path(__file__).parent.parent.parent
MUSEUM = [line.split()[0] for line in (ROOT / "tests/simulation/museum.txt").read_text().splitlines() if line[0] != "#"]
SEEDS = 20


@pytest.mark.parametrize(
    "seed", [*map(int, MUSEUM), *range(SEEDS), *range(LATEST, LATEST + SEEDS), *range(NEWEST, NEWEST + SEEDS)]
)
def test_a_life_keeps_the_laws(seed):
    assert simulate(Scenario.of(seed)).wrong == ()


def test_a_seed_is_one_life_whatever_the_hashes_of_a_process():
    command = [sys.executable, "-m", "tests.simulation", "--replay", "1", "--trace"]
    lives = [
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashes}, capture_output=True, text=True, check=False
        ).stdout.splitlines()[:-1]  # the last line tells how long it took
        for hashes in ("1", "2")
    ]

    assert len(lives[0]) > 10
    assert lives[0] == lives[1]


# ---------------------------------------------------------------- the model can fail

PLAN = {
    "inherits": "",
    "steps": [
        {"id": "stop@ks1", "kind": "units", "host": "ks1", "after": []},
        {"id": "start@ks1", "kind": "units", "host": "ks1", "after": ["stop@ks1"]},
    ],
}
PINNED = Draft(Kind.PLAN_PINNED, "keystone", "r1", body={"plan": PLAN})
AWRY = Draft(Kind.PLAN_PINNED, "keystone", "r1", body={"plan": {**PLAN, "steps": PLAN["steps"][::-1]}})
ENDED = Draft(Kind.RUN_ENDED, "keystone", "r1", body={"result": "done"})


def intent(step: str, attempt: int = 1, epoch: int = 1) -> Draft:
    return Draft(Kind.INTENT, "keystone", "r1", step, {"attempt": attempt, "epoch": epoch})


def result(step: str, outcome: str = "done") -> Draft:
    return Draft(Kind.RESULT, "keystone", "r1", step, {"attempt": 1, "outcome": outcome})


def accepted(commit: str) -> Draft:
    return Draft(Kind.REVISION_ACCEPTED, body={"revision": commit})


def deed(step: str, at: int, **changes: Any) -> Deed:
    sound = Deed(
        at=at,
        host="ks1",
        key=StepKey("r1", step, 1),
        epoch=1,
        service="keystone",
        what="other",
        was="",
        now="",
        code=0,
        lost=(),
        torn="",
        expanded="",
        serving={},
    )
    return replace(sound, **changes)


def entries(*drafts: Draft) -> list[Entry]:
    written: list[Entry] = []
    for draft in drafts:
        written.append(seal(draft, len(written) + 1, START, written[-1].hash if written else GENESIS))
    return written


STOPPED = (PINNED, intent("stop@ks1"), result("stop@ks1"))
BOTH = (*STOPPED, intent("start@ks1"), result("start@ks1"))
DONE = [deed("stop@ks1", 2), deed("start@ks1", 4)]


def test_a_plain_history_is_sound():
    assert list(judged(entries(*BOTH, ENDED), DONE, {}, frozenset())) == []


@pytest.mark.parametrize(
    ("drafts", "deeds", "said"),
    [
        ((PINNED, intent("start@ks1")), [], "was begun before stop@ks1 was done"),
        (STOPPED, [], "nobody did it"),
        (STOPPED, [deed("stop@ks1", 2), deed("stop@ks1", 3)], "carried out twice"),
        ((PINNED,), [deed("stop@ks1", 1)], "before it was written down"),
        ((*STOPPED, intent("stop@ks1", 2)), DONE[:1], "was done already"),
        ((PINNED, intent("stop@ks1"), intent("stop@ks1", 2)), [], "before anybody knew how it had ended"),
        ((PINNED, result("stop@ks1", "failed")), [], "was not going on"),
        ((*STOPPED, ENDED), DONE[:1], "is done without"),
        ((AWRY,), [], "stands before ['stop@ks1'], for which it waits"),
        ((*BOTH, ENDED, ENDED), DONE, "ended twice"),
        ((*STOPPED, Draft(Kind.PLAN_PINNED, "keystone", "r2", body={"plan": PLAN})), DONE[:1], "of keystone went on"),
        ((*STOPPED[:2], *STOPPED[2:], intent("start@ks1", 1, 0)), DONE[:1], "under epoch 0, after 1"),
        ((Draft(Kind.SUSPENDED), PINNED, intent("stop@ks1")), [], "was suspended"),
        ((Draft(Kind.HALT_CLEARED, body={"id": "h1"}),), [], "did not stand"),
        ((accepted("a"), accepted("b")), [], "does not descend"),
    ],
)
def test_the_model_sees_what_strays(drafts, deeds, said):
    found = list(judged(entries(*drafts), deeds, {"a": "", "b": ""}, frozenset()))

    assert any(said in each for each in found), found


# ---------------------------------------------------------------- two deployments


def test_nothing_is_loaded_or_started_while_the_other_deployment_serves():
    load = deed("load@new1", 2, what="load", beside=("ks1", "ks2"))

    assert [each.partition(" did ")[2] for each in misplaced([load])] == ["load on ks1 while ks1, ks2 served keystone"]
    assert list(misplaced([replace(load, beside=()), replace(load, code=1), replace(load, what="stopped")])) == []


# ---------------------------------------------------------------- leases

KEY = StepKey("r1", "stop@ks1", 1)
OLD_INTENT = (PINNED, intent("stop@ks1", epoch=1))


def taken(epoch: int, leading: int, at: int = 2) -> Taken:
    return Taken("ks1", KEY, epoch, leading, at)


def test_an_order_that_was_under_way_when_the_lease_was_lost_is_found_by_the_next_leader():
    assert list(strayed([taken(1, 2)], entries(*OLD_INTENT))) == []


@pytest.mark.parametrize(
    ("orders", "drafts", "said"),
    [
        ([taken(2, 2), taken(1, 2)], OLD_INTENT, "took"),
        ([taken(3, 2)], OLD_INTENT, "and 2 led"),
        ([taken(1, 2)], (PINNED, intent("stop@ks1", epoch=2)), "not of that daemon's time"),
        ([taken(1, 2, at=3)], (*OLD_INTENT, result("stop@ks1")), "had settled it"),
    ],
)
def test_the_lease_rule_sees_what_strays(orders, drafts, said):
    found = list(strayed(orders, entries(*drafts)))

    assert any(said in each for each in found), found


def test_a_stopped_process_stands_still_while_the_world_goes_on():
    loop, told = VirtualLoop(), []

    async def tick() -> None:
        for _ in range(3):
            await asyncio.sleep(1.0)
            told.append(loop.time())

    context = Context()
    context.run(PROCESS.set, 7)
    task = loop.create_task(tick(), context=context)
    loop.call_later(1.5, loop.stop_process, 7)
    loop.call_later(10.5, loop.continue_process, 7)
    loop.run_until_complete(task)
    loop.close()

    assert told == [1.0, 10.5, 11.5]
