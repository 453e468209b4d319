"""`reconciler schema`: JSON Schemas of files and of what the verbs print, and a database's schema against a release."""

from __future__ import annotations

from pathlib import Path

import typer

from reconciler.cli.output import note, say
from reconciler.cli.schema_diff import diff
from reconciler.errors import ReconcilerError

HELP = "Compare a database with a release; JSON Schemas."

schema = typer.Typer(help=HELP, no_args_is_help=True)


@schema.callback()
def root() -> None:
    """Compare a database with a release, or export JSON Schemas, for editors and for programs."""


schema.command("diff")(diff)


@schema.command("export")
def export(
    folder: Path | None = typer.Argument(None, metavar="[DIR]", help="Where to; none: list the names."),
) -> None:
    """Write every schema into a folder, one file each."""
    files = all_schemas()
    if folder is None:
        for name in files:
            say(name)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReconcilerError(
            f"{folder}: {error.strerror}", reason="Unwritable", hint="Name another folder."
        ) from error
    note(f"{len(files)} schemas written to {folder}")


def all_schemas() -> dict[str, str]:
    """Return file name to text of every schema."""
    from reconciler.catalog.schema import schema_files as catalog_files
    from reconciler.cli.contracts import contract_files
    from reconciler.desired import schema_files

    return dict(sorted({**schema_files(), **catalog_files(), **contract_files()}.items()))
