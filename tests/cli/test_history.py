"""`reconciler history` over a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.adapters.journal import SqlJournal
from reconciler.domain.journal import Draft, Kind
from tests.cli.conftest import Call
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
