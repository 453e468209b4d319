"""The real daemon as a child process, and the real command line beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from typer.testing import CliRunner

import reconciler
from reconciler.adapters.journal import SqlJournal
from reconciler.cli import app
from reconciler.errors import JournalError
from tests.integration.daemon.site import Site

ROOT = Path(reconciler.__file__).parent.parent
PATIENCE_S = 30
"""How long what must happen may take; no test measures time."""

Status = Mapping[str, Any]


@dataclass(frozen=True)
class Ran:
    """A verb that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """All that was said, in one line: where a line ends depends on how long a test's folder is."""
        return " ".join(f"{self.out} {self.err}".split())


def environment(**more: str) -> dict[str, str]:
    """Give a child what it needs and nothing of the settings of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RECONCILER_")}
    return kept | {"NO_COLOR": "1"} | more


def cli(site: Site, *words: object, **env: str) -> Ran:
    """Run a verb under a site's settings, in this process: a start of Python each would be most of the time."""
    done = CliRunner().invoke(app, list(map(str, words)), env={"RECONCILER_CONFIG": str(site.config), **env})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def child(site: Site, *words: object, **env: str) -> Ran:
    """Run a verb under a site's settings in a process of its own."""
    env["RECONCILER_CONFIG"] = str(site.config)
    argv = [sys.executable, "-m", "reconciler", *map(str, words)]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment(**env), capture_output=True, text=True, timeout=60, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Daemon:
    """One `reconciler run`; it has `patience_s` for whatever must happen."""

    patience_s: float = PATIENCE_S

    def __init__(self, site: Site, *words: str, **env: str) -> None:
        self.site = site
        self.log_file = site.root / "daemon.log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reconciler", "run", "-c", str(site.config), *words],
                cwd=ROOT,
                env=environment(**env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """What this and earlier daemons of the site said."""
        return self.log_file.read_text()

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def until(self, holds: Callable[[Status], object], what: str = "") -> Status:
        """Wait until the published status fits, and return it."""
        found: Status = {}

        def fits() -> bool:
            nonlocal found
            found = status_of(self.site)
            return bool(found and holds(found))

        self.wait(fits, lambda: f"{what} never came; status {json.dumps(found, indent=1)}")
        return found

    def reached(self, verdict: str) -> Status:
        """Wait until the newest commit is in force, and the service stands so."""
        head = self.site.head
        return self.until(lambda s: s["revision"] == head and s["services"][0]["verdict"] == verdict, verdict)

    def wait(self, holds: Callable[[], object], text: Callable[[], str] = lambda: "never came") -> None:
        """Wait for a condition while the daemon lives."""
        end = time.monotonic() + self.patience_s
        while not holds():
            assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}:\n{self.log[-3000:]}"
            assert time.monotonic() < end, f"{text()}\n{self.log[-3000:]}"
            time.sleep(0.02)


def checked(ran: Ran, contract: str) -> Any:
    """Return the JSON that a verb wrote, after holding it against its schema."""
    schema = json.loads((ROOT / "schemas" / f"{contract}.json").read_text())
    Draft202012Validator(schema).validate(ran.json)
    return ran.json


def status_of(site: Site) -> Status:
    """Read what the daemon published last; empty before."""
    try:
        reader = SqlJournal.reader(f"sqlite:///{site.store}")
    except JournalError:
        return {}
    try:
        found = reader.document("status")
        return found.body if found is not None and isinstance(found.body, dict) else {}
    finally:
        reader.close()
