"""Turns validated rules and notes into the nouns of the domain."""

from __future__ import annotations

from reconciler.catalog.check import span, wrong
from reconciler.catalog.rule_model import (
    ExclusionModel,
    ExposureModel,
    NoteModel,
    RowsModel,
    RuleModel,
    SchemaTestModel,
)
from reconciler.domain.catalog import Database
from reconciler.domain.relation import Exclusion, Exposure, Skew
from reconciler.domain.release import Series
from reconciler.domain.row_probe import RowProbe
from reconciler.domain.rule import Need, Note, Rule, SchemaTest


def build_rule(model: RuleModel, series: Series, databases: dict[str, Database] | None) -> Rule:
    """Resolve a rule against its series; `databases` are those that it may ask for, None when any.

    Raises:
        CatalogError: it names a release or database that is not there.
    """
    asked = {*([model.when.database] if model.when else []), *(name for rows in model.rows for name in rows.databases)}
    if databases is not None and (unknown := sorted(asked - databases.keys())):
        raise wrong(model.id, f"asks for an unknown database {unknown[0]}")
    if model.when and databases is not None:
        _check_test(model.id, model.when, databases[model.when.database])
    return Rule(
        id=model.id,
        kind=model.kind,
        reason=model.reason,
        source=model.source,
        verified=model.verified,
        origins=span(model.origins, series),
        goals=span(model.goals, series),
        pairs=frozenset((series.find(start).index, series.find(goal).index) for start, goal in model.pairs),
        when=_schema_test(model.when) if model.when else None,
        met_by=span(model.met_by, series) if model.met_by else None,
        needs=Need(**model.needs.model_dump()) if model.needs else None,
        excludes=_exclusion(model.excludes) if model.excludes else None,
        skew=Skew(**model.skew.model_dump()) if model.skew else None,
        exposed=model.exposed if isinstance(model.exposed, str) else model.exposed.text,
        exposure=_exposure(model.exposed) if isinstance(model.exposed, ExposureModel) else None,
        meet=model.meet,
        rows=tuple(probe for rows in model.rows for probe in _probes(rows)),
        stops=model.stops,
        cure=tuple(model.cure),
        cured_by=span(model.cured_by, series) if model.cured_by else None,
        outcome=model.outcome,
        says=model.says,
        leaves=model.leaves,
    )


def _check_test(rule: str, model: SchemaTestModel, database: Database) -> None:
    """Refuse a question about a revision or repository that is not there: it would never hold."""
    known = {database.base, *(revision for branch in database.branches for revision in branch.revisions)}
    known |= {repository.name for repository in database.repositories}
    rows = (*model.migrate_below, *model.migrate_at_least, *model.migrate_missing)
    strange = sorted({*model.alembic_any, *model.alembic_none, *rows} - known)
    if strange:
        raise wrong(rule, f"asks for {strange[0]}, which database {model.database} does not have")


def _schema_test(model: SchemaTestModel) -> SchemaTest:
    sets = {name: frozenset(getattr(model, name)) for name in ("migrate_missing", "alembic_any", "alembic_none")}
    return SchemaTest(**model.model_dump() | sets)


def _exclusion(model: ExclusionModel) -> Exclusion:
    return Exclusion(service=model.service, first=model.first or "", last=model.last or "")


def _exposure(model: ExposureModel) -> Exposure:
    return Exposure(
        text=model.text,
        promql=model.promql or "",
        sql=model.sql or "",
        database=model.database if model.sql else "",
        command=model.command or (),
    )


def _probes(model: RowsModel) -> tuple[RowProbe, ...]:
    return tuple(RowProbe(database=name, sql=model.sql, key=model.key, tables=model.tables) for name in model.databases)


def build_note(model: NoteModel, series: Series) -> Note:
    """Resolve a note against its series."""
    return Note(
        id=model.id,
        text=model.text,
        source=model.source,
        verified=model.verified,
        releases=span(model, series),
    )
