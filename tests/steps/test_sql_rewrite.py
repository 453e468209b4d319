"""One statement with its way back: SQLite and a real MariaDB, by their real scripts."""

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, sql_rewrite
from tests.steps.databases import Mariadb, Sqlite
from tests.support.mariadb import shared

FILL = (
    "CREATE TABLE instances (id INTEGER PRIMARY KEY, host VARCHAR(64), launched_on VARCHAR(64), task BLOB)",
    "INSERT INTO instances VALUES (1, 'old', 'old', x'00ff'), (2, 'old', 'first', NULL), (3, 'other', 'old', x'0a')",
    "CREATE TABLE pairs (a VARCHAR(9), b INTEGER, c VARCHAR(64), PRIMARY KEY (b, a))",
    "INSERT INTO pairs VALUES ('x', 1, 'q''\\uote'), ('x', 2, NULL), ('y', 1, 'zwölf')",
    "CREATE TABLE loose (a INTEGER)",
    "INSERT INTO loose VALUES (1)",
)
UPDATE = {
    "sql": "UPDATE instances SET host = :new, launched_on = :new WHERE host = :old",
    "values": {"new": "ctl-1", "old": "old"},
    "done_when": "SELECT COUNT(*) = 0 FROM instances WHERE host = :old",
    "expect_rows": 2,
}
DELETE = {
    "sql": "DELETE FROM pairs WHERE a = :a",
    "values": {"a": "x"},
    "done_when": "SELECT COUNT(*) = 0 FROM pairs WHERE a = :a",
    "expect_rows": {"min": 1, "max": 5},
}
INSERT = {
    "sql": "INSERT INTO pairs (a, b, c) SELECT :a, b + 10, c FROM pairs WHERE a = 'x'",
    "values": {"a": "it's"},
    "done_when": "SELECT COUNT(*) > 0 FROM pairs WHERE a = :a",
    "expect_rows": 2,
}


@pytest.fixture(params=[Sqlite, pytest.param(Mariadb, marks=pytest.mark.integration)])
def db(request, tmp_path):
    database = request.param(tmp_path, "nova")
    database.run(*FILL)
    yield database
    database.forget()


@pytest.fixture
def act(sandbox, db):
    def run(args, current="run-1", **more):
        sandbox.run_id = current
        common = {"service": "nova", "database": "main", "dir": str(sandbox.root / "sets"), **db.args}
        model = sql_rewrite.Model.model_validate({**common, **args, **more})
        return sql_rewrite.judge(
            model, Evidence(sandbox.run(sql_rewrite.effect(model), {"password": shared().password}))
        )

    return run


def content(db):
    return [sorted(db.run(f"SELECT * FROM {table}"), key=repr) for table in ("instances", "pairs", "loose")]  # noqa: S608


@pytest.mark.parametrize(
    ("args", "rows"), [(UPDATE, "2"), (DELETE, "2"), (INSERT, "2")], ids=["update", "delete", "insert"]
)
def test_rows_are_changed_once_and_put_back(db, act, args, rows):
    before = content(db)
    for _ in range(2):
        done = act(args)
        assert isinstance(done, Done), done
        assert done.values == {"rows": rows}
    changed = content(db)
    assert changed != before
    assert isinstance(act(args, current="run-2", take_back=True), Done)
    assert content(db) == changed
    for _ in range(2):
        back = act(args, current="run-2", run="run-1", take_back=True)
        assert isinstance(back, Done), back
        assert content(db) == before


def test_the_way_back_touches_only_what_was_changed(db, act):
    assert isinstance(act(UPDATE), Done)
    db.run("UPDATE instances SET task = 'since' WHERE id = 1", "INSERT INTO instances VALUES (4, 'ctl-1', 'x', NULL)")
    assert isinstance(act(UPDATE, take_back=True), Done)
    rows = {row[0]: tuple(row[1:3]) for row in db.run("SELECT * FROM instances")}
    assert rows == {1: ("old", "old"), 2: ("old", "first"), 3: ("other", "old"), 4: ("ctl-1", "x")}
    assert [row[0] for row in db.run("SELECT id FROM instances WHERE task = 'since'")] == [1]


@pytest.mark.parametrize("expect", [1, 3, {"min": 3}, {"max": 1}])
def test_another_number_of_rows_changes_nothing(db, act, expect):
    before = content(db)
    failed = act(UPDATE, expect_rows=expect)
    assert isinstance(failed, Failed)
    assert "2 rows of instances are concerned" in failed.text
    assert content(db) == before


@pytest.mark.parametrize("args", [UPDATE, INSERT], ids=["update", "insert"])
def test_a_statement_that_misses_its_aim_changes_nothing(db, act, args):
    before = content(db)
    failed = act(args, done_when="SELECT 1 = 2")
    assert isinstance(failed, Failed)
    assert "done_when does not hold after the statement" in failed.text
    assert content(db) == before
    assert isinstance(act(args, take_back=True), Done)
    assert content(db) == before


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE loose SET a = 2 WHERE a = 1", "no primary key"),
        ("UPDATE instances SET id = 9 WHERE id = 1", "primary key"),
        ("UPDATE instances SET nothing = 9 WHERE id = 1", "nothing"),
        ("UPDATE absent SET a = 9 WHERE id = 1", "absent"),
    ],
)
def test_what_could_not_be_put_back_is_not_done(db, act, sql, why):
    before = content(db)
    failed = act(UPDATE, sql=sql, expect_rows=1, done_when="SELECT 0")
    assert isinstance(failed, Failed)
    assert why in failed.text
    assert content(db) == before


@pytest.mark.integration
@pytest.mark.parametrize("db", [Mariadb], indirect=True)
def test_a_delete_that_takes_rows_of_other_tables_is_refused(act, db):
    db.run(
        "CREATE TABLE child (id INT PRIMARY KEY, i INT, FOREIGN KEY (i) REFERENCES instances (id) ON DELETE CASCADE)"
    )
    failed = act(
        {**DELETE, "sql": "DELETE FROM instances WHERE host = :a", "values": {"a": "old"}, "done_when": "SELECT 0"}
    )
    assert isinstance(failed, Failed)
    assert "other tables lose rows" in failed.text


def test_values_are_never_read_as_sql(db, act):
    odd = "x'; DELETE FROM pairs; -- \\ é\n%"
    assert isinstance(act(UPDATE, values={"new": odd, "old": "old"}), Done)
    assert [row[0] for row in db.run("SELECT host FROM instances WHERE id < 3")] == [odd, odd]
    assert len(db.run("SELECT * FROM pairs")) == 3


@pytest.mark.parametrize(
    "bad",
    [
        {"sql": "DROP TABLE t"},
        {"done_when": "DELETE FROM t WHERE 1 = 1"},
        {"values": {"new": "x"}},
        {"expect_rows": {"min": -1}},
        {"sql": "UPDATE t SET a = :missing WHERE b = 1"},
    ],
)
def test_bad_arguments_are_refused(bad):
    good = {"service": "nova", "database": "main", "dir": "/x", "engine": "sqlite", "path": "/x", **UPDATE}
    sql_rewrite.Model.model_validate(good)
    with pytest.raises(ValidationError):
        sql_rewrite.Model.model_validate({**good, **bad})
