"""The SQL store under the journal: its lease, its faults, its migrations."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from reconciler.adapters.inbox import Inbox
from reconciler.adapters.journal import SqlJournal
from reconciler.adapters.store.engine import writable
from reconciler.adapters.store.schema import migrate
from reconciler.adapters.store.tables import METADATA
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError
from tests.fakes.clock import VirtualClock

INTENT = Draft(Kind.INTENT, "identity", "run-1", "identity.migrate", {"attempt": 1, "epoch": 1})
CLOCK = VirtualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def journal(url: str):
    made = SqlJournal.acquire(url, CLOCK, "test")
    yield made
    made.close()


def written(path: Path, entries: int) -> None:
    """Leave a closed store with some entries, all in the main file."""
    journal = SqlJournal.acquire(f"sqlite:///{path}", CLOCK)
    journal.append([INTENT] * entries)
    journal.close()


def tampered(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for name in [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


# ---------------------------------------------------------------- durability


def test_writes_are_durable_before_append_returns(journal):
    with journal._engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET kind = 'x'",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries SELECT seq, at, 'x', \"group\", run, step, body, prev, hash FROM entries",
    ],
)
def test_the_store_itself_refuses_to_change_entries(journal, path, statement):
    journal.append([INTENT])

    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


def test_fetches_only_rows_after_the_one_that_is_known(journal):
    journal.append([INTENT] * 50)
    last = journal.read()[-1]
    fetched = []
    event.listen(journal._engine, "before_cursor_execute", lambda *call: fetched.append((call[2], call[3])))

    journal.append([INTENT])
    new = journal.read(last)

    assert {parameters for statement, parameters in fetched if "FROM entries" in statement} == {(50,)}
    assert [entry.seq for entry in new] == [51]


def test_a_commit_that_is_not_heard_of_is_found_by_the_next_read(journal):
    @event.listens_for(journal._engine, "commit", once=True)
    def lose_the_answer(connection):
        connection.exec_driver_sql("COMMIT")
        raise sqlite3.OperationalError("connection lost")

    with pytest.raises(JournalError):
        journal.append([INTENT])

    assert len(journal.append([INTENT])) == 1
    assert [entry.seq for entry in journal.read()] == [1, 2]


# ---------------------------------------------------------------- trouble


def test_a_full_disk_is_an_error_that_writes_nothing_and_passes(journal, path):
    journal.append([INTENT])
    pages = {}

    @event.listens_for(journal._engine, "begin")
    def limit(connection):
        connection.connection.dbapi_connection.execute(f"PRAGMA max_page_count = {pages['limit']}")

    pages["limit"] = 1
    with pytest.raises(JournalError, match="disk is full") as caught:
        journal.append([INTENT, Draft(Kind.RESULT, body={"text": "x" * 100_000})])
    pages["limit"] = 1_000_000

    assert caught.value.reason == Reason.JOURNAL_UNWRITABLE
    assert "Free space" in caught.value.hint
    assert len(journal.read()) == 1
    assert [entry.seq for entry in journal.append([INTENT])] == [2]


def test_a_locked_store_is_an_error_that_writes_nothing_and_passes(journal, path):
    with journal._engine.connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA busy_timeout = 1")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked") as caught:
            journal.append([INTENT])
        other.execute("ROLLBACK")

    assert caught.value.reason == Reason.JOURNAL_UNWRITABLE
    assert [entry.seq for entry in journal.append([INTENT])] == [1]


def test_a_read_only_store_is_an_error(journal):
    with journal._engine.connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA query_only = ON")

    with pytest.raises(JournalError, match="read-only"):
        journal.append([INTENT])


def test_after_a_disk_error_nothing_is_written_until_a_restart(journal, url):
    failing = sqlite3.OperationalError("disk I/O error")
    failing.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC

    @event.listens_for(journal._engine, "commit", once=True)
    def fail(connection):
        raise failing

    for _ in range(2):
        with pytest.raises(JournalError, match="disk failed") as caught:
            journal.append([INTENT])
        assert caught.value.reason == Reason.JOURNAL_DISK_FAILED

    journal.close()
    again = SqlJournal.acquire(url, CLOCK)
    assert [entry.seq for entry in again.append([INTENT])] == [1]
    again.close()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_store_is_refused_and_left_alone(path, url, content):
    path.write_bytes(content)

    with pytest.raises(JournalError) as caught:
        SqlJournal.acquire(url, CLOCK)

    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_no_flipped_byte_of_the_file_changes_what_is_read(path, url):
    written(path, 30)
    reader = SqlJournal.reader(url)
    truth = reader.read()
    reader.close()
    good = path.read_bytes()
    noticed = 0
    for position in random.Random(7).sample(range(len(good)), 150):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x41]) + good[position + 1 :])
        try:
            journal = SqlJournal.acquire(url, CLOCK)
        except JournalError:
            noticed += 1
            continue
        assert journal.read() == truth
        journal.close()

    assert noticed > 20


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE entries SET body = '{}' WHERE seq = 2", "entry 2 is not what was written"),
        ("UPDATE entries SET kind = x'ff' WHERE seq = 2", "entry 2 cannot be read"),
        ("DELETE FROM entries WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM entries WHERE seq = 3", "newest entry should be number 3"),
        ("DELETE FROM entries", "newest entry should be number 3"),
    ],
)
def test_a_tampered_store_is_refused_and_the_entry_named(path, url, statement, what):
    written(path, 3)
    tampered(path, statement)

    with pytest.raises(JournalError, match=what) as caught:
        SqlJournal.acquire(url, CLOCK)
    with pytest.raises(JournalError, match=what):
        SqlJournal.reader(url).read()

    assert caught.value.reason == Reason.JOURNAL_BROKEN
    assert caught.value.hint


@pytest.mark.parametrize(
    "statement", ["DROP TABLE entries", "DROP TABLE head", "DROP TABLE commands", "DELETE FROM head"]
)
def test_a_store_without_one_of_its_tables_or_its_head_is_refused(path, url, statement):
    written(path, 1)
    tampered(path, statement)

    with pytest.raises(JournalError):
        SqlJournal.acquire(url, CLOCK).commands()


@pytest.mark.parametrize(
    "bad", ["sqlite://", "sqlite:///:memory:", "mysql+pymysql://user:hunter2@db/journal", "/var/lib/x", ""]
)
def test_anything_but_a_sqlite_file_is_refused_without_its_password(bad):
    with pytest.raises(JournalError, match="store") as caught:
        SqlJournal.acquire(bad, CLOCK)

    assert "hunter2" not in str(caught.value)
    assert "sqlite:////" in caught.value.hint


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(JournalError, match="No such file"):
        SqlJournal.acquire(f"sqlite:///{tmp_path}/none/journal.sqlite", CLOCK)


def test_a_folder_with_odd_characters_is_no_trouble(tmp_path):
    folder = tmp_path / "a b#c&mode=ro"
    folder.mkdir()
    journal = SqlJournal.acquire(f"sqlite:///{folder}/journal.sqlite", CLOCK)

    journal.append([INTENT])

    assert (folder / "journal.sqlite").exists()
    journal.close()


# ---------------------------------------------------------------- lease


def test_a_second_daemon_is_told_who_holds_the_store(journal, url):
    with pytest.raises(JournalError, match=r"another daemon holds the store .*: test") as caught:
        SqlJournal.acquire(url, CLOCK)

    assert caught.value.reason == Reason.JOURNAL_HELD
    assert len(journal.append([INTENT])) == 1


def test_a_refused_daemon_takes_no_epoch(journal, url):
    for _ in range(3):
        with pytest.raises(JournalError):
            SqlJournal.acquire(url, CLOCK)
    journal.close()

    again = SqlJournal.acquire(url, CLOCK)
    assert again.epoch == journal.epoch + 1
    again.close()


def test_a_killed_daemon_leaves_the_store_free_and_whole(url):
    program = (
        "import sys, signal, os; from reconciler.adapters.clock import SystemClock;"
        "from reconciler.adapters.journal import SqlJournal; from reconciler.domain.journal import Draft;"
        "j = SqlJournal.acquire(sys.argv[1], SystemClock()); j.append([Draft('intent')]);"
        "print(j.epoch, flush=True); signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    epoch = int(process.stdout.readline())
    with pytest.raises(JournalError, match=f"pid {process.pid}"):
        SqlJournal.acquire(url, CLOCK)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    journal = SqlJournal.acquire(url, CLOCK)
    assert journal.epoch == epoch + 1
    assert [entry.kind for entry in journal.read()] == ["intent"]
    journal.close()


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_what_was_acknowledged_survives_any_kill(url, lines):
    program = (
        "import sys; from reconciler.adapters.clock import SystemClock; from reconciler.domain.journal import Draft;"
        "from reconciler.adapters.journal import SqlJournal; j = SqlJournal.acquire(sys.argv[1], SystemClock())\n"
        "while True: print(j.append([Draft('intent'), Draft('result')])[-1].seq, flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    acknowledged = int(([str(lines * 2), *process.stdout.read().splitlines()])[-1])
    process.wait()
    process.stdout.close()

    journal = SqlJournal.acquire(url, CLOCK)
    found = len(journal.read())
    journal.close()
    assert found in (acknowledged, acknowledged + 2)


def test_nothing_is_written_under_a_stale_epoch(journal, path, url):
    Inbox(url, CLOCK).ask("suspend", "identity", "ada", "why")
    command = journal.commands()[0]
    with sqlite3.connect(path) as other:
        other.execute("UPDATE head SET epoch = epoch + 1, holder = 'a newer one'")
    other.close()

    for write in (
        lambda: journal.append([INTENT]),
        lambda: journal.answer(command, [INTENT], "done"),
        lambda: journal.put_document("report", {}),
    ):
        with pytest.raises(JournalError, match="a newer one") as caught:
            write()
        assert caught.value.reason == Reason.JOURNAL_LEASE_LOST

    assert len(journal.read()) == 0
    assert journal.commands() == [command]


# ---------------------------------------------------------------- readers and the inbox


def test_a_reader_follows_the_daemon(journal, url):
    reader = SqlJournal.reader(url)
    journal.append([INTENT])
    first = reader.read()
    journal.append([INTENT])

    assert [len(first), len(reader.read())] == [1, 2]
    assert reader.read() == journal.read()
    reader.close()


def test_a_reader_needs_no_daemon_and_changes_nothing(path, url):
    written(path, 2)
    before = path.read_bytes()

    reader = SqlJournal.reader(url)
    assert len(reader.read()) == 2
    reader.close()

    assert path.read_bytes() == before


def test_a_reader_of_nothing_says_so_and_creates_nothing(path, url):
    for opened in (SqlJournal.reader, lambda url: Inbox(url, CLOCK)):
        with pytest.raises(JournalError, match="cannot be opened"):
            opened(url)

    assert not path.exists()


def test_commands_go_to_and_fro(journal, url):
    inbox = Inbox(url, CLOCK)
    number = inbox.ask("clear-halt", "halt-7", "ada", "mended")

    before = inbox.answer_to(number)
    journal.answer(journal.commands()[0], [Draft(Kind.HALT_CLEARED, body={"id": "halt-7"})], "cleared")

    assert (before, inbox.answer_to(number)) == (None, "cleared")
    inbox.close()


def test_arguments_that_are_no_text_are_kept_escaped(journal, url):
    inbox = Inbox(url, CLOCK)
    number = inbox.ask("suspend", "identity", "ada", "why\udcff")
    journal.answer(journal.commands()[0], [], "no: \udcff")

    assert inbox.answer_to(number) == "no: \\udcff"
    inbox.close()


def test_a_damaged_document_is_as_good_as_none(journal, path):
    journal.put_document("report", {})
    with sqlite3.connect(path) as other:
        other.execute("UPDATE documents SET body = '{'")
    other.close()

    assert journal.document("report") is None


def test_operators_and_the_daemon_write_at_the_same_time(journal, url):
    def ask_often(name: str) -> None:
        inbox = Inbox(url, CLOCK)
        for number in range(20):
            inbox.ask("suspend", str(number), name, "")
        inbox.close()

    with ThreadPoolExecutor() as operators:
        asking = [operators.submit(ask_often, name) for name in ("ada", "grace")]
        for _ in range(20):
            journal.append([INTENT])
        for done in asking:
            done.result()

    commands = journal.commands()
    assert [c.subject for c in commands if c.by == "ada"] == [str(number) for number in range(20)]
    assert len(commands) == 40
    assert len(journal.read()) == 20


def test_documents_are_replaced_and_read_by_others(journal, url):
    reader = SqlJournal.reader(url)
    assert reader.document("report") is None

    journal.put_document("report", {"pass": 1})
    journal.put_document("report", {"pass": 2, "text": "\udcff"})
    journal.put_document("observation", [])

    document = reader.document("report")
    assert (document.body, document.at) == ({"pass": 2, "text": "\udcff"}, CLOCK.now())
    assert len(journal.read()) == 0
    reader.close()


# ---------------------------------------------------------------- migrations


def test_migrates_from_empty_and_again_without_change(path, url):
    engine = writable(url, create=True)
    migrate(engine)
    with engine.connect() as connection:
        first = connection.exec_driver_sql("SELECT * FROM sqlite_master ORDER BY name").all()

    migrate(engine)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM sqlite_master ORDER BY name").all() == first
        assert len(first) > 5
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(url):
    engine = writable(url, create=True)
    migrate(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_migration_that_dies_leaves_nothing(path, url):
    engine = writable(url, create=True)

    @event.listens_for(engine, "before_cursor_execute")
    def die(_connection, _cursor, statement, *_rest):
        if "TRIGGER entries_kept" in statement:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(engine)
    engine.dispose()

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    SqlJournal.acquire(url, CLOCK).close()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path, url):
    written(path, 1)
    tampered(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()

    for opened in (lambda: SqlJournal.acquire(url, CLOCK), lambda: SqlJournal.reader(url), lambda: Inbox(url, CLOCK)):
        with pytest.raises(JournalError, match="9999") as caught:
            opened()
        assert caught.value.reason == Reason.JOURNAL_VERSION

    assert path.read_bytes() == before


def test_a_reader_of_an_older_store_asks_for_the_daemon(path, url):
    sqlite3.connect(path).close()
    writable(url, create=True).connect().close()

    with pytest.raises(JournalError, match="older version") as caught:
        SqlJournal.reader(url)

    assert "reconciler run" in caught.value.hint


def test_nothing_is_written_to_a_broken_store(path, url):
    written(path, 3)
    tampered(path, "UPDATE entries SET run = 'run-3' WHERE seq = 2")
    before = path.read_bytes()

    with pytest.raises(JournalError, match="byte 5 of `run` stands 'run-3', and 'run-1' was written"):
        SqlJournal.acquire(url, CLOCK)

    assert path.read_bytes() == before


def test_a_byte_that_is_no_text_is_an_entry_that_is_named(path, url):
    written(path, 3)
    path.write_bytes(path.read_bytes().replace(b"run-1", b"run\xad1", 1))

    with pytest.raises(JournalError, match=r"entry \d is not what was written.* byte 4 of `run`"):
        SqlJournal.reader(url).read()
