"""A copy names copies: on a real MariaDB, by the real script."""

import pymysql
import pytest
from sqlalchemy import make_url

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, addresses
from tests.steps.databases import Mariadb
from tests.support.mariadb import shared

pytestmark = pytest.mark.integration

CELL0, CELL1, CELL2 = (f"00000000-0000-0000-0000-00000000000{number}" for number in range(3))
SERVING = "mysql+pymysql://nova:hunter2@10.0.0.1/nova"
TABLE = "CREATE TABLE cell_mappings (id INTEGER PRIMARY KEY, uuid VARCHAR(36), transport_url TEXT, database_connection TEXT)"
INSERT = "INSERT INTO cell_mappings VALUES "
ROWS = (
    INSERT + f"(1, '{CELL0}', 'none:///', '{SERVING}_cell0?charset=utf8')",
    INSERT + f"(2, '{CELL1}', 'rabbit://u:p@10.0.0.1', '{{scheme}}://{{username}}:{{password}}@{{hostname}}/nova')",
)
PLACES = [
    {
        "key": CELL0,
        "url": "mysql+pymysql://trial@db2/trial_cell0?charset=utf8",
        "password": {"kind": "env", "origin": "A"},
    },
    {"url": "mysql+pymysql://trial@db2/trial", "password": {"kind": "env", "origin": "B"}},
]
SECRETS = {"place_0": "a'b@c/ü %", "place_1": "plain"}


@pytest.fixture
def copy(tmp_path):
    database = Mariadb(tmp_path, "nova_api")
    database.run("SELECT 1")
    yield database
    database.forget()


@pytest.fixture
def act(sandbox, copy):
    def run(places=PLACES, secrets=SECRETS, **more):
        common = {"service": "nova", "database": "api", "dir": str(sandbox.root / "sets"), **copy.args}
        what = {"table": "cell_mappings", "key": "uuid", "column": "database_connection", "keys": [CELL0]}
        model = addresses.Model.model_validate({**common, **what, "places": places, **more})
        known = {"password": shared().password, **secrets}
        return addresses.judge(model, Evidence(sandbox.run(addresses.effect(model), known)))

    return run


def rows(copy):
    return {row[0]: row[1:] for row in copy.run("SELECT uuid, database_connection, transport_url FROM cell_mappings")}


def test_every_row_names_a_copy_whatever_stood_there(act, copy):
    copy.run(TABLE, *ROWS)
    for _ in range(2):
        done = act(blank={"transport_url": "none:///"})
        assert isinstance(done, Done), done
        assert done.values["rows"] == "2"
        found = rows(copy)
        assert "10.0.0.1" not in str(found)
        cell0 = make_url(found[CELL0][0])
        assert (cell0.host, cell0.database, cell0.username, cell0.password) == (
            "db2",
            "trial_cell0",
            "trial",
            SECRETS["place_0"],
        )
        assert make_url(found[CELL1][0]).database == "trial"
        assert {row[1] for row in found.values()} == {"none:///"}


def test_nobody_hears_the_passwords(act, copy, sandbox):
    copy.run(TABLE, *ROWS)
    done = act()
    assert "plain" not in done.text
    assert not any("plain" in line or "trial:" in line for line in sandbox.log)


def test_a_cell_that_the_desired_state_does_not_know_stops_it_before_any_row_is_changed(act, copy):
    copy.run(TABLE, *ROWS, INSERT + f"(3, '{CELL2}', 'none:///', '{SERVING}2')")
    failed = act()
    assert isinstance(failed, Failed)
    assert "2 databases that the desired state cannot tell apart" in failed.text
    assert rows(copy)[CELL0][0].startswith(SERVING)


def test_a_row_for_which_there_is_no_copy_fails_it(act, copy):
    copy.run(TABLE, *ROWS)
    failed = act(places=PLACES[1:])
    assert isinstance(failed, Failed)
    assert "1 rows of cell_mappings still name a database that is none of the copies" in failed.text


def test_a_copy_without_the_table_and_one_that_is_not_there_name_nobody(act, copy):
    assert isinstance(act(), Done)
    copy.forget()
    assert isinstance(act(), Done)


def test_a_tool_that_follows_the_copy_migrates_copies_and_nothing_that_serves(act, copy, tmp_path):
    named = {name: Mariadb(tmp_path, name) for name in ("serving", "trial")}
    for database in named.values():
        database.run("CREATE TABLE migrate_version (version INTEGER)", "INSERT INTO migrate_version VALUES (347)")
    serving, trial = (f"{shared().url(each.dbname)}" for each in named.values())
    copy.run(TABLE, INSERT + f"(1, '{CELL0}', 'none:///', '{serving.replace('@', ':' + shared().password + '@')}')")
    secret = {"kind": "env", "origin": "A"}
    assert isinstance(
        act(places=[{"key": CELL0, "url": trial, "password": secret}], secrets={"place_0": shared().password}), Done
    )

    db_sync(rows(copy)[CELL0][0])
    found = {name: each.run("SELECT version FROM migrate_version") for name, each in named.items()}
    assert found == {"serving": [(347,)], "trial": [(362,)]}
    for database in named.values():
        database.forget()


def db_sync(url):
    """Do what nova's does: migrate the database that the row of the first cell names, with the account that it names."""
    place = make_url(url)
    login = {"host": place.host, "port": place.port, "user": place.username, "password": place.password}
    with (
        pymysql.connect(**login, database=place.database, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE migrate_version SET version = 362")
