"""`reconciler history` over a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.adapters.journal import SqlJournal
from reconciler.cli.world import read_history
from reconciler.domain.chain import Place
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.plan import Json
from reconciler.domain.segment import Cut
from tests.cli.conftest import Call, conforms
from tests.fakes.clock import VirtualClock

RESULT = Draft(Kind.RESULT, "keystone", "r-1", "k.migrate", {"attempt": 1, "outcome": "done", "values": {}, "text": ""})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    journal = SqlJournal.acquire(f"sqlite:///{tmp_path}/journal.sqlite", VirtualClock())
    journal.append([RESULT] * 3)
    journal.close()
    file = tmp_path / "reconciler.toml"
    file.write_text(f'state_dir = "{tmp_path}"\n[source]\nurl = "{tmp_path}/fleet.git"\n')
    return file


def test_a_whole_chain_is_told(call: Call, config: Path):
    found = call("history", "--verify", "-c", config)

    assert found.exit_code == 0
    assert "3 entries, the chain of hashes is whole" in found.stdout


def test_a_flipped_byte_is_named_with_what_was_written_and_what_to_do(call: Call, config: Path):
    store = config.with_name("journal.sqlite")
    store.write_bytes(store.read_bytes().replace(b'"outcome":"done"', b'"outcome":"dpne"', 1))

    found = call("history", "--verify", "-c", config)

    assert found.exit_code == 1
    assert """of `body` stands '"outcome":"dpne","text":"', and '"outcome":"done","text":"' was""" in found.stderr
    assert "restore the newest backup of the store that is whole" in " ".join(found.stderr.split())


def sealed(config: Path, *, archived: bool = True) -> None:
    """Seal what the store holds, keep the second entry, and go on."""
    store = f"sqlite:///{config.with_name('journal.sqlite')}"
    journal = SqlJournal.acquire(store, VirtualClock(), archived=archived)
    last = journal.read()[-1]
    body: dict[str, Json] = {
        "runs": ["r-1"],
        "begun": 1,
        "halts": 0,
        "sums": {"counts": [], "durations": [], "backups": {}},
    }
    journal.seal(Cut(upto=Place(last.seq, last.hash), kept=frozenset({2}), body=body))
    journal.append([RESULT])
    journal.close()


def test_history_goes_back_through_the_archives(call: Call, config: Path):
    sealed(config)

    shown = conforms("history", call("history", "-n", "0", "-c", config, "-o", "json").stdout)
    newest = conforms("history", call("history", "-n", "2", "-c", config, "-o", "json").stdout)

    assert [entry["seq"] for entry in shown["entries"]] == [1, 2, 3, 4, 5]
    assert [entry["seq"] for entry in newest["entries"]] == [4, 5]
    assert shown["total"] == 5
    assert "entries 1 to 3 sealed to journal.sqlite.000001.jsonl.gz: 1 runs" in call("history", "-c", config).stdout
    assert call("history", "--verify", "-c", config).exit_code == 0


def test_a_whole_journal_is_read_back_from_what_history_writes(call: Call, config: Path, tmp_path: Path):
    for archived in (True, False):
        sealed(config, archived=archived)
        (tmp_path / "history.json").write_text(call("history", "-n", "0", "-c", config, "-o", "json").stdout)
        assert read_history(tmp_path / "history.json").begun == 1


def test_what_policy_dropped_is_told_and_is_no_fault(call: Call, config: Path):
    sealed(config, archived=False)

    found = call("history", "--verify", "-c", config)

    assert found.exit_code == 0
    assert "entries 1 to 3, up to 2026" in found.stderr
    assert "policy kept no archive" in found.stderr


def test_an_archive_that_is_gone_or_changed_fails_the_proof(call: Call, config: Path):
    sealed(config)
    archive = config.with_name("journal.sqlite.000001.jsonl.gz")
    archive.write_bytes(archive.read_bytes()[:-9])
    assert "cannot be read" in call("history", "--verify", "-c", config).stderr

    archive.unlink()
    found = call("history", "--verify", "-c", config)
    assert found.exit_code == 1
    assert "its archive journal.sqlite.000001.jsonl.gz is not here" in found.stderr
