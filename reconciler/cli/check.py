"""`reconciler check --pre`: whether a daemon could work here, before one is started."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Folder, Format, Output, add_row, print_lines, table, usage, write_data
from reconciler.domain.desired import Desired
from reconciler.domain.reasons import Reason, hint_of
from reconciler.errors import ReconcilerError
from reconciler.ports import Unreachable

if TYPE_CHECKING:
    from reconciler.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One precondition."""

    check: str
    ok: bool
    text: str
    hint: str = ""


def check(
    pre: bool = typer.Option(False, "--pre", help="Check what the daemon needs before it is started."),
    folder: Path | None = Folder,
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Check what a daemon needs to work here.

    Settings, store, source, keys, secrets, pinned host keys, hosts. Changes nothing; exit 1 when one fails.
    """
    if not pre:
        usage("say what to check: --pre")
    settings = world.settings_from(config)
    findings = [Finding("settings", True, "readable, without mistakes"), *_findings(settings, folder)]
    if output is Format.TABLE:
        rows = table("check", "result", "what", "hint")
        for each in findings:
            add_row(rows, (each.check, "ok" if each.ok else "FAILED", each.text, each.hint), "" if each.ok else "red")
        print_lines(rows)
    else:
        checks = [{"check": e.check, "ok": e.ok, "text": e.text, "hint": e.hint} for e in findings]
        write_data({"ok": all(each.ok for each in findings), "checks": checks}, output)
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)


def _findings(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    yield _store(settings)
    yield from _keys(settings.ssh.keys)
    state = _source(settings) if folder is None else _folder(folder)
    if isinstance(state, Finding):
        yield state
        return
    yield Finding("source", True, f"{len(state.services)} services on {len(state.hosts)} hosts")
    yield from _secrets(state)
    for name, found in world.greet(settings, list(state.hosts.values())).items():
        if isinstance(found, Unreachable):
            yield Finding(f"host {name}", False, found.text, hint_of(Reason(found.reason), host=name))
        else:
            yield Finding(f"host {name}", True, "its key is pinned, and it answers" + (f"; {found}" if found else ""))


def _store(settings: Settings) -> Finding:
    """Look at the store without taking the lease: a daemon may hold it."""
    from reconciler.adapters.store.engine import path_of

    try:
        file = path_of(settings.store_url)
        if file.exists():
            with world.opened(settings) as reader:
                count = len(reader.read())
            text = f"{file}: {count} entries, the chain of hashes is whole"
            return Finding("store", os.access(file, os.W_OK), text, "" if os.access(file, os.W_OK) else "Not writable.")
    except ReconcilerError as error:
        return Finding("store", False, str(error), error.hint)
    parent = next(each for each in file.parents if each.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return Finding("store", True, f"{file} does not exist yet and can be made")
    return Finding("store", False, f"{parent} is not writable for this user", "Run as the daemon's user, or chown it.")


def _keys(keys: Sequence[Path]) -> Iterator[Finding]:
    import asyncssh

    if not keys:
        yield Finding("keys", False, "no SSH key is named", "Set `keys` under [ssh].")
    for key in keys:
        try:
            found = asyncssh.read_private_key(key)
        except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            yield Finding(
                f"key {key}", False, str(error), "Make it readable for the daemon's user, without passphrase."
            )
        else:
            yield Finding(f"key {key}", True, found.get_fingerprint())


def _secrets(state: Desired) -> Iterator[Finding]:
    """Read what the desired state names; what it is, is shown to nobody."""
    from reconciler.adapters.redactor import Redactor
    from reconciler.adapters.secrets import LocalSecrets
    from reconciler.execution.secrets import named_in
    from reconciler.settings import CREDENTIALS

    secrets = LocalSecrets({"CREDENTIALS_DIRECTORY": str(CREDENTIALS), **os.environ}, Redactor())
    for ref in named_in(state):
        try:
            secrets.resolve(ref)
        except ReconcilerError as error:
            yield Finding(f"secret {ref.kind} {ref.origin}", False, str(error), error.hint)
        else:
            yield Finding(f"secret {ref.kind} {ref.origin}", True, "readable, and private enough")


def _folder(folder: Path) -> Desired | Finding:
    try:
        return world.read_folder(folder)
    except ReconcilerError as error:
        return Finding("source", False, str(error), error.hint)


def _source(settings: Settings) -> Desired | Finding:
    """Fetch into a folder of its own: the daemon's mirror is the daemon's."""
    from reconciler import app, looking

    with tempfile.TemporaryDirectory(prefix="reconciler-check-") as place:
        state = asyncio.run(looking.reach_source(settings, Path(place) / "source.git"))
    if state.revision is None:
        return Finding("source", False, f"{state.problem}: {state.text}", state.hint)
    read = app.read_revision(state.revision)
    if read.desired is None:
        text = "; ".join(block.text for block in read.problems)
        return Finding("source", False, text, "Push a corrected commit.")
    return read.desired
