from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Call, conforms

YOGA = {"keystone": 109, "keystone_contract": 79, "keystone_data_migrate": 79, "keystone_expand": 79}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "keystone.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table migrate_version (repository_id text, repository_path text, version integer)")
        connection.executemany("insert into migrate_version values (?, '', ?)", YOGA.items())
        connection.execute("create table user (id text)")
    connection.close()
    return file


def test_a_database_is_placed_and_not_written(call: Call, database: Path):
    before = database.read_bytes()
    found = call("identify", "keystone", f"sqlite:///{database}", "-o", "json")
    said = conforms("identify", found.stdout)
    assert found.exit_code == 0
    assert "yoga" in said["releases"]
    assert said["databases"]["main"]["state"] == "at"
    assert said["databases"]["main"]["marker"]["migrate"] == YOGA
    assert database.read_bytes() == before


def test_a_database_may_be_named(call: Call, database: Path):
    assert call("identify", "keystone", f"main=sqlite:///{database}").exit_code == 0


def test_a_path_may_be_relative(call: Call, database: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(database.parent)
    assert "yoga" in call("identify", "keystone", "sqlite:///keystone.db").stdout


def test_a_database_that_is_not_there_is_empty(call: Call, tmp_path: Path):
    found = call("identify", "keystone", f"sqlite:///{tmp_path}/none.db", "-o", "json")
    said = conforms("identify", found.stdout)
    assert said["databases"]["main"]["state"] == "empty"
    assert said["releases"] == []
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_read_is_exit_1(call: Call, tmp_path: Path):
    (tmp_path / "odd.db").write_text("this is no database, however long it may be")
    found = call("identify", "keystone", f"sqlite:///{tmp_path}/odd.db", "-o", "json")
    assert found.exit_code == 1
    assert conforms("identify", found.stdout)["databases"]["main"]["state"] == "unknown"


def test_a_password_in_the_url_is_not_shown(call: Call):
    found = call("identify", "keystone", "mysql+pymysql://keystone:s3cret@127.0.0.1:1/keystone")
    assert found.exit_code == 1
    assert "s3cret" not in found.output


@pytest.mark.parametrize("url", ["oracle://db/keystone", "keystone", "mysql+pymysql://db"])
def test_what_is_no_url_is_said_so(call: Call, url: str):
    found = call("identify", "keystone", url)
    assert found.exit_code == 1
    assert "unknown" in found.output


def test_one_database_twice_is_a_usage_error(call: Call, database: Path):
    assert call("identify", "keystone", f"sqlite:///{database}", f"main=sqlite:///{database}").exit_code == 2
