"""Sealed segments of the SQL store: archives, what a crash leaves, and that the chain goes through them."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from reconciler.adapters.inbox import Inbox
from reconciler.adapters.journal import SqlJournal
from reconciler.domain.chain import Place, to_line
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.plan import Json
from reconciler.domain.segment import Cut, segments_of
from reconciler.errors import JournalError
from tests.fakes.clock import VirtualClock

INTENT = Draft(Kind.INTENT, "identity", "run-1", "identity.migrate", {"attempt": 1, "epoch": 1})
CLOCK = VirtualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def opened(path: Path, *, archived: bool = True) -> SqlJournal:
    return SqlJournal.acquire(f"sqlite:///{path}", CLOCK, archived=archived)


def cut_of(journal: SqlJournal, *kept: int) -> Cut:
    last = journal.read()[-1]
    body: dict[str, Json] = {"runs": [], "begun": 0, "halts": 0, "sums": {}}
    return Cut(upto=Place(last.seq, last.hash), kept=frozenset(kept), body=body)


def twice_sealed(path: Path, *, archived: bool = True) -> None:
    journal = opened(path, archived=archived)
    for _ in range(2):
        journal.append([INTENT] * 3)
        journal.seal(cut_of(journal, 1))
    journal.append([INTENT])
    journal.close()


def rows(path: Path) -> list[int]:
    with sqlite3.connect(path) as connection:
        found = [seq for (seq,) in connection.execute("SELECT seq FROM entries ORDER BY seq")]
    connection.close()
    return found


def archives(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.glob("*.gz*"))


def test_an_archive_holds_what_the_store_held(path):
    journal = opened(path)
    written = journal.append([INTENT] * 3)
    sealed = journal.seal(cut_of(journal))
    journal.close()

    (segment,) = segments_of(sealed)
    lines = gzip.decompress((path.parent / segment.file).read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [to_line(entry) for entry in written]
    assert rows(path) == [4]


def test_all_entries_are_there_again_in_order(path):
    twice_sealed(path)

    entries, gone = SqlJournal.reader(f"sqlite:///{path}").everything()

    assert [entry.seq for entry in entries] == [*range(1, 10)]
    assert not gone
    assert archives(path) == ["journal.sqlite.000001.jsonl.gz", "journal.sqlite.000002.jsonl.gz"]


def test_what_policy_drops_is_told(path):
    twice_sealed(path, archived=False)

    entries, gone = SqlJournal.reader(f"sqlite:///{path}").everything()

    assert [entry.seq for entry in entries] == [1, 8, 9]
    assert [(each.first, each.last, each.file) for each in gone] == [(1, 3, ""), (4, 7, "")]
    assert not archives(path)


def test_an_archive_that_was_taken_away_is_told(path):
    twice_sealed(path)
    (path.parent / "journal.sqlite.000001.jsonl.gz").unlink()

    _, gone = SqlJournal.reader(f"sqlite:///{path}").everything()

    assert [each.file for each in gone] == ["journal.sqlite.000001.jsonl.gz"]


def unzip(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda content: gzip.compress(change(gzip.decompress(content).decode()).encode())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (unzip(lambda text: text.replace("run-1", "run-3", 1)), "entry 1 .*byte 5 of `run` stands 'run-3'"),
        (unzip(lambda text: text.split("\n", 1)[1]), "entry 1 is missing"),
        (unzip(lambda text: text[: text.rindex("\n", 0, -1) + 1]), "its digest does not match"),
        (unzip(lambda text: ""), "cannot be read"),
        (unzip(lambda text: "[]"), "cannot be read"),
        (lambda content: content[:-20], "cannot be read"),
        (lambda content: content[:-1] + b"x", "cannot be read"),
        (lambda content: b"", "cannot be read"),
    ],
)
def test_an_archive_that_was_changed_is_named(path, change, what):
    twice_sealed(path)
    archive = path.parent / "journal.sqlite.000001.jsonl.gz"
    archive.write_bytes(change(archive.read_bytes()))

    with pytest.raises(JournalError, match=f"{archive}.*{what}"):
        SqlJournal.reader(f"sqlite:///{path}").everything()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE entries SET run = 'run-3' WHERE seq = 1", "entry 1 is not what was written"),
        ("DELETE FROM entries WHERE seq = 1", "entry 8 kept, one is missing or was added"),
        ("DELETE FROM entries WHERE seq = 8", "entry 2 is missing"),
        ("UPDATE entries SET body = replace(body, 'journal', 'xournal') WHERE seq = 8", "entry 8 is not what"),
    ],
)
def test_what_a_checkpoint_kept_and_the_checkpoint_itself_are_guarded(path, statement, what):
    twice_sealed(path)
    with sqlite3.connect(path) as connection:
        for trigger in ("entries_kept", "entries_unchanged"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(statement)
    connection.close()

    with pytest.raises(JournalError, match=what):
        opened(path)


@pytest.mark.parametrize("seq", [1, 8, 9])
def test_nothing_goes_outside_of_sealing(path, seq):
    twice_sealed(path)

    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    connection.close()


async def test_commands_that_were_answered_before_a_segment_began_go_with_it(path):
    clock = VirtualClock()
    journal = SqlJournal.acquire(f"sqlite:///{path}", clock)
    inbox = Inbox(f"sqlite:///{path}", clock)
    asked = [inbox.ask("suspend", "identity", "ada", "why") for _ in range(2)]
    journal.answer(journal.commands()[0], [INTENT], "suspended")
    seen = []
    for _ in range(2):
        await clock.advance(60.0)
        journal.append([INTENT])
        journal.seal(cut_of(journal))
        seen.append(inbox.answer_to(asked[0]))

    assert seen == ["suspended", None]
    assert [command.id for command in journal.commands()] == asked[1:]
    inbox.close()
    journal.close()


# ---------------------------------------------------------------- crashes


class Killed(BaseException):
    """The daemon died here."""


@pytest.mark.parametrize(
    "statement", ["INSERT INTO entries", "UPDATE head SET seq", "UPDATE head SET sealing", "DELETE FROM entries"]
)
def test_a_daemon_that_dies_while_sealing_leaves_the_journal_as_it_was(path, statement):
    journal = opened(path)
    written = journal.append([INTENT] * 3)

    def die(_connection, _cursor, text, *_rest):
        if statement in text:
            raise Killed

    event.listen(journal._engine, "before_cursor_execute", die)
    with pytest.raises(Killed):
        journal.seal(cut_of(journal, 2))
    journal.close()

    again = opened(path)
    assert list(again.read()) == list(written)
    again.append([INTENT])
    again.seal(cut_of(again, 2))
    assert [entry.seq for entry in again.everything()[0]] == [1, 2, 3, 4, 5]
    assert archives(path) == ["journal.sqlite.000001.jsonl.gz"]
    again.close()


def test_a_seal_that_was_not_heard_of_is_found_by_the_next_write(path):
    journal = opened(path)
    (last,) = journal.append([INTENT])

    @event.listens_for(journal._engine, "commit")
    def lose_the_answer(connection):
        if journal._engine.pool.checkedout() and rows_deleted:
            rows_deleted.clear()
            connection.exec_driver_sql("COMMIT")
            raise sqlite3.OperationalError("connection lost")

    rows_deleted: list[str] = []
    event.listen(
        journal._engine,
        "after_cursor_execute",
        lambda _c, _cursor, text, *_rest: rows_deleted.append(text) if "DELETE" in text else None,
    )

    with pytest.raises(JournalError):
        journal.seal(cut_of(journal))

    assert [entry.kind for entry in journal.read(last)] == [Kind.SEGMENT_SEALED]
    assert [entry.seq for entry in journal.append([INTENT])] == [3]
    assert [entry.seq for entry in journal.everything()[0]] == [1, 2, 3]
    journal.close()


def test_where_the_archive_cannot_be_written_nothing_goes(path):
    journal = opened(path)
    written = journal.append([INTENT] * 3)
    (path.parent / "journal.sqlite.000001.jsonl.gz.new").mkdir()

    with pytest.raises(JournalError, match="the segment was not sealed"):
        journal.seal(cut_of(journal))

    assert list(journal.read()) == list(written)
    journal.close()


def test_a_half_written_archive_of_a_killed_daemon_is_written_anew(path):
    journal = opened(path)
    journal.append([INTENT] * 3)
    for name in ("journal.sqlite.000001.jsonl.gz.new", "journal.sqlite.000001.jsonl.gz"):
        (path.parent / name).write_bytes(b"half")

    journal.seal(cut_of(journal))

    assert [entry.seq for entry in journal.everything()[0]] == [1, 2, 3, 4]
    assert archives(path) == ["journal.sqlite.000001.jsonl.gz"]
    journal.close()


def test_a_reader_that_stood_before_the_segment_goes_on_behind_it(path):
    journal = opened(path)
    journal.append([INTENT] * 3)
    reader = SqlJournal.reader(f"sqlite:///{path}")
    known = reader.read()[0]
    journal.seal(cut_of(journal, 3))

    assert [entry.seq for entry in reader.read(known)] == [3, 4]
    reader.close()
    journal.close()
