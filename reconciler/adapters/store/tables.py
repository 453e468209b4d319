"""The store's tables; a change here is a new migration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, Text

METADATA = MetaData()

NAME = String(255)
MOMENT = String(32)  # ISO 8601 in UTC with microseconds
DIGEST = String(64)

ENTRIES = Table(
    "entries",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", MOMENT, nullable=False),
    Column("kind", NAME, nullable=False),
    Column("group", NAME, nullable=False),
    Column("run", NAME, nullable=False),
    Column("step", NAME, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev", DIGEST, nullable=False),
    Column("hash", DIGEST, nullable=False),
)
"""The journal itself; triggers refuse any change to a row, but for its removal when it is sealed."""

HEAD = Table(
    "head",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("holder", NAME, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", DIGEST, nullable=False),
    Column("sealing", Integer, nullable=False, server_default="0"),
)
"""One row: the lease (who may write, under which epoch) and the newest entry, so that a cut-off end is noticed.

`sealing` is the number of a checkpoint while it is being written, 0 otherwise: entries before it may go.
"""

COMMANDS = Table(
    "commands",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("verb", NAME, nullable=False),
    Column("subject", NAME, nullable=False),
    Column("by", NAME, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("answered_at", MOMENT),
    Column("answer", Text),
)
"""The inbox: what operators asked for on the command line, and what came of it."""

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", MOMENT, nullable=False),
)
"""The newest report and observation, for readers; not part of the chain, never used to decide."""


def storable(text: str) -> str:
    """Escape what UTF-8 cannot hold: arguments of a command line may be any bytes."""
    return text.encode(errors="backslashreplace").decode()


def moment(at: datetime) -> str:
    """Write a moment as it is stored."""
    return at.isoformat(timespec="microseconds")
