"""`reconciler run`: the daemon."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, Output, show_error
from reconciler.cli.status import write_status
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError

if TYPE_CHECKING:
    from reconciler.settings import Settings


def run(
    once: bool = typer.Option(
        False, "--once", help="Pass until nothing runs and nothing may start; exit 0 if everything is in sync, else 1."
    ),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Run the daemon.

    It brings the fleet to its desired state, pass after pass. SIGTERM ends it and lets running steps go on on the
    hosts; the next one goes on where things stand. SIGHUP lets it begin anew with the settings as they are then, if
    they are right. While another daemon holds the store, this one stands by.
    """
    settings = world.settings_from(config)
    from reconciler.app import open_daemon
    from reconciler.standby import lead

    with _no_word_more_to_a_failed_disk():
        if not once:
            newer: Settings | None = settings
            while newer is not None:
                newer = asyncio.run(lead(newer, lambda: world.settings_from(config)))
            return
        report = asyncio.run(open_daemon(settings).run_once())
    write_status({**world.document(settings, "status"), "remaining": []}, output)
    raise typer.Exit(0 if report.in_sync else 1)


@contextmanager
def _no_word_more_to_a_failed_disk() -> Iterator[None]:
    """End at once when the disk failed under the store: in an orderly end SQLite would close it, and sync it again."""
    try:
        yield
    except JournalError as error:
        if error.reason != Reason.JOURNAL_DISK_FAILED:
            raise
        show_error(error)
        sys.stderr.flush()
        os._exit(1)
