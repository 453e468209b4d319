"""What is published, on a fleet in memory, held against the contracts."""

from __future__ import annotations

import json
from typing import Any

from reconciler.domain.plan import Json
from reconciler.domain.verdict import State
from reconciler.errors import JournalError
from reconciler.planning.plan_json import plans_to_json
from reconciler.planning.status_json import previews_from_json
from reconciler.web.board import Board
from reconciler.web.publish import DIFF, PLANS, STATUS, Publisher
from tests.cli.conftest import conforms
from tests.scenarios.stage import BROKEN_CONFIG, Stage


class Shelf:
    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.writes = 0
        self.full = False

    def put_document(self, name: str, body: Json) -> None:
        if self.full:
            raise JournalError("the disk is full", reason="JournalUnwritable")
        self.kept[name] = json.loads(json.dumps(body))
        self.writes += 1


def publisher(stage: Stage) -> Publisher:
    return Publisher(Shelf(), stage.memory, Board(stage.clock.now()))


async def test_a_halted_fleet_is_published_by_the_contracts():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1", config=BROKEN_CONFIG)
    publish = publisher(stage)
    seen = set()
    for _ in range(400):
        report = await stage.pass_once()
        await publish(report)
        kept = publish.documents.kept
        status = conforms("status", json.dumps({**kept[STATUS], "remaining": []}))
        seen.add(status["services"][0]["verdict"])
        if PLANS in kept:
            conforms("plan", json.dumps(plans_to_json(previews_from_json(kept[PLANS]))))
        if status["services"][0]["verdict"] == "Halted" and not stage.memory.executor.tasks:
            break
        await stage.step()
    conforms("diff", json.dumps(kept[DIFF]))
    assert {"Progressing", "Halted"} <= seen
    assert status["halts"][0]["reason"] == "CanaryFailed"
    assert status["halts"][0]["scope"] == status["services"][0]["group"]
    assert status["services"][0]["hint"]


async def test_since_is_when_the_verdict_began_and_survives_a_restart():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    first = publisher(stage)
    await first(await stage.pass_once())
    since = first.documents.kept[STATUS]["services"][0]["since"]
    await stage.clock.advance(1000)
    await stage.kill()
    stage.start()
    await stage.until(State.IN_SYNC)
    second = publisher(stage)
    second.recall(first.documents.kept[STATUS])
    await second(await stage.pass_once())
    assert second.documents.kept[STATUS]["services"][0]["since"] == since


async def test_what_does_not_change_is_not_written_again_but_for_the_heartbeat():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    publish = publisher(stage)
    await publish(await stage.pass_once())
    writes = publish.documents.writes
    await publish(await stage.pass_once())
    assert publish.documents.writes == writes
    await stage.clock.advance(31)
    await publish(await stage.pass_once())
    assert publish.documents.writes == writes + 1


async def test_a_store_that_cannot_be_written_is_shown_and_forgiven():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    publish = publisher(stage)
    publish.documents.full = True
    await publish(await stage.pass_once())
    assert publish.board.store_problem == "the disk is full"
    publish.documents.full = False
    await publish(await stage.pass_once())
    assert publish.board.store_problem == ""
    assert STATUS in publish.documents.kept


async def test_a_pass_that_could_not_write_counts_until_the_store_takes_something():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    publish = publisher(stage)
    await publish(await stage.pass_once())
    publish.unwritten(JournalError("the disk is full", reason="JournalUnwritable"))
    publish.documents.full = True
    await publish(await stage.pass_once())
    assert publish.board.store_problem == "the disk is full"
    publish.documents.full = False
    writes = publish.documents.writes
    await publish(await stage.pass_once())
    assert (publish.board.store_problem, publish.documents.writes) == ("", writes + 1)
