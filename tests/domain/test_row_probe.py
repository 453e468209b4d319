"""What may be asked of a database, and how keys are shown."""

import pytest

from reconciler.domain.row_probe import KEY_CHARS, flaw_of, key_of

HARMLESS = (
    "SELECT uuid FROM instances WHERE uuid IS NULL",
    "select a.id, b.id from a left join b on b.id = a.b_id where (b.id is null)",
    "SELECT x FROM t WHERE y NOT IN (SELECT y FROM u) AND NOT EXISTS (SELECT 1 FROM w WHERE w.x = t.x)",
    "SELECT x, COUNT(*) FROM t GROUP BY x HAVING COUNT(*) > 1",
    "SELECT x FROM t WHERE y <> 'it is (not) a call; -- nor a comment' UNION SELECT x FROM u",
    "SELECT 1 - 2",
)
FLAWED = {
    "": "begin with SELECT",
    "   ": "begin with SELECT",
    "WITH x AS (SELECT 1) SELECT 1": "begin with SELECT",
    "UPDATE t SET x = 1": "begin with SELECT",
    "SELECT 1; SELECT 2": "';' may not stand",
    "SELECT 1 /*! INTO OUTFILE 'x' */": "'/' may not stand",
    "SELECT 1 -- more": "comment",
    "SELECT 1 - - more": "comment",
    "SELECT 1 # more": "'#' may not stand",
    "SELECT `x` FROM t": "'`' may not stand",
    'SELECT "x" FROM t': "may not stand",
    "SELECT @x": "'@' may not stand",
    "SELECT 'it\\' INTO OUTFILE ' x'": "may not stand",
    "SELECT 'open": "may not stand",
    "SELECT x INTO OUTFILE 'f' FROM t": "INTO may not stand",
    "SELECT x FROM t FOR UPDATE": "FOR may not stand",
    "SELECT NEXT VALUE FOR s": "FOR may not stand",
    "SELECT x FROM t LOCK IN SHARE MODE": "LOCK may not stand",
    "SELECT SLEEP(10)": "SLEEP may not be called",
    "SELECT sleep (10)": "sleep may not be called",
    "SELECT load_extension('x')": "load_extension may not be called",
    "SELECT _f(1)": "_f may not be called",
    "SELECT db.f(1)": "f may not be called",
}


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_harmless_select(sql: str) -> None:
    assert not flaw_of(sql)


@pytest.mark.parametrize(("sql", "flaw"), FLAWED.items())
def test_what_is_no_harmless_select(sql: str, flaw: str) -> None:
    assert flaw in flaw_of(sql)


def test_a_key_is_its_columns() -> None:
    assert key_of(("a", None, 3)) == "a/NULL/3"


def test_a_key_is_short_and_printable() -> None:
    shown = key_of(("\x1b]0;" + "é" * 200,))
    assert len(shown) == KEY_CHARS
    assert shown.startswith("?]0;é")
    assert shown.endswith("…")
