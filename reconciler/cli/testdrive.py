"""`reconciler testdrive`: a whole journey on this machine, without root and without touching anything else."""

from __future__ import annotations

from pathlib import Path

import typer


def testdrive(
    keep: bool = typer.Option(False, "--keep", help="Leave folder and hosts to explore, and say what to try next."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object at the end."),
    folder: Path | None = typer.Option(None, "--dir", help="Where to work; none: a new folder below the cache."),
) -> None:
    """See a whole journey on this machine.

    A real Keystone walks from Yoga to 2026.1 over real SSH, is stopped by a bad commit, and goes back by a revert.
    """
    from importlib import import_module

    raise typer.Exit(int(import_module("reconciler.testdrive").main(keep=keep, json=json, folder=folder)))
