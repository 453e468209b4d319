"""An operator's command is being carried out: the daemon is killed before and after each entry that it writes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.adapters.journal import SqlJournal
from reconciler.domain.journal import Command, Entry
from tests.faults.cases import Case, same, stands
from tests.faults.ground import PATIENCE_S, End, Ground, verdict_of
from tests.integration.daemon.daemon import Daemon, Status, cli

WHY = "an operator of the matrix said so"
SUSPENSION = ("suspend", "demo", "--why", "let me look first")
APPROVALS = "fleet:\n  approvals: {leg: 1}\n"

Words = tuple[str, ...]
Going = Callable[[Ground, Daemon, End], None]


@dataclass(frozen=True)
class Told:
    """A command: `ready` brings a daemon to where it makes sense and returns its subject; `after` is how it goes on."""

    verb: str
    kinds: tuple[str, ...]
    ready: Callable[[Ground, Daemon], Words]
    after: Going

    def cases(self) -> list[Case]:
        """Kill before and after each kind of entry."""
        return [killed_at(self, kind, side) for kind in self.kinds for side in ("before", "after")]


def killed_at(told: Told, kind: str, side: str) -> Case:
    """Kill the daemon in mid-command: it was carried out whole or not at all, and the next daemon sees to the rest."""

    def run(ground: Ground, undisturbed: End) -> None:
        daemon = ground.daemon(f"{kind}.{side}")
        words = told.ready(ground, daemon)
        assert cli(ground.site, told.verb, *words, "--why", WHY, "--wait", "0").code == 0
        assert daemon.process.wait(PATIENCE_S) == -signal.SIGKILL, "the boundary was not reached"
        assert written(ground) == ([*told.kinds] if side == "after" else [])
        assert len(unanswered(ground)) == (0 if side == "after" else 1)
        following = ground.daemon()
        ground.await_(lambda: not unanswered(ground), "the answer")
        told.after(ground, following, undisturbed)
        assert written(ground) == [*told.kinds], "the command was carried out more than once"

    return Case(f"killed-in-command {told.verb} {kind}.{side}", run)


def written(ground: Ground) -> list[str]:
    """List the kinds of the entries that the command wrote."""
    return [each.kind for each in entries(ground) if each.body.get("why") == WHY]


def entries(ground: Ground) -> tuple[Entry, ...]:
    """Read the journal."""
    reader = SqlJournal.reader(f"sqlite:///{ground.site.store}")
    try:
        return tuple(reader.read())
    finally:
        reader.close()


def unanswered(ground: Ground) -> tuple[Command, ...]:
    """Read the commands that wait."""
    reader = SqlJournal.reader(f"sqlite:///{ground.site.store}")
    try:
        return tuple(reader.commands())
    finally:
        reader.close()


# ---------------------------------------------------------------- where a command makes sense


def _migrating(ground: Ground, daemon: Daemon) -> Words:
    ground.site.hold.touch()
    ground.await_(lambda: "begin two" in ground.site.ledger(), "the migration")
    return ("demo",)


def _suspended(ground: Ground, daemon: Daemon) -> Words:
    """Suspend in mid-migration and let what runs come to its end."""
    _migrating(ground, daemon)
    assert cli(ground.site, *SUSPENSION).code == 0
    ground.site.hold.unlink()
    ground.await_(lambda: _settled(ground), "the end of what ran")
    return ("demo",)


def _suspended_run(ground: Ground, daemon: Daemon) -> Words:
    _suspended(ground, daemon)
    return (next(each.run for each in entries(ground) if each.kind == "plan_pinned"),)


def _settled(ground: Ground) -> bool:
    kinds = [each.kind for each in entries(ground)]
    return kinds.count("intent") == kinds.count("result")


def _waiting_for_a_yes(ground: Ground, daemon: Daemon) -> Words:
    ground.site.push({**ground.files("two"), "fleet.yaml": _asking(ground)})
    daemon.until(lambda s: s["revision"] == ground.site.head and _waits(s), "the question")
    return ("demo",)


def _asking(ground: Ground) -> str:
    return ground.files("two")["fleet.yaml"].replace("fleet:\n", APPROVALS, 1)


def _waits(status: Status) -> bool:
    return bool(status["services"]) and status["services"][0]["reason"] == "ApprovalMissing"


def _taken_back(ground: Ground, daemon: Daemon) -> Words:
    """Kill the schema tool, and wait until the leg is taken back."""
    _migrating(ground, daemon)
    ground.kill_the_tool()
    ground.site.hold.unlink()
    ground.halted(daemon)
    ground.await_(lambda: ground.open_runs() == 0, "the end of the way back")
    return ("demo",)


def _halt_of_one_taken_back(ground: Ground, daemon: Daemon) -> Words:
    _taken_back(ground, daemon)
    return (ground.halted(daemon),)


def _rewritten(ground: Ground, daemon: Daemon) -> Words:
    _migrating(ground, daemon)
    fleet = ground.files("two")["fleet.yaml"] + "# begun anew\n"
    ground.site.push({**ground.files("two"), "fleet.yaml": fleet}, rewrite=True)
    daemon.until(lambda s: s["source"]["problem"] == "HistoryRewritten", "the doubt")
    return (ground.site.head,)


# ---------------------------------------------------------------- how it goes on


def _stays_suspended(ground: Ground, daemon: Daemon, undisturbed: End) -> None:
    ground.site.hold.unlink()
    ground.await_(lambda: _settled(ground), "the end of what ran")
    daemon.until(lambda s: verdict_of(s) == "Suspended", "the suspension")
    assert cli(ground.site, "resume", "demo").code == 0
    _to_the_end(ground, daemon, undisturbed)


def _to_the_end(ground: Ground, daemon: Daemon, undisturbed: End) -> None:
    ground.site.hold.unlink(missing_ok=True)
    ground.in_sync(daemon)
    same(ground, undisturbed)


def _again(ground: Ground, daemon: Daemon, undisturbed: End) -> None:
    ground.in_sync(daemon)
    stands(ground, undisturbed)


def _still_held(ground: Ground, daemon: Daemon, undisturbed: End) -> None:
    daemon.until(lambda s: not s["halts"] and verdict_of(s) == "Blocked", "the hold")
    ground.retried(daemon)
    stands(ground, undisturbed)


def _planned_anew(ground: Ground, daemon: Daemon, undisturbed: End) -> None:
    assert ground.open_runs() == 0
    assert cli(ground.site, "resume", "demo").code == 0
    ground.retried(daemon)
    stands(ground, undisturbed)


TOLD = [
    Told("suspend", ("suspended",), _migrating, _stays_suspended),
    Told("resume", ("resumed",), _suspended, _to_the_end),
    Told("approve", ("approved",), _waiting_for_a_yes, _to_the_end),
    Told("retry", ("halt_cleared", "hold_released"), _taken_back, _again),
    Told("clear-halt", ("halt_cleared",), _halt_of_one_taken_back, _still_held),
    Told("abandon", ("run_ended",), _suspended_run, _planned_anew),
    Told("accept-history", ("history_accepted",), _rewritten, _to_the_end),
]


def killed_in_commands(*, full: bool) -> list[Case]:
    """List the cases, or of each command one: before and after by turns, for all are written by the same code."""
    return [each for n, told in enumerate(TOLD) for each in (told.cases() if full else told.cases()[n % 2 :][:1])]
