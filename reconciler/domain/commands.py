"""What a release brings along to move the schemas of its service: command lines, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.domain.release import EVERY, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaCommand:
    """A command that moves schemas, and the databases it moves, in its order."""

    argv: tuple[str, ...]
    databases: tuple[str, ...]


class When(StrEnum):
    """On which side of a release's schema commands something runs."""

    BEFORE_SYNC = "before_sync"
    AFTER_SYNC = "after_sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A command beside a release's schema commands, for hops that start in `origins`; others have it behind them."""

    id: str
    argv: tuple[str, ...]
    when: When
    reason: str
    origins: Span = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """Online data migrations: a command that is repeated until its exit code is in `done`; `more` asks to go on.

    `stopped` are exit codes that mean as much where the services are stopped, because a part of it asks services.
    """

    argv: tuple[str, ...]
    source: str
    done: tuple[int, ...] = (0,)
    more: tuple[int, ...] = (1,)
    failed: tuple[int, ...] = (2,)
    stopped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """An answer of a release's upgrade check that says nothing: one of `codes`, and where given an output."""

    codes: tuple[int, ...]
    reason: str
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The schema commands of a release, in the order of running; none: the release has no such command."""

    sync: tuple[SchemaCommand, ...]
    expand: tuple[SchemaCommand, ...] = ()
    migrate: tuple[SchemaCommand, ...] = ()
    contract: tuple[SchemaCommand, ...] = ()
    setup: tuple[Setup, ...] = ()
    backfill: Backfill | None = None
    check: tuple[str, ...] | None = None
    upgrade_check: tuple[str, ...] | None = None
    lies: tuple[Lie, ...] = ()

    def argvs(self) -> Iterator[tuple[str, ...]]:
        """Yield every command line of the release."""
        yield from (each.argv for each in (*self.sync, *self.expand, *self.migrate, *self.contract))
        yield from (each.argv for each in self.setup)
        yield from (argv for argv in (self.backfill and self.backfill.argv, self.check, self.upgrade_check) if argv)
