"""The form of the files under `structure/`: what real code of each release left in a database, for people to review.

    engine mariadb
    run ocata walk: neutron 10.0.7, Python 2.7.18, MariaDB 10.11.19
    run pike fresh: neutron 11.0.8, Python 2.7.18, MariaDB 10.11.19

    table agents utf8mb3
      column id varchar(36) not null
      column load int not null default '0'  @ queens..
      index idx_state (state)               @ ..pike, train fresh

Each object stands once, under its table. After `@` stand the stretches of releases that have it, both ends included,
an open end reaching to the oldest or newest release of the file; without it the object is where its table is. A
stretch with `fresh` or `walk` holds for that kind of run alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.domain.structure import Expected, Part, SchemaObject, Structure, read_object


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """One run of a release's code: `fresh` on an empty database, or the end of a `walk` through older releases."""

    release: str
    how: str


HOWS = ("fresh", "walk")

Runs = frozenset[Run]


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureFile:
    """A file, read: runs with what made them, releases in order, and the runs that left each object."""

    engine: str
    runs: Mapping[Run, str]
    objects: Mapping[SchemaObject, Runs]

    def expected(self, release: str) -> Expected | None:
        """Return what a release leaves; None when none of its runs is known."""
        runs = [run for run in self.runs if run.release == release]
        if not runs:
            return None
        return Expected(
            tuple(
                Structure(self.engine, frozenset(o for o, left in self.objects.items() if run in left)) for run in runs
            ),
            tuple(f"{run.release} {run.how}: {self.runs[run]}" for run in runs),
        )

    @property
    def releases(self) -> tuple[str, ...]:
        """Return the releases in order."""
        return tuple(dict.fromkeys(run.release for run in self.runs))


def read_file(text: str) -> StructureFile:
    """Read a file; raises ValueError with the line."""
    engine, runs = "", dict[Run, str]()
    heads, members = list[str](), list[tuple[str, str]]()
    table = ""
    for line in text.splitlines():
        match line.split(" ", 1):
            case [""] | ["#", _]:
                continue
            case ["engine", name]:
                engine = name
            case ["run", rest]:
                run, _, origin = rest.partition(": ")
                runs[Run(*run.split())] = origin
            case ["table", rest]:
                table = rest.split()[0]
                heads.append(line)
            case ["", _] if table:
                members.append((table, line.strip()))
            case _:
                raise ValueError(f"{line!r} is no line of a structure file")
    return StructureFile(engine=engine, runs=runs, objects=_objects(heads, members, runs))


def _objects(
    heads: Iterable[str], members: Iterable[tuple[str, str]], runs: Mapping[Run, str]
) -> dict[SchemaObject, Runs]:
    reach = _Reach(runs)
    objects, tables = dict[SchemaObject, Runs](), dict[str, Runs]()
    for line in heads:
        told, _, stretches = line.partition("  @ ")
        head = read_object(told.rstrip())
        objects[head] = reach.read(stretches) if stretches else frozenset(runs)
        tables[head.table] = tables.get(head.table, frozenset()) | objects[head]
    for table, line in members:
        told, _, stretches = line.partition("  @ ")
        objects[_member(table, told.rstrip())] = reach.read(stretches) if stretches else tables[table]
    return objects


def _member(table: str, told: str) -> SchemaObject:
    """Read an indented object, whose line leaves its table out."""
    part, _, rest = told.partition(" ")
    subject = table if rest.startswith("(") else f"{table}."
    return read_object(f"{part} {subject}{' ' if subject == table else ''}{rest}")


def write_file(file: StructureFile, title: str) -> str:
    """Write what `read_file` reads; equal files give equal text."""
    lines = [f"# {title}", "", f"engine {file.engine}"]
    lines += [f"run {run.release} {run.how}: {origin}" for run, origin in file.runs.items()]
    reach = _Reach(file.runs)
    ordered = sorted(file.objects, key=lambda each: (each.table, list(Part).index(each.part), each))
    for _, group in groupby(ordered, key=lambda each: each.table):
        lines += ["", *_table_lines(list(group), file.objects, reach)]
    return "\n".join(lines) + "\n"


def _table_lines(objects: Sequence[SchemaObject], left: Mapping[SchemaObject, Runs], reach: _Reach) -> Iterator[str]:
    heads = [each for each in objects if each.part is Part.TABLE]
    whole = frozenset().union(*(left[head] for head in heads))
    for head in heads:
        yield _with(str(head), reach.write(left[head]))
    for each in objects[len(heads) :]:
        told = f"  {each.part} {each.name} {each.form}" if each.name else f"  {each.part} {each.form}"
        yield _with(told, "" if left[each] == whole else reach.write(left[each]))


def _with(told: str, stretches: str) -> str:
    return f"{told}  @ {stretches}" if stretches else told


class _Reach:
    """Turns sets of runs into stretches and back."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = tuple(runs)
        self._releases = tuple(dict.fromkeys(run.release for run in self._runs))

    def read(self, text: str) -> Runs:
        """Return the runs that stretches name."""
        return frozenset(run for part in text.split(", ") for run in self._one(*part.split()))

    def _one(self, ends: str, how: str = "") -> Iterator[Run]:
        first, dots, last = ends.partition("..")
        low = self._releases.index(first) if first else 0
        high = self._releases.index(last) if last else len(self._releases) - 1 if dots else low
        stretch = self._releases[low : high + 1]
        return (run for run in self._runs if run.release in stretch and (not how or run.how == how))

    def write(self, runs: Runs) -> str:
        """Name runs; nothing names them all."""
        if runs == frozenset(self._runs):
            return ""
        whole = {name for name in self._releases if all(run in runs for run in self._runs if run.release == name)}
        told = list(self._stretches(whole))
        for how in HOWS:
            told += [f"{each} {how}" for each in self._stretches({r.release for r in runs if r.how == how} - whole)]
        return ", ".join(told)

    def _stretches(self, releases: Iterable[str]) -> Iterator[str]:
        places = sorted(map(self._releases.index, releases))
        for _, group in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0]):
            stretch = [place for _, place in group]
            low, high = stretch[0], stretch[-1]
            first = "" if low == 0 else self._releases[low]
            last = "" if high == len(self._releases) - 1 else self._releases[high]
            yield self._releases[low] if low == high else f"{first}..{last}"
