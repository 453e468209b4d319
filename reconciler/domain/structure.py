"""The structure of a database: its tables, columns, keys and indexes in a normal form, one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What an object of a schema is."""

    TABLE = "table"
    COLUMN = "column"
    PRIMARY = "primary"
    UNIQUE = "unique"
    INDEX = "index"
    FOREIGN = "foreign"


_PLAIN = re.compile(r"[^A-Za-z0-9_$-]")


def plain(name: str) -> str:
    """Write a name so that it holds neither space, dot nor anything that a terminal would obey."""
    return _PLAIN.sub(lambda odd: "".join(f"%{byte:02x}" for byte in odd[0].encode("utf-8", "surrogatepass")), name)


@dataclass(frozen=True, slots=True, order=True)
class SchemaObject:
    """One object. `name` is empty for a table, a primary key, and a key that the server named by itself.

    `form` is what must be equal for two objects of one name to be the same: a column's type, a key's columns.
    """

    part: Part
    table: str
    name: str
    form: str

    def __str__(self) -> str:
        subject = f"{self.table}.{self.name}" if self.name else self.table
        return f"{self.part} {subject} {self.form}".rstrip()


def read_object(line: str) -> SchemaObject:
    """Read a line as `str` of an object wrote it.

    Raises:
        ValueError: it is no such line.
    """
    part, _, rest = line.partition(" ")
    subject, _, form = rest.partition(" ")
    table, _, name = subject.partition(".")
    if not table:
        raise ValueError(f"{line!r} names no object of a schema")
    return SchemaObject(Part(part), table, name, form)


@dataclass(frozen=True, slots=True)
class Structure:
    """All objects of one database but its version tables.

    `engine` says how the lines came to be: those of two engines are never compared, for neither types nor implied
    indexes are the same. Without `rules_seen` the account may not see what foreign keys do on delete and update.
    """

    engine: str
    objects: frozenset[SchemaObject]
    rules_seen: bool = True

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the objects as text, sorted by table, and within it tables, columns, keys."""
        order = {part: place for place, part in enumerate(Part)}
        return tuple(map(str, sorted(self.objects, key=lambda each: (each.table, order[each.part], each))))

    @property
    def tables(self) -> frozenset[str]:
        """Return the names of the tables."""
        return frozenset(each.table for each in self.objects if each.part is Part.TABLE)


def read_structure(engine: str, lines: Iterable[str]) -> Structure:
    """Read what `lines` wrote; raises ValueError."""
    return Structure(engine, frozenset(map(read_object, lines)))


@dataclass(frozen=True, slots=True)
class Expected:
    """What a release leaves: all that its real runs left.

    One run began with an empty database, another came from older releases; where they differ, either is right.
    `origins` says of each run what made it.
    """

    runs: tuple[Structure, ...]
    origins: tuple[str, ...]

    @property
    def engine(self) -> str:
        """Return the engine that all runs were made on."""
        return self.runs[0].engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is expected of one database by release, and the tables of every database that is known, by its name."""

    expected: Mapping[str, Expected]
    tables: Mapping[str, frozenset[str]]
