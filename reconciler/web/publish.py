"""Tells the world what a pass found: documents in the store, metrics, and one log line per changed verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from reconciler.domain.age import is_older
from reconciler.domain.plan import Json
from reconciler.domain.reason import ENDING
from reconciler.domain.stall import Stalled
from reconciler.domain.verdict import Report, State
from reconciler.errors import JournalError
from reconciler.execution.memory import Memory
from reconciler.planning.exposure import bound
from reconciler.planning.preview import Preview, preview_of
from reconciler.planning.scene import Scene
from reconciler.planning.status_json import diff_to_json, moment, previews_to_json, status_to_json
from reconciler.web.board import Board

log = structlog.get_logger()

STATUS, DIFF, PLANS = "status", "diff", "plans"
"""The documents in the store; the command line reads them."""

NEEDS_A_PERSON = frozenset({State.BLOCKED, State.HALTED})

HEARTBEAT = timedelta(seconds=30)
"""How old the status in the store may get while nothing changes; from its age people see that the daemon lives."""

AGES = timedelta(minutes=5)
"""How old the times in the store may get at which targets were seen, while these stay as they are."""


class Documents(Protocol):
    """Where documents are kept."""

    def put_document(self, name: str, body: Json) -> None:
        """Keep a document, in place of the older one of its name."""
        ...


@dataclass(slots=True)
class Publisher:
    """Publishes reports. `board` is what the web server shows."""

    documents: Documents
    memory: Memory
    board: Board
    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)  # group to state and reason
    since: dict[str, datetime] = field(default_factory=dict)
    written: dict[str, object] = field(default_factory=dict)
    stalls: frozenset[tuple[Stalled, str, str]] = frozenset()
    wrote_at: datetime | None = None
    compared_at: datetime | None = None

    def recall(self, status: Mapping[str, Any]) -> None:
        """Take over from the status that an earlier daemon left since when each verdict has held."""
        for each in status.get("services", ()):
            if each.get("since") and each.get("verdict"):
                self.verdicts[each["group"]] = (each["verdict"], each["reason"])
                self.since[each["group"]] = datetime.fromisoformat(each["since"])

    async def __call__(self, report: Report) -> None:
        """Publish one report."""
        self._note_verdicts(report)
        self._note_problems(report)
        self._note_stalls(report)
        try:
            self._write(report)
            self.board.store_problem = ""
        except JournalError as error:
            if error.reason in ENDING:
                raise
            self.unwritten(error)
            log.warning("store", reason=error.reason, text=str(error), hint=error.hint)
        self.board.put(report)

    def unwritten(self, error: JournalError) -> None:
        """Show that the store took nothing; the next report is written whatever it says, and tells whether it does."""
        self.board.store_problem = str(error)
        self.wrote_at = None

    def _note_verdicts(self, report: Report) -> None:
        for decision in report.decisions:
            verdict = decision.verdict
            new = (str(verdict.state), verdict.reason)
            if self.verdicts.get(verdict.group) != new:
                self.verdicts[verdict.group] = new
                self.since[verdict.group] = report.at
                note = log.warning if verdict.state in NEEDS_A_PERSON else log.info
                note("verdict", group=verdict.group, state=new[0], reason=new[1], text=verdict.text)

    def _note_problems(self, report: Report) -> None:
        problems = [(each.reason, each.text) for each in report.problems]
        if self._changed("problems", problems):
            for reason, text in problems:
                log.warning("refused", reason=reason, text=text, head=report.source.head)

    def _note_stalls(self, report: Report) -> None:
        """Log what begins to stand still and what moves again; kind and cause make a stall, not its wording.

        Of the source, which is no group's, whoever fetches it logs.
        """
        now = {(each.kind, each.group, each.reason): each for each in report.stalls if each.group}
        for key, stall in now.items():
            if key not in self.stalls:
                owner = str(stall.owner)
                log.warning(
                    "stall", kind=str(stall.kind), group=stall.group, owner=owner, text=stall.text, hint=stall.hint
                )
        for kind, group, reason in self.stalls - set(now):
            log.info("stall is over", kind=str(kind), group=group, reason=reason)
        self.stalls = frozenset(now)

    def _write(self, report: Report) -> None:
        old = self.wrote_at is None or is_older(self.wrote_at, HEARTBEAT, report.at)
        status = status_to_json(report, self.since)
        if self._changed(STATUS, {**status, "at": ""}) or old:
            self.documents.put_document(STATUS, status)
            self.wrote_at = report.at
        if report.desired is not None and report.positions:
            stale = self.compared_at is None or is_older(self.compared_at, AGES, report.at)
            if self._changed(DIFF, (report.revision, report.positions)) or stale:
                diff = diff_to_json(report.revision, report.desired, report.positions, report.observations)
                self.documents.put_document(DIFF, {**diff, "at": moment(report.at)})
                self.compared_at = report.at
        if self._changed(PLANS, [(d.verdict.group, d.plan.id if d.plan else "") for d in report.decisions]):
            self.documents.put_document(PLANS, previews_to_json(self._previews(report)))

    def _changed(self, name: str, value: object) -> bool:
        changed = self.written.get(name) != value
        self.written[name] = value
        return changed

    def _previews(self, report: Report) -> list[Preview]:
        read = self.memory.read
        if read is None or read.desired is None or read.catalog is None:
            return []
        scene = Scene(desired=read.desired, catalog=read.catalog, history=report.history, now=report.at)
        scene = bound(scene, report.observations)
        return [preview_of(d.verdict.group, d.plan, scene) for d in report.decisions]
