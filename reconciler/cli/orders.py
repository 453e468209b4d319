"""The verbs that change something: they leave a command in the store, and the daemon carries it out and answers."""

from __future__ import annotations

from pathlib import Path

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, note, say
from reconciler.errors import ReconcilerError

Why = typer.Option("", "--why", help="The reason, for the journal.")
Needed = typer.Option(..., "--why", help="The reason, for the journal and for whoever comes next.")
Wait = typer.Option(15.0, "--wait", min=0, help="Seconds to wait for the daemon's answer.")
Scope = typer.Argument("", metavar="[SERVICE]", help="A service or group; none means the whole fleet.")


def suspend(scope: str = Scope, why: str = Needed, wait: float = Wait, config: Path | None = Config) -> None:
    """Start nothing more of a service or the fleet.

    Running steps go on, and looking too.
    """
    _order("suspend", scope, why, wait, config)


def resume(scope: str = Scope, why: str = Why, wait: float = Wait, config: Path | None = Config) -> None:
    """End a suspension that was made by command."""
    _order("resume", scope, why, wait, config)


def retry(
    service: str = typer.Argument(help="A service or group of which something failed."),
    why: str = Why,
    wait: float = Wait,
    config: Path | None = Config,
) -> None:
    """Try again what failed.

    Clears the halts of the service and releases its hold.
    """
    _order("retry", service, why, wait, config)


def approve(
    plan: str = typer.Argument(metavar="PLAN", help="The plan's id, as `status` shows it; or its group or service."),
    wave: int = typer.Option(0, "--wave", min=0, help="Say yes to this wave alone; 0: to the leg."),
    why: str = Needed,
    wait: float = Wait,
    config: Path | None = Config,
) -> None:
    """Say yes to a plan, or to one of its waves.

    It counts for this plan alone: another one, made for newer inputs, needs another yes.
    """
    _order("approve", f"{plan}/{wave}" if wave else plan, why, wait, config)


def rehearse(
    service: str = typer.Argument(help="The service whose walk is rehearsed."),
    why: str = Why,
    wait: float = Wait,
    config: Path | None = Config,
) -> None:
    """Walk copies of a service's databases to its goal.

    By the steps of the leg to come, on the scratch databases that git names; what serves is not touched.
    """
    _order("rehearse", service, why, wait, config)


def clear_halt(
    halt: str = typer.Argument(metavar="ID", help="The halt's id, as `status` shows it."),
    why: str = Why,
    wait: float = Wait,
    config: Path | None = Config,
) -> None:
    """End a halt.

    What failed stays held until `retry` or a commit that changes it.
    """
    _order("clear-halt", halt, why, wait, config)


def abandon(
    run: str = typer.Argument(metavar="RUN", help="The run's id, as `status` shows it."),
    why: str = Needed,
    wait: float = Wait,
    config: Path | None = Config,
) -> None:
    """Give a leg up that can go neither on nor back.

    The last resort, when the bootstrap host is lost with the backup set. The daemon stops, starts and undoes nothing;
    it looks at the fleet anew, and nothing leads back over this leg any more. Of a run that hosts alone know of
    (JournalBehind) it says that the journal which began it is lost.
    """
    _order("abandon", run, why, wait, config)


def accept_history(
    commit: str = typer.Argument(metavar="COMMIT", help="The whole id of the newest commit, to follow it from now on."),
    why: str = Why,
    wait: float = Wait,
    config: Path | None = Config,
) -> None:
    """Follow a history that was rewritten."""
    if len(commit) != 40 or not set(commit) <= set("0123456789abcdef"):
        raise typer.BadParameter("COMMIT must be a whole commit id: 40 hexadecimal digits")
    _order("accept-history", commit, why, wait, config)


def _order(verb: str, subject: str, why: str, wait_s: float, config: Path | None) -> None:
    if not why.strip() and verb in {"suspend", "approve", "abandon"}:
        raise typer.BadParameter("--why must say why")
    answer = world.order(world.settings_from(config), verb, subject, why, wait_s)
    if answer is None:
        note("No daemon has answered yet. The command is kept; the next daemon to run carries it out.")
    elif answer.startswith("refused: "):
        raise ReconcilerError(answer, reason="Refused", hint="`reconciler status` shows how things stand.")
    else:
        say(answer)
