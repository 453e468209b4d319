"""The list of verbs. A verb's module stays light: what talks to the world is imported when the verb runs."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from reconciler import __version__
from reconciler.cli import (
    backups,
    catalog,
    check,
    diff,
    enrol,
    events,
    history,
    identify,
    observe,
    orders,
    plan,
    rollback,
    route,
    run,
    schema,
    status,
    testdrive,
    validate,
    web,
    why,
)
from reconciler.cli.output import show_error
from reconciler.errors import ReconcilerError

INTERRUPTED = 130


class Verbs(TyperGroup):
    """The one error boundary: whatever was wrong with the input becomes a sentence and a hint, never a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - click is part of typer or beside it, by version
        """Run one verb."""
        try:
            return super().invoke(ctx)
        except ReconcilerError as error:
            show_error(error)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    name="reconciler",
    cls=Verbs,
    help="Move a fleet of machines from release to release, one safe hop at a time.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconciler {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Move a fleet of machines from release to release, one safe hop at a time."""


app.command("run")(run.run)
app.command("web")(web.web)
app.command("status")(status.status)
app.command("plan")(plan.plan)
app.command("diff")(diff.diff)
app.command("why")(why.why)
app.command("events")(events.events)
app.command("history")(history.history)
app.command("backups")(backups.backups)
app.command("route")(route.route)
app.command("identify")(identify.identify)
app.command("observe")(observe.observe)
app.command("validate")(validate.validate)
app.command("suspend")(orders.suspend)
app.command("resume")(orders.resume)
app.command("retry")(orders.retry)
app.command("approve")(orders.approve)
app.command("rehearse")(orders.rehearse)
app.command("clear-halt")(orders.clear_halt)
app.command("abandon")(orders.abandon)
app.command("accept-history")(orders.accept_history)
app.command("rollback")(rollback.rollback)
app.command("enrol")(enrol.enrol)
app.command("check")(check.check)
app.add_typer(schema.schema, name="schema")
app.add_typer(catalog.catalog, name="catalog")
app.command("testdrive")(testdrive.testdrive)
