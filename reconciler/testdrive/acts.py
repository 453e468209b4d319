"""The five acts: what is committed, what the daemon must come to, and what is to be seen."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise

from reconciler.adapters.databases import SqlDatabases
from reconciler.domain.observation import Known
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Run
from reconciler.errors import ReconcilerError
from reconciler.testdrive.follow import Follower, View
from reconciler.testdrive.repository import Repository
from reconciler.testdrive.show import Show
from reconciler.testdrive.site import BEGIN, GOAL, Site

SERVICE_FILE = "services/keystone.yaml"
CONFIG_FILE = "files/keystone/keystone.conf"
CONFIG = "RECONCILER_CONFIG"
BREAK = ("methods = password,token", "methods = token,application_credential")
"""What the bad commit changes: it looks like more safety, and nobody can log in any more."""


class ActError(ReconcilerError):
    """Something came out otherwise than the testdrive promises."""


@dataclass(slots=True)
class Result:
    """What came of a testdrive: the JSON that `--json` prints."""

    advanced: bool = False
    halted: bool = False
    recovered: bool = False
    rolled_back: bool = False
    hops: list[dict[str, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    database: str = ""
    error: str = ""

    @property
    def good(self) -> bool:
        """Tell whether everything went as promised."""
        return self.advanced and self.halted and self.recovered and self.rolled_back and not self.error

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long something takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 1)


@dataclass(slots=True)
class Stage:
    """All that the acts have in hand."""

    site: Site
    repository: Repository
    follower: Follower
    show: Show
    result: Result

    def command(self, *words: str) -> None:
        """Show a command of the operator."""
        self.show.rest()
        self.show.command(words, {**os.environ, CONFIG: str(self.site.settings)})

    def rows(self) -> str:
        """Digest all rows of Keystone's database."""
        seen = asyncio.run(SqlDatabases().fingerprint(self.site.database, self._password()))
        if not isinstance(seen, Known):
            raise ActError(f"the database cannot be read: {seen}", reason="TestdriveFailed")
        return seen.value

    def marker(self) -> str:
        """Word the schema's marker, as its version tables have it."""
        seen = asyncio.run(SqlDatabases().marker(self.site.database, self._password()))
        if not isinstance(seen, Known):
            return "unknown"
        heads = ", ".join(sorted(seen.value.alembic or ()))
        rows = ", ".join(f"{name} {version}" for name, version in sorted((seen.value.migrate or {}).items()))
        return f"alembic {heads}" if heads else f"migrate {rows}"

    def _password(self) -> str | None:
        return self.site.secret("database").read_text() if self.site.database.password else None


def play(stage: Stage) -> None:
    """Play all acts; raises ReconcilerError when one comes out otherwise than promised."""
    day = _today()
    try:
        _play(stage)
    except ReconcilerError as error:
        if _today() == day:
            raise
        text = f"midnight (UTC) has passed, and Keystone wrote the day of its newest login into a row; so: {error}"
        raise ActError(text, reason="TestdriveFailed", hint="start again: this happens once a day") from error


def _today() -> date:
    return datetime.now(UTC).date()


def _play(stage: Stage) -> None:
    began = stage.repository.head()
    with stage.result.timed("begin"):
        _begin(stage, began)
    before = stage.rows()
    with stage.result.timed("advance"):
        advance = _advance(stage)
    with stage.result.timed("halt"):
        broken = _halt(stage)
    with stage.result.timed("recover"):
        _recover(stage, broken)
    with stage.result.timed("roll_back"):
        _roll_back(stage, advance, before)


def _begin(stage: Stage, commit: str) -> None:
    stage.show.title(f"Act 1: the fleet at {BEGIN}")
    view = stage.follower.until(commit, "InSync")
    _expect(view.service["position"] == BEGIN, f"the fleet is at {view.service['position']}, not at {BEGIN}")
    stage.command("status")
    stage.show.line(f"schema: {stage.marker()}")


def _advance(stage: Stage) -> str:
    stage.show.title(f'Act 2: a commit says `release: "{GOAL}"`')
    stage.command("route", "keystone", BEGIN, GOAL, "--policy", "offline")
    text = stage.repository.read(SERVICE_FILE).replace(f"release: {BEGIN}", f'release: "{GOAL}"')
    commit = stage.repository.commit({SERVICE_FILE: text}, f"Keystone: advance to {GOAL}\n")
    view = stage.follower.until(commit, "InSync")
    stage.show.rest()
    run = _newest(view)
    stage.result.hops = _hops(run)
    _expect(view.service["position"] == GOAL, f"the fleet is at {view.service['position']}, not at {GOAL}")
    stage.result.advanced = True
    stage.show.line(f"schema: {stage.marker()}")
    stage.show.line(f"{BEGIN} to {GOAL}, every host verified", "bold green")
    return commit


def _halt(stage: Stage) -> str:
    stage.show.title("Act 3: a commit breaks the configuration; the canary finds out")
    text = stage.repository.read(CONFIG_FILE).replace(*BREAK)
    commit = stage.repository.commit({CONFIG_FILE: text}, "Keystone: harden the ways to log in\n")
    view = stage.follower.until(commit, "Halted")
    run = _newest(view)
    halt = view.history.halts[0]
    _expect(halt.reason == Reason.CANARY_FAILED, f"halted for {halt.reason}, not by the canary")
    _expect(run.ended == "backed_out", f"the run ended {run.ended}, not backed out")
    others = [step.host for step in run.plan.steps if step.wave and run.attempted(step.id) and step.phase == "roll"]
    _expect(not others, f"the broken configuration reached {', '.join(others)}")
    stage.result.halted = True
    stage.command("status")
    stage.show.line("stopped at the canary and backed out; no other host saw it", "bold green")
    return commit


def _recover(stage: Stage, broken: str) -> None:
    stage.show.title("Act 4: its revert")
    view = stage.follower.until(stage.repository.revert(broken), "InSync")
    _expect(not view.history.halts, "the halt still stands")
    stage.result.recovered = True
    stage.show.line("in sync again; a new commit was the answer to the halt", "bold green")


def _roll_back(stage: Stage, advance: str, before: str) -> None:
    stage.show.title(f"Act 5: a revert of the advance, back to {BEGIN}")
    view = stage.follower.until(stage.repository.revert(advance), "InSync")
    stage.show.rest()
    _expect(view.service["position"] == BEGIN, f"the fleet is at {view.service['position']}, not at {BEGIN}")
    stage.show.line(f"schema: {stage.marker()}")
    _expect(stage.rows() == before, "the database is not what it was")
    stage.result.rolled_back = True
    stage.show.line(f"back at {BEGIN}; every row of the database is what it was before act 2", "bold green")


def _newest(view: View) -> Run:
    return view.history.runs[-1]


def _hops(run: Run) -> list[dict[str, str]]:
    stops = run.plan.services[0].route
    return [{"from": start, "to": goal} for start, goal in pairwise(stops)]


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ActError(otherwise, reason="TestdriveFailed", hint="read the journal with `reconciler history`")
