"""Reading and binding of one statement."""

import pytest

from reconciler.steps import _statement
from reconciler.steps._statement import Statement, bind, is_question, names, parse


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        (
            "UPDATE instances SET host = :new, `launched_on`=IF(a = 1, :new, b) WHERE host = :old AND deleted = 0",
            Statement("update", "instances", "host = :old AND deleted = 0", ("host", "launched_on")),
        ),
        ("update t set a = (SELECT x FROM y WHERE z = 1) where b = 2", Statement("update", "t", "b = 2", ("a",))),
        ("DELETE FROM `services` WHERE host = 'it''s'", Statement("delete", "services", "host = 'it''s'", ())),
        ("INSERT INTO t (a) VALUES (:a)", Statement("insert", "t", "", ())),
    ],
)
def test_a_statement_is_read(sql, read):
    assert parse(sql) == read


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "UPDATE t SET a = 1 WHERE b = 1; DROP TABLE t",
        "UPDATE t SET a = 1 WHERE b = 1 -- c",
        "UPDATE t SET a = 1 WHERE b = 1 /* c */",
        "UPDATE t SET a = 1 WHERE b = 1 # c",
        "UPDATE t SET a = 'x\\' WHERE b = 1",
        "UPDATE t SET a = 'x WHERE b = 1",
        "UPDATE t SET a = 1 WHERE (b = 1",
        "UPDATE t SET a = 1 WHERE b = 1)",
        "UPDATE t SET a = 1 WHERE b = 1 LIMIT 1",
        "UPDATE t, u SET a = 1 WHERE b = 1",
        "UPDATE t SET (a, b) = (1, 2) WHERE b = 1",
        "UPDATE t SET a.b = 1 WHERE b = 1",
        "REPLACE INTO t VALUES (1)",
        "DROP TABLE t",
        "UPDATE t SET a = {host} WHERE b = 1",
        "SELECT 1",
        "",
    ],
)
def test_what_could_do_more_than_it_says_is_refused(sql):
    with pytest.raises(ValueError):  # noqa: PT011 - the sentences differ
        parse(sql)


def test_values_become_literals_that_nothing_escapes():
    sql = "UPDATE t SET a = :odd, b = ':odd', c = :empty WHERE d = :n AND e = :odder"
    odd = "' OR 1 = 1; -- é\\"
    told = bind(sql, {"odd": odd, "empty": "", "n": -3, "odder": "x"})
    hidden = odd.encode().hex()
    assert told == f"UPDATE t SET a = _utf8mb4 X'{hidden}', b = ':odd', c = '' WHERE d = -3 AND e = _utf8mb4 X'78'"  # noqa: S608
    assert names(sql) == {"odd", "empty", "n", "odder"}


def test_a_question_only_asks():
    assert is_question("SELECT COUNT(*) = 0 FROM t WHERE a = :a")
    assert not is_question("SELECT 1 INTO OUTFILE 'x'")
    assert not is_question("DELETE FROM t WHERE 1 = 1")
    assert not is_question("")
    assert not _statement.is_question("(SELECT 1)")
