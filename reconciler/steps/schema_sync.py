"""Runs a release's schema tool on the bootstrap host, and believes only what is read back: marker and structure."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from reconciler.domain.comparison import Comparison, Judgement
from reconciler.domain.desired import Database
from reconciler.domain.effect import Ask, AskMarker, AskStructure, HostScript
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.domain.schema import SchemaMarker
from reconciler.steps import Args, Evidence, command
from reconciler.steps._judge import answer, by_exit
from reconciler.steps._show import typed

KIND = "schema_sync"
TIMEOUT_S = 3600.0
REPEATABLE = False  # DDL of MySQL and SQLite is not transactional: a died migration is a position of its own
INTERRUPTIBLE = False


class Marker(Args):
    """A marker of the catalog: alembic heads, and versions of repositories; None means that the table is not used."""

    alembic: tuple[str, ...] | None = None
    migrate: Mapping[str, int] | None = None


class Moved(Args):
    """A database that the tool moves, and the markers of which one must stand in it afterwards.

    With `absent_ok` the release also works without the database: it may be missing, or be empty.
    `component` is the catalog's name of the service whose structure at the release is compared; empty: the step leaves
    the schema in the middle of a hop, where no structure is expected.
    """

    database: Database
    accept: tuple[Marker, ...] = Field(min_length=1)
    absent_ok: bool = False
    component: str = ""


class Model(Moved):
    """The tool's argv, the database that it moves, and `also` those that the same command moves.

    `allow_leftover_migrate`: a release on alembic may find the `migrate_version` table of its predecessors.
    """

    service: str
    release: str
    argv: tuple[str, ...] = Field(min_length=1)
    env: Mapping[str, str] = {}
    cwd: str = ""
    also: tuple[Moved, ...] = ()
    allow_leftover_migrate: bool = False

    @property
    def moved(self) -> tuple[Moved, ...]:
        """All databases that the tool moves."""
        return (self, *self.also)


def effect(args: Model) -> HostScript:
    """Render the tool's command."""
    return command.effect(command.Model(argv=args.argv, env=args.env, cwd=args.cwd))


def shows(args: Model) -> tuple[str, ...]:
    """Show the tool's command."""
    return (typed(args.argv, args.env, args.cwd),)


def proved(args: Model) -> tuple[str, ...]:
    """Name the versions of which one must be read back, and what is compared."""
    expected = " or ".join(_name(marker.alembic, marker.migrate) for marker in args.accept)
    version = f"the version of {args.database.name}, read by SQL, is {expected}"
    names = ", ".join(each.database.name for each in args.moved if each.component)
    return (version, f"tables, columns and keys of {names} are those of {args.release}") if names else (version,)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask each database for its marker, and where the hop ends, for what differs in its structure."""
    asks: list[Ask] = []
    for each in args.moved:
        asks += [AskMarker(each.database), *_compared(args, each)]
    return tuple(asks)


def _compared(args: Model, moved: Moved) -> tuple[AskStructure, ...]:
    return (AskStructure(moved.database, moved.component, args.release),) if moved.component else ()


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Follow the exit code where it is bad; where it is good, only markers and structures decide."""
    exit_ = by_exit(evidence)
    if not isinstance(exit_, Done):
        return exit_
    values: dict[str, list[str]] = {}
    texts: list[str] = []
    for moved in args.moved:
        found = _read_back(args, moved, evidence)
        if not isinstance(found, Done):
            return found
        for name, value in found.values.items():
            values.setdefault(name, []).append(f"{moved.database.name}: " * bool(args.also) + value)
        texts.append(found.text)
    return Done({name: "; ".join(told) for name, told in values.items()}, "; ".join(texts))


def _read_back(args: Model, moved: Moved, evidence: Evidence) -> Outcome:
    expected = " or ".join(_name(marker.alembic, marker.migrate) for marker in moved.accept)
    where = f"database {moved.database.name} of {args.service}"
    gone = Failed(Reason.SCHEMA_MISMATCH, f"{where} does not exist; {args.release} has {expected}")
    found = answer(evidence, AskMarker(moved.database), SchemaMarker, absent=gone)
    if moved.absent_ok and (found is gone or (isinstance(found, SchemaMarker) and found.tables == 0)):
        return Done({"marker": "none yet"}, f"{where} is not there yet")
    if isinstance(found, Failed | Lost):
        return found
    seen = _name(None if found.alembic is None else tuple(found.alembic), found.migrate)
    if not any(accepts(marker, found, leftover=args.allow_leftover_migrate) for marker in moved.accept):
        text = f"{where} has {seen} after the tool ended well; {args.release} has {expected}"
        return Failed(Reason.SCHEMA_MISMATCH, text, "Do not start the service; see `reconciler identify`.")
    return _structure(args, moved, evidence, Done({"marker": seen}, f"{where} has {seen}"))


def _structure(args: Model, moved: Moved, evidence: Evidence, sound: Done) -> Outcome:
    """Fail on what harms the release's code, and note the rest in the result."""
    if not moved.component:
        return sound
    gone = Failed(Reason.STRUCTURE_MISMATCH, f"database {moved.database.name} vanished while its structure was read")
    (question,) = _compared(args, moved)
    found = answer(evidence, question, Comparison, absent=gone)
    if isinstance(found, Failed | Lost):
        return found
    if found.worst is Judgement.DAMAGING:
        text = f"{sound.text}, but not the structure of {args.release}: {found.told}: {found.listed}"
        hint = "Do not start the service: restore the backup set. `reconciler schema diff` lists and explains them all."
        return Failed(Reason.STRUCTURE_MISMATCH, text, hint)
    text = f"{sound.text}; its structure: {found.told}"
    if found.worst is Judgement.NOTABLE:
        text += f": {found.listed}"
    return Done({**sound.values, "structure": found.told}, text)


def accepts(accepted: Marker, found: SchemaMarker, *, leftover: bool) -> bool:
    """Compare a marker read with one of the catalog: all heads, and the repositories that the catalog names."""
    if frozenset(accepted.alembic or ()) != (found.alembic or frozenset()):
        return False
    if accepted.migrate is None:
        return leftover or not found.migrate
    return found.migrate is not None and all(found.migrate.get(name) == at for name, at in accepted.migrate.items())


def _name(alembic: tuple[str, ...] | None, migrate: Mapping[str, int] | None) -> str:
    heads = [] if alembic is None else [f"alembic {', '.join(sorted(alembic)) or 'empty'}"]
    rows = (
        [] if migrate is None else [f"migrate {', '.join(f'{k}={v}' for k, v in sorted(migrate.items())) or 'empty'}"]
    )
    return " with ".join(heads + rows) or "no version table"
