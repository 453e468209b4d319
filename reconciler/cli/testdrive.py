"""`reconciler testdrive`: a whole journey on this machine, without root and without touching anything else."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import typer

from reconciler.cli.output import usage


class Engine(StrEnum):
    """The kinds of database."""

    MARIADB = "mariadb"
    SQLITE = "sqlite"


def testdrive(
    keep: bool = typer.Option(False, "--keep", help="Leave everything running, and say what to try next."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object on stdout, and the rest on stderr."),
    database: Engine | None = typer.Option(None, help="Which database; none: MariaDB where it is installed."),
    stop: Path | None = typer.Option(None, metavar="FOLDER", help="Stop and remove a testdrive that was kept."),
) -> None:
    """See a whole journey on this machine.

    A real Keystone walks from Yoga to 2026.1 over real SSH, is stopped by a bad commit, and goes back by a revert.
    """
    from reconciler import testdrive as drive

    if stop is None:
        raise typer.Exit(drive.main(drive.Wishes(keep=keep, json=json, engine=str(database or ""))))
    if drive.stop(stop) != 0:
        usage(f"{stop} is no folder of a testdrive")
