"""Row probes: read-only questions for the rows that stand in the way of a migration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SAMPLES = 5
"""How many keys are shown of the rows that were found."""
KEY_CHARS = 80

_TOKEN = re.compile(r"\s+|'[^'\\]*'|[A-Za-z_][A-Za-z0-9_]*|\d+|<>|<=|>=|!=|[(),.*=<>+-]")
# `INTO` writes files, `FOR` UPDATE and `LOCK` take locks; a read-only transaction stops none of it.
_FORBIDDEN = frozenset({"INTO", "FOR", "LOCK", "PROCEDURE", "PRAGMA"})
FUNCTIONS = frozenset(
    {"COALESCE", "COUNT", "LENGTH", "LOWER", "MAX", "MIN", "NULLIF", "SUBSTR", "SUM", "TRIM", "UPPER"}
)
"""All that a probe may call: every other function may have effects."""
_BEFORE_A_BRACKET = FUNCTIONS | {
    *("ALL", "AND", "AS", "BY", "CASE", "ELSE", "EXISTS", "FROM", "HAVING", "IN"),
    *("JOIN", "NOT", "ON", "OR", "SELECT", "THEN", "UNION", "WHEN", "WHERE"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProbe:
    """A SELECT that yields the rows in the way, and nothing when the way is free.

    Attributes:
        database: which of the service's databases is asked.
        sql: one SELECT that MariaDB and SQLite both understand; its columns together are the key of a row.
        key: what the key is, for people: `instance uuid`.
        tables: tables that must all be there, else the probe does not apply.
    """

    database: str
    sql: str
    key: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a probe found: how many rows, the keys of the first few, and tables whose absence made it not apply."""

    count: int
    sample: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def flaw_of(sql: str) -> str:
    """Say why a text is not one harmless SELECT; empty when it is.

    A closed vocabulary instead of a list of dangers: no comment, no variable, no quoted name, no backslash, no second
    statement, and no function but those that only compute.
    """
    words, end = [], 0
    while end < len(sql):
        token = _TOKEN.match(sql, end)
        if token is None:
            return f"{sql[end]!r} may not stand in it"
        end = token.end()
        if not token[0].isspace():
            words.append(token[0])
    if not words or words[0].upper() != "SELECT":
        return "it must begin with SELECT"
    return _flaw_of_words(words)


def _flaw_of_words(words: Sequence[str]) -> str:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.upper() in _FORBIDDEN:
            return f"{word} may not stand in it"
        if following == "(" and (word[0].isalpha() or word[0] == "_") and word.upper() not in _BEFORE_A_BRACKET:
            return f"{word} may not be called in it"
        if word == following == "-":
            return "a comment may not stand in it"
    return ""


def key_of(row: Iterable[object]) -> str:
    """Write the key of a row for people: its columns with a slash between, without what a terminal would obey."""
    text = "/".join("NULL" if each is None else str(each) for each in row)
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown if len(shown) <= KEY_CHARS else f"{shown[: KEY_CHARS - 1]}…"
