"""The rows that stand in the way of a migration, counted in the transaction that reads nothing but."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select, text

from reconciler.domain.row_probe import SAMPLES, RowProbe, Rows, key_of


def read_rows(connection: Connection, tables: Collection[str], probe: RowProbe) -> Rows:
    """Count what a probe's SELECT yields and keep a few keys; `tables` are all of the database.

    The keys are those that the server finds first, sorted: to sort all of them would cost more than they tell.
    """
    missing = tuple(name for name in probe.tables if name not in tables)
    if missing:
        return Rows(count=0, missing=missing)
    # The loader of the catalog and the caller have seen to it that `sql` is one SELECT of a closed vocabulary.
    asked = text(probe.sql.replace(":", r"\:")).columns().subquery("found")  # `:name` would be a bind parameter
    count = connection.execute(select(func.count()).select_from(asked)).scalar_one()
    some: Select[Any] = select(literal_column("*")).select_from(asked).limit(SAMPLES)
    return Rows(count=count, sample=tuple(sorted(key_of(row) for row in connection.execute(some))))
