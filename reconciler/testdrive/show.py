"""Shows a testdrive: one line per thing that happened; on a terminal also what is being done just now."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status

from reconciler.cli.output import plain
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Step
from reconciler.domain.run import History, Run


@dataclass(slots=True)
class Show:
    """Writes to a terminal or a pipe. Times are seconds since the testdrive began."""

    console: Console
    began: float = field(default_factory=time.monotonic)
    spinner: Status | None = None

    def title(self, text: str) -> None:
        """Begin a part."""
        self.console.print()
        self.console.print(plain(text), style="bold cyan")

    def line(self, text: str, style: str = "") -> None:
        """Write what happened."""
        self.console.print(f"[dim]{time.monotonic() - self.began:6.1f}[/]  {plain(text)}", style=style or None)

    def begin(self, text: str) -> None:
        """Write what begins, and say that it is under way."""
        self.line(text)
        self.doing(text)

    def text(self, text: str) -> None:
        """Write what explains."""
        self.console.print(plain(text), style="dim")

    def command(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """Run a command of ours as a person would, and show what it says."""
        argv = (sys.executable, "-m", "reconciler", *words)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=dict(environment))
        self.console.print(f"        [bold]$ reconciler {plain(' '.join(words))}[/]")
        for line in (done.stdout + done.stderr).splitlines():
            self.console.print(plain(f"        {line}"))

    def doing(self, text: str) -> None:
        """Say what is under way; only a terminal shows it."""
        if not self.console.is_terminal:
            return
        if self.spinner is None:
            self.spinner = self.console.status("")
            self.spinner.start()
        self.spinner.update(plain(text))

    def rest(self) -> None:
        """Say that nothing is under way."""
        if self.spinner is not None:
            self.spinner.stop()
            self.spinner = None

    def heard(self, entry: Entry, history: History) -> None:
        """Show an entry of the journal."""
        run = next((run for run in history.runs if run.id == entry.run), None)
        match entry.kind:
            case Kind.REVISION_ACCEPTED:
                title = (str(entry.body["message"]).splitlines() or [""])[0]
                self.line(f"accepted  {str(entry.body['revision'])[:8]}  {title}")
            case Kind.PLAN_PINNED if run is not None:
                self.line(_plan_line(run))
            case Kind.RESULT if run is not None:
                self._result(entry, run)
            case Kind.HALT_RAISED:
                self.line(f"HALTED  {entry.body['reason']}: {entry.body['text']}", "bold red")
            case Kind.TURNED_BACK:
                self.line("turning back: only the canary has moved", "magenta")
            case Kind.HALT_CLEARED:
                self.line(f"halt {entry.body['id']} cleared by {entry.body['by']}: {entry.body['why']}", "green")
            case Kind.RUN_ENDED:
                self.line(f"run {entry.run} ended: {entry.body['result']}", "bold")
        if run is not None:
            self.doing(_under_way(run))

    def _result(self, entry: Entry, run: Run) -> None:
        step = _step(run, entry.step)
        attempt = next((a for a in run.attempts[entry.step] if a.number == entry.body["attempt"]), None)
        took = (entry.at - attempt.at).total_seconds() if attempt else 0.0
        good = attempt is not None and isinstance(attempt.outcome, Done)
        text = f"{'ok' if good else 'FAILED':6}  {_where(step):19}  {step.title}"
        self.line(f"{text}  ({took:.1f} s)", "" if good else "red")


def _plan_line(run: Run) -> str:
    ways = [f"{route.service} {' > '.join(route.route)}" for route in run.plan.services]
    what = "back" if run.plan.direction == "back" else "refresh" if len(run.plan.services[0].route) == 1 else "advance"
    return f"plan {run.plan.id}: {what}, {', '.join(ways)}, {len(run.plan.steps)} steps"


def _step(run: Run, step_id: str) -> Step:
    return next(step for step in (*run.plan.steps, *(run.back or ())) if step.id == step_id)


def _where(step: Step) -> str:
    wave = "" if step.wave is None else " canary" if step.wave == 0 else f" wave {step.wave}"
    return f"{step.phase}{wave} {step.host or 'daemon'}"


def _under_way(run: Run) -> str:
    running = [step for step in run.steps if (last := run.last(step.id)) is not None and last.outcome is None]
    return "; ".join(f"{step.title} on {step.host}" if step.host else step.title for step in running[:3])
