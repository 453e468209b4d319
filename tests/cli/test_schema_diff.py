from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Call, conforms


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "keystone.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table user (id text)")
    connection.close()
    return file


def test_what_was_made_on_another_engine_is_not_compared_and_not_written(call: Call, database: Path):
    before = database.read_bytes()
    found = call("schema", "diff", "keystone", "train", f"sqlite:///{database}", "-o", "json")
    said = conforms("schema-diff", found.stdout)
    assert found.exit_code == 2
    assert (said["service"], said["release"]) == ("keystone", "train")
    assert said["databases"]["main"]["state"] == "unknown"
    assert "made on mariadb, and this is sqlite" in said["databases"]["main"]["text"]
    assert database.read_bytes() == before


def test_a_release_may_be_called_by_any_of_its_names(call: Call, database: Path):
    found = call("schema", "diff", "keystone", "antelope", f"sqlite:///{database}", "-o", "json")
    assert conforms("schema-diff", found.stdout)["release"] == "2023.1"


def test_a_database_that_is_not_there_cannot_be_told(call: Call, tmp_path: Path):
    found = call("schema", "diff", "keystone", "train", f"sqlite:///{tmp_path}/none.db")
    assert found.exit_code == 2
    assert "database main of keystone against train: the database does not exist" in found.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [("swift", "train"), ("keystone", "trian"), ("keystone",), ("nova", "train")],
    ids=" ".join,
)
def test_what_makes_no_sense_is_exit_2(call: Call, database: Path, words: tuple[str, ...]):
    found = call("schema", "diff", *words, f"sqlite:///{database}")
    assert found.exit_code == 2
    assert "Traceback" not in found.output


def test_schemas_are_still_exported(call: Call, tmp_path: Path):
    assert call("schema", "export", tmp_path).exit_code == 0
    assert (tmp_path / "schema-diff.json").exists()
