"""The list of verbs. A verb's module stays light: what talks to the world is imported when the verb runs."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from reconciler import __version__
from reconciler.cli import identify, plan, route, validate
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


app.command("route")(route.route)
app.command("identify")(identify.identify)
app.command("validate")(validate.validate)
app.command("plan")(plan.plan)
