"""Make the journal: entries, head, commands, documents, and the triggers that keep entries as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

GENESIS = "0" * 64

REFUSAL = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"

NEWEST = "(SELECT seq FROM head)"

APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER entries_unchanged BEFORE UPDATE ON entries {REFUSAL}",
        f"CREATE TRIGGER entries_kept BEFORE DELETE ON entries {REFUSAL}",
        # INSERT OR REPLACE removes the old row without asking the trigger above.
        f"CREATE TRIGGER entries_unreplaced BEFORE INSERT ON entries WHEN NEW.seq <= {NEWEST} {REFUSAL}",
    ),
}
"""By dialect; a database without its own triggers here is refused."""


def upgrade() -> None:
    """Create everything; the caller's transaction makes it all or nothing."""
    name, moment, digest = sa.String(255), sa.String(32), sa.String(64)
    op.create_table(
        "entries",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("kind", name, nullable=False),
        sa.Column("group", name, nullable=False),
        sa.Column("run", name, nullable=False),
        sa.Column("step", name, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("prev", digest, nullable=False),
        sa.Column("hash", digest, nullable=False),
    )
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("holder", name, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", digest, nullable=False),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("verb", name, nullable=False),
        sa.Column("subject", name, nullable=False),
        sa.Column("by", name, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("answered_at", moment),
        sa.Column("answer", sa.Text),
    )
    op.create_table(
        "documents",
        sa.Column("name", name, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "epoch": 0, "holder": "", "seq": 0, "hash": GENESIS}])
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
