"""`reconciler run`: the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, Output
from reconciler.cli.status import write_status


def run(
    once: bool = typer.Option(
        False, "--once", help="Pass until nothing runs and nothing may start; exit 0 if everything is in sync, else 1."
    ),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Run the daemon.

    It brings the fleet to its desired state, pass after pass. SIGTERM ends it and lets running steps go on on the
    hosts; the next one goes on where things stand. While another daemon holds the store, this one stands by.
    """
    settings = world.settings_from(config)
    from reconciler.app import open_daemon
    from reconciler.standby import lead

    if not once:
        asyncio.run(lead(settings))
        return
    daemon = open_daemon(settings)
    report = asyncio.run(daemon.run_once())
    write_status({**world.document(settings, "status"), "remaining": []}, output)
    raise typer.Exit(0 if report.in_sync else 1)
