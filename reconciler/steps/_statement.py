"""One SQL statement that changes rows, read just far enough to know which rows, and to bind values into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>'(?:[^'\\]|'')*')|(?P<quoted>`[A-Za-z0-9_]+`|"[A-Za-z0-9_]+")|(?P<name>:[a-z][a-z0-9_]*)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<sign><=|>=|<>|!=|\|\||[-+*/%<>=(),.])""",
    re.VERBOSE,
)
_REFUSED = frozenset({"order", "limit", "returning", "into", "union"})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement; `depth` counts the brackets around it."""

    kind: str
    text: str
    depth: int

    def is_word(self, *words: str) -> bool:
        """Tell whether it is one of these keywords, outside of brackets."""
        return self.kind == "word" and self.depth == 0 and self.text.lower() in words


@dataclass(frozen=True, slots=True)
class Statement:
    """`verb` is update, delete or insert; `where` is the condition's text; `columns` are those that an update sets."""

    verb: str
    table: str
    where: str
    columns: tuple[str, ...]


def tokens(sql: str) -> tuple[Token, ...]:
    """Split a statement; raises ValueError for what could hide a second one: semicolons, comments, backslashes."""
    found: list[Token] = []
    at = depth = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None or sql.startswith(("--", "/*"), at):
            raise ValueError(
                f"cannot read {sql[at : at + 12]!r}: bind odd values with :name; one statement, no comment"
            )
        depth -= match[0] == ")"
        found.append(Token(str(match.lastgroup), match[0], depth))
        depth += match[0] == "("
        at = match.end()
    if depth:
        raise ValueError("its brackets do not match")
    return tuple(found)


def names(sql: str) -> frozenset[str]:
    """Return the names that values are bound to."""
    return frozenset(token.text[1:] for token in tokens(sql) if token.kind == "name")


def bind(sql: str, values: Mapping[str, str | int]) -> str:
    """Put values in as literals: numbers as such, text as the hexadecimal of its UTF-8, which nothing can escape."""
    return "".join(_literal(values[token.text[1:]]) if token.kind == "name" else token.text for token in tokens(sql))


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(int(value))
    return f"_utf8mb4 X'{value.encode().hex()}'" if value else "''"


def is_question(sql: str) -> bool:
    """Tell whether a statement only asks."""
    words = [token for token in tokens(sql) if token.kind != "space"]
    return bool(words) and words[0].is_word("select") and not any(token.text.lower() == "into" for token in words)


def parse(sql: str) -> Statement:
    """Read a statement; raises ValueError where it is none of the three, or would change all rows."""
    words = [token for token in tokens(sql) if token.kind != "space"]
    match [token.text.lower() for token in words[:3]]:
        case ["update", _, "set"]:
            head, verb, table = 2, "update", words[1]
        case ["delete", "from", _]:
            head, verb, table = 2, "delete", words[2]
        case ["insert", "into", _]:
            return Statement("insert", _plain(words[2]), "", ())
        case _:
            raise ValueError("it is not UPDATE t SET ..., DELETE FROM t ... or INSERT INTO t ...")
    at = next((n for n, token in enumerate(words) if token.is_word("where")), None)
    if at is None:
        raise ValueError("it has no WHERE")
    if any(token.is_word(*_REFUSED) for token in words):
        raise ValueError("ORDER BY, LIMIT, RETURNING and UNION are not understood")
    columns = _columns(words[head + 1 : at]) if verb == "update" else ()
    return Statement(verb, _plain(table), _after_where(sql), columns)


def _plain(token: Token) -> str:
    name = token.text.strip('`"')
    if token.kind not in {"word", "quoted"}:
        raise ValueError(f"{token.text} is not the name of a table or column")
    return name


def _columns(assignments: list[Token]) -> tuple[str, ...]:
    starts = [0, *(n + 1 for n, token in enumerate(assignments) if token.text == "," and token.depth == 0)]
    for start in starts:
        if [token.text for token in assignments[start + 1 : start + 2]] != ["="]:
            raise ValueError("its SET is not a list of COLUMN = VALUE")
    return tuple(_plain(assignments[start]) for start in starts)


def _after_where(sql: str) -> str:
    pieces = tokens(sql)
    at = next(n for n, token in enumerate(pieces) if token.is_word("where"))
    return "".join(token.text for token in pieces[at + 1 :]).strip()
