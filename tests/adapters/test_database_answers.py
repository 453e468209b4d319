"""Every transcript of tests/cases/database_answers, given by a server that is none: what is told of it.

Each line is what it sends, in hexadecimal, each after the client has said something; then it closes. `expected.json` holds
the reason and how the words begin for each.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.domain.desired import Database
from reconciler.domain.observation import Unknown

FOLDER = Path(__file__).parent.parent / "cases" / "database_answers"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
CASES = sorted(FOLDER.glob("*.txt"))


@contextmanager
def server(sent: Sequence[bytes], heard: list[bytes]) -> Iterator[int]:
    """Give the same answers to whoever connects, and keep what it hears; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, sent, heard), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(listening: socket.socket, sent: Sequence[bytes], heard: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            try:
                for each in sent:
                    connection.sendall(each)
                    heard.append(connection.recv(1 << 16))
            except OSError:
                continue


async def seen(path: Path) -> tuple[str, str]:
    heard: list[bytes] = []
    with server([bytes.fromhex(line) for line in path.read_text().split("\n")[:-1]], heard) as port:
        database = Database(name="main", url=f"mysql+pymysql://cloud@127.0.0.1:{port}/keystone")
        found = await SqlDatabases(marker_timeout_s=1).marker(database, "hunter2")
    assert isinstance(found, Unknown)
    assert b"hunter2" not in b"".join(heard)
    return found.reason, found.text.partition("): ")[2]


def test_each_transcript_is_expected_to_be_something() -> None:
    assert [path.stem for path in CASES] == sorted(EXPECTED)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_case(path: Path) -> None:
    reason, text = await seen(path)
    assert reason == EXPECTED[path.stem][0]
    assert text.startswith(EXPECTED[path.stem][1])
    assert text.isprintable()
    assert "hunter2" not in text
