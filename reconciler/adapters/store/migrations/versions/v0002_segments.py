"""Let entries go that a checkpoint seals, in the transaction that seals them and in no other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SEALING = "(SELECT sealing FROM head)"

REFUSAL = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"

KEPT_BUT_SEALED = {
    "sqlite": (
        "DROP TRIGGER entries_kept",
        f"CREATE TRIGGER entries_kept BEFORE DELETE ON entries WHEN OLD.seq >= {SEALING} {REFUSAL}",
    ),
}
"""By dialect."""


def upgrade() -> None:
    """Add where a checkpoint stands that is being written, 0 otherwise."""
    op.add_column("head", sa.Column("sealing", sa.Integer, nullable=False, server_default="0"))
    for statement in KEPT_BUT_SEALED[op.get_bind().dialect.name]:
        op.execute(statement)
