"""Brings what a server says of its tables into the normal form of `reconciler.domain.structure`.

Servers differ in how they tell the same thing; what is levelled here, and why, stands at each rule. Left out are
checks, comments, column order, storage engines and row formats: no release of a service depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from reconciler.adapters.database_marker import VERSION_TABLES, ForeignError
from reconciler.domain.structure import Part, SchemaObject, Structure, plain

ROWS = 50_000
"""The most columns, and the most columns of keys, that are read; neutron's 203 tables have 1,300."""

# MySQL 8.0.19 dropped the display width of integers, which never meant anything; tinyint(1) is what a boolean is.
_WIDTH = re.compile(r"^(?!tinyint\(1\))((?:tiny|small|medium|big)?int|year)\(\d+\)")
# The engine names a foreign key that the migration did not, counting per table.
_NAMED_BY_ENGINE = re.compile(r"_ibfk_\d+$|^sqlite_autoindex_")
# In InnoDB these three mean the same.
_NO_RULE = {"RESTRICT", "NO ACTION", None}


class Column(NamedTuple):
    """A row per column. `collation` is the column's, `table_collation` its table's; None where there is none."""

    table: str
    name: str
    type: str
    nullable: bool
    default: str | None
    extra: str
    collation: str | None
    table_collation: str | None


class KeyColumn(NamedTuple):
    """A row per column of a key. `tail` follows all columns of its key, `target` is what a foreign key refers to."""

    part: Part
    table: str
    name: str
    position: int
    column: str
    tail: str = ""
    target: tuple[str, str] | None = None


def structure(
    engine: str, columns: Sequence[Column], keys: Sequence[KeyColumn], *, rules_seen: bool = True
) -> Structure:
    """Return the normal form; raises ForeignError when there is more than any service has."""
    if max(len(columns), len(keys)) > ROWS:
        raise ForeignError(f"it has more than {ROWS} columns or columns of keys")
    objects = [*_tables(columns), *map(_column, columns), *_keys(keys)]
    counted = frozenset(each for each in objects if each.table not in VERSION_TABLES)
    return Structure(engine, counted, rules_seen)


def rule(verb: str, action: object) -> str:
    """Word what a foreign key does when the row it refers to goes or changes; nothing for the default."""
    return "" if action in _NO_RULE else f" on {verb} {str(action).lower()}"


def _tables(columns: Iterable[Column]) -> Iterator[SchemaObject]:
    for name, collation in {(each.table, each.table_collation) for each in columns}:
        yield SchemaObject(Part.TABLE, plain(name), "", _charset(collation or ""))


def _charset(collation: str) -> str:
    """Return the character set alone, for collations differ by server version; utf8 is the old name of utf8mb3."""
    charset = collation.partition("_")[0]
    return "utf8mb3" if charset == "utf8" else charset


def _column(row: Column) -> SchemaObject:
    parts = [_type(row.type), "null" if row.nullable else "not null"]
    default = _default(row.default)
    if default is not None:
        parts.append(f"default '{default}'")
    if row.extra:
        parts.append(row.extra)
    if _is_binary(row):
        parts.append("binary")
    return SchemaObject(Part.COLUMN, plain(row.table), plain(row.name), " ".join(parts))


def _type(raw: str) -> str:
    """Level widths, and JSON, which MariaDB keeps as longtext."""
    name = _WIDTH.sub(r"\1", _printable(raw if "'" in raw else raw.lower()))
    return "longtext" if name == "json" else name


def _default(raw: str | None) -> str | None:
    """Level quotes: MariaDB 10.2.7 and newer write defaults as SQL, others as they are."""
    if raw is None or raw.upper() == "NULL":
        return None
    text = raw[1:-1].replace("''", "'") if len(raw) > 1 and raw[0] == raw[-1] == "'" else raw
    return "current_timestamp" if text.lower() in {"current_timestamp()", "current_timestamp"} else _printable(text)


def _is_binary(row: Column) -> bool:
    """Tell whether a column tells case apart in a table that does not; MariaDB's JSON does so by itself."""
    ours, tables = row.collation or "", row.table_collation or ""
    return ours.endswith("_bin") and not tables.endswith("_bin") and row.type.lower() != "longtext"


def _keys(rows: Iterable[KeyColumn]) -> Iterator[SchemaObject]:
    ordered = sorted(rows, key=lambda row: (row.table, row.part, row.name, row.position))
    for (table, part, name), group in groupby(ordered, key=lambda row: (row.table, row.part, row.name)):
        columns = list(group)
        form = f"({', '.join(row.column for row in columns)})"
        if columns[0].target is not None:
            theirs = [row.target[1] for row in columns if row.target is not None]
            form += f" references {plain(columns[0].target[0])} ({', '.join(map(plain, theirs))})"
        nameless = part is Part.PRIMARY or _NAMED_BY_ENGINE.search(name)
        yield SchemaObject(Part(part), plain(table), "" if nameless else plain(name), form + columns[0].tail)


def key_column(name: object, length: Any = None) -> str:  # noqa: ANN401 - a driver's value
    """Write a column of a key, with the length of a prefix; an index over an expression names no column."""
    if name is None:
        return "expression"
    return plain(str(name)) + (f"({int(length)})" if length else "")


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()
