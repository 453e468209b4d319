"""Old and new release of a real Keystone serve side by side, until the schema is contracted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.domain.verdict import Report, State
from tests.openstack.fleet import Fleet

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1200)]

Sight = tuple[dict[str, str], list[bool], frozenset[str]]


def others_wait(run: Run) -> bool:
    """Tell whether the canary was started, and no other host was touched."""
    roll = [step for step in run.plan.steps if step.phase is Phase.ROLL]
    started = [step for step in roll if step.wave == 0 and step.args.get("state") == "started"]
    return run.done(started[0].id) and not any(run.attempted(step.id) for step in roll if step.wave != 0)


@asynccontextmanager
async def asking(fleet: Fleet) -> AsyncIterator[list[list[bool]]]:
    """Ask every host for a token, again and again."""
    rounds: list[list[bool]] = []

    async def ask() -> None:
        while True:
            rounds.append(await fleet.tokens())
            await asyncio.sleep(0.5)

    task = asyncio.create_task(ask())
    try:
        yield rounds
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_both_releases_serve_until_the_point_of_no_return(fleet: Fleet) -> None:
    beside: dict[str, Sight] = {}

    async def look(report: Report) -> None:
        run = report.history.open_run("keystone")
        if run is None or run.plan.services[0].goal in beside or not others_wait(run):
            return
        while not (await fleet.tokens())[0]:
            await asyncio.sleep(0.2)
        beside[run.plan.services[0].goal] = (fleet.running(), await fleet.tokens(), fleet.heads())

    fleet.at_pass = look
    async with asking(fleet) as rounds:
        merge = fleet.commit(release="2024.1", procedure="zero-downtime", policy="supported")
        await fleet.until(State.IN_SYNC)
    everybody = [True, True]
    assert beside == {
        "2023.1": (
            {"ks1": "2023.1", "ks2": "yoga"},
            everybody,
            {"29e87d24a316"},
        ),
        "2024.1": (
            {"ks1": "2024.1", "ks2": "2023.1"},
            everybody,
            {"47147121", "e25ffa003242"},
        ),
    }
    assert fleet.moves() == [("yoga", "2023.1"), ("2023.1", "2024.1")]
    assert fleet.heads() == {"47147121", "c88cdce8f248"}
    assert len(rounds) > 10
    assert [number for number, answers in enumerate(rounds) if not any(answers)] == [], "somebody always serves"

    fleet.revert(merge)
    verdict = await fleet.until(State.BLOCKED, "BeyondNoReturn")
    assert "contract the schema of main with 2024.1's code was done" in verdict.text
    assert fleet.running() == dict.fromkeys(("ks1", "ks2"), "2024.1")
    assert fleet.heads() == {"47147121", "c88cdce8f248"}
    assert await fleet.tokens() == everybody
