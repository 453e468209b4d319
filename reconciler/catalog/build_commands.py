"""Turns the commands of an era into those of one release."""

from __future__ import annotations

from reconciler.catalog.check import unique, wrong
from reconciler.catalog.commands_model import CommandList, EraModel, SetupModel
from reconciler.domain.commands import Backfill, Commands, SchemaCommand, Setup
from reconciler.domain.release import EVERY, Series, Span


def build_commands(where: str, era: EraModel, databases: tuple[str, ...], series: Series) -> Commands:
    """Resolve an era's commands for a release with these databases.

    Raises:
        CatalogError: `sync` does not move each database once, or a setup names no release.
    """
    sync = _schema_commands(era.sync, databases)
    moved = [name for command in sync for name in command.databases]
    unique(where, "database", moved)
    if missing := sorted(set(databases) - set(moved)):
        raise wrong(where, f"no command of sync moves database {missing[0]}")
    return Commands(
        sync=sync,
        expand=_schema_commands(era.expand, databases),
        migrate=_schema_commands(era.migrate, databases),
        contract=_schema_commands(era.contract, databases),
        setup=tuple(_setup(each, series) for each in era.setup),
        backfill=Backfill(**era.backfill.model_dump()) if era.backfill else None,
        check=era.check,
        upgrade_check=era.upgrade_check,
    )


def _schema_commands(models: CommandList | None, databases: tuple[str, ...]) -> tuple[SchemaCommand, ...]:
    """Leave out commands for databases that the release does not have."""
    return tuple(
        SchemaCommand(argv=each.argv, databases=tuple(n for n in each.databases or databases if n in databases))
        for each in models or ()
        if not each.databases or not set(databases).isdisjoint(each.databases)
    )


def _setup(model: SetupModel, series: Series) -> Setup:
    until = series.find(model.until).index if model.until else None
    origins = EVERY if until is None else Span(0, until - 1)
    return Setup(id=model.id, argv=model.argv, when=model.when, reason=model.reason, origins=origins)
