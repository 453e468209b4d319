"""What verbs need of the world. The one module of this room that names adapters, and it does so late.

Libraries for SQL, git and SSH take a second to import, and a person who asks for a route should not wait for them.
"""

from __future__ import annotations

import asyncio
import gc
import getpass
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.domain.dburl import split_password
from reconciler.domain.desired import Database, Desired, Host
from reconciler.domain.observation import Observations, Observed
from reconciler.domain.run import History
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.structure import Structure
from reconciler.errors import DesiredStateError, JournalError, ReconcilerError, SourceError
from reconciler.planning.durations import Durations
from reconciler.planning.preview import Preview
from reconciler.ports import Unreachable

if TYPE_CHECKING:
    from reconciler.adapters.journal import JournalReader
    from reconciler.adapters.known_hosts import HostKey
    from reconciler.settings import Settings

POLL_S = 0.2
"""How often the store is asked for the daemon's answer."""


def read_folder(folder: Path) -> Desired:
    """Read and check the desired state in a folder; raises DesiredStateError with every problem, SourceError."""
    return _valid(files_of(folder), f"`reconciler validate {folder}` lists all.")


def read_commit(repository: Path, revision: str, folder: str) -> Desired:
    """Read and check the desired state in a commit; raises DesiredStateError with every problem, SourceError."""
    from reconciler.adapters.git_commit import read_commit as read

    return _valid(read(repository, revision, folder), f"They stand in {revision}; check it out to validate it.")


def _valid(files: Mapping[str, bytes], hint: str) -> Desired:
    from reconciler.desired import Problems
    from reconciler.execution.read import read_files

    found = read_files(files)
    if isinstance(found, Problems):
        raise DesiredStateError(str(found), reason="SourceInvalid", hint=hint)
    return found


def files_of(folder: Path) -> Mapping[str, bytes]:
    """Return the files of a folder as the daemon would see them in git; raises SourceError."""
    from reconciler.adapters.folder import read_folder as read

    return read(folder)


def read_markers(urls: Mapping[str, str]) -> dict[str, Observed[SchemaMarker]]:
    """Read the schema markers of databases by URL, in which a password may stand."""
    from reconciler.adapters.databases import SqlDatabases

    async def read() -> list[Observed[SchemaMarker]]:
        world = SqlDatabases()
        plain = {name: split_password(url) for name, url in urls.items()}
        asked = [world.marker(Database(name=name, url=url), password) for name, (url, password) in plain.items()]
        return await asyncio.gather(*asked)

    return dict(zip(urls, asyncio.run(read()), strict=True))


def read_structures(urls: Mapping[str, str]) -> dict[str, Observed[Structure]]:
    """Read the structures of databases by URL, in which a password may stand."""
    from reconciler.adapters.databases import SqlDatabases

    async def read() -> list[Observed[Structure]]:
        world = SqlDatabases()
        plain = {name: split_password(url) for name, url in urls.items()}
        asked = [world.structure(Database(name=name, url=url), password) for name, (url, password) in plain.items()]
        return await asyncio.gather(*asked)

    return dict(zip(urls, asyncio.run(read()), strict=True))


def read_observed(file: Path) -> Observations:
    """Read a recorded observation; raises ReconcilerError that lists what is wrong with it."""
    from reconciler.planning.observed_json import observed_from_json

    try:
        return observed_from_json(file.read_bytes(), str(file))
    except OSError as error:
        hint = "Write it with `reconciler observe -o json > FILE`."
        raise ReconcilerError(f"{file}: {error.strerror}", reason="ObservationInvalid", hint=hint) from error


# ---------------------------------------------------------------- the daemon's settings and store


def settings_from(config: Path | None) -> Settings:
    """Read the daemon's settings; raises SettingsError with every problem."""
    from reconciler.settings import read_settings

    return read_settings(config)


@contextmanager
def opened(settings: Settings) -> Iterator[JournalReader]:
    """Open the daemon's store for reading; raises JournalError."""
    from reconciler.adapters.journal import SqlJournal

    reader = SqlJournal.reader(settings.store_url)
    try:
        yield reader
    finally:
        reader.close()


def document(settings: Settings, name: str) -> Mapping[str, Any]:
    """Return what the daemon published last; raises ReconcilerError when it has not yet."""
    with opened(settings) as reader:
        return published(reader, name)


def published(reader: JournalReader, name: str) -> Mapping[str, Any]:
    """Return a document of the store; raises ReconcilerError when there is none."""
    found = reader.document(name)
    if found is None or not isinstance(found.body, dict):
        hint = "Start it with `reconciler run`; it reports after its first look at the fleet."
        raise ReconcilerError(f"the daemon has not published its {name} yet", reason="NotPublished", hint=hint)
    return found.body


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: among the steps of a large fleet that takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def daemons_plans(config: Path | None) -> tuple[Sequence[Preview], Durations]:
    """Return the plans that the daemon published last, and how long steps took in the runs of its journal."""
    from reconciler.planning.durations import durations_of
    from reconciler.planning.status_json import previews_from_json

    with opened(settings_from(config)) as reader:
        return previews_from_json(published(reader, "plans")), durations_of(history_of(reader))


def read_history(file: Path) -> History:
    """Read a whole journal that was written as JSON; raises ReconcilerError for another file and a broken chain."""
    from reconciler.domain.canonical import canonical
    from reconciler.domain.chain import Break
    from reconciler.domain.segment import whole
    from reconciler.planning.history import fold

    hint = "Write it with `reconciler history -n 0 -o json > FILE`."
    try:
        lines = [
            {
                **each,
                "at": datetime.fromisoformat(each["at"]).isoformat(timespec="microseconds"),
                "body": canonical(each["body"]),
            }
            for each in json.loads(file.read_bytes())["entries"]
        ]
        found = whole(lines)
    except OSError as error:
        raise ReconcilerError(f"{file}: {error.strerror}", reason="HistoryInvalid", hint=hint) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        text = f"{file}: this is not what `reconciler history` writes: {type(error).__name__}"
        raise ReconcilerError(text, reason="HistoryInvalid", hint=hint) from error
    if isinstance(found, Break):
        raise ReconcilerError(f"{file}: {found.text}", reason="HistoryInvalid", hint=hint)
    return fold(found)


def history_of(reader: JournalReader) -> History:
    """Fold the journal; raises JournalError when its chain is broken."""
    from reconciler.planning.history import fold

    return fold(reader.read())


def order(settings: Settings, verb: str, subject: str, why: str, wait_s: float) -> str | None:
    """Leave a command for the daemon and wait for its answer; None when none came in time."""
    from reconciler.adapters.clock import SystemClock
    from reconciler.adapters.inbox import Inbox

    inbox = Inbox(settings.store_url, SystemClock())
    try:
        command = inbox.ask(verb, subject, caller(os.environ), why)
        end = time.monotonic() + wait_s
        while (answer := inbox.answer_to(command)) is None and time.monotonic() < end:
            time.sleep(POLL_S)
        return answer
    finally:
        inbox.close()


def caller(environ: Mapping[str, str]) -> str:
    """Name who typed the command: the person behind sudo, else the user of the process."""
    user = getpass.getuser()
    person = environ.get("SUDO_USER", "")
    return f"{person} (sudo {user})" if person and person != user else user


# ---------------------------------------------------------------- the fleet


def desired_of(settings: Settings, folder: Path | None) -> Desired:
    """Return the desired state of a folder, else the one in force, else the newest one of the source."""
    if folder is not None:
        return read_folder(folder)
    from reconciler import looking

    accepted = _accepted(settings)
    found = asyncio.run(looking.accepted_state(settings, accepted)) if accepted else None
    if found is not None:
        return found
    revision = asyncio.run(looking.newest_state(settings))
    if isinstance(revision, Desired):
        return revision
    raise SourceError(revision, reason="SourceUnreachable", hint="Name a folder with --dir.")


def _accepted(settings: Settings) -> str:
    try:
        with opened(settings) as reader:
            return history_of(reader).accepted
    except JournalError:
        return ""


def look(settings: Settings, desired: Desired, hosts: Sequence[str] | None) -> Observations:
    """Look at the fleet once through the adapters."""
    from reconciler import looking

    return asyncio.run(looking.observe(settings, desired, hosts))


def greet(settings: Settings, hosts: Sequence[Host]) -> dict[str, Unreachable | str]:
    """Enter every host; those that answered say what their sudo grants beyond what is needed, mostly nothing."""
    from reconciler import looking

    return asyncio.run(looking.greet(settings, hosts))


def show_key(address: str, port: int) -> HostKey:
    """Fetch the key that a host shows, trusting nothing; raises ReconcilerError."""
    import asyncssh

    from reconciler.adapters.known_hosts import scan

    try:
        return asyncio.run(scan(address, port))
    except (OSError, TimeoutError, asyncssh.Error) as error:
        text = f"{address} port {port} shows no host key: {error or 'no answer in time'}"
        raise ReconcilerError(text, reason="HostUnreachable", hint="Check address, port and sshd.") from error
