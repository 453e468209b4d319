"""The operator's side of the store: leaves commands for the daemon and waits for its answers."""

from __future__ import annotations

from sqlalchemy import insert, select

from reconciler.adapters.store.engine import explained, writable
from reconciler.adapters.store.schema import require_current
from reconciler.adapters.store.tables import COMMANDS, moment, storable
from reconciler.ports import Clock


class Inbox:
    """Where the command line leaves commands for the daemon, from another process, without the lease."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._engine = writable(url)
        with explained(self._engine), self._engine.begin() as connection:
            require_current(connection)

    def ask(self, verb: str, subject: str, by: str, why: str) -> int:
        """Leave a command durably and return its id; the daemon's next pass carries it out."""
        texts = {"verb": verb, "subject": subject, "by": by, "why": why}
        line = {name: storable(text) for name, text in texts.items()} | {"at": moment(self._clock.now())}
        with explained(self._engine), self._engine.begin() as connection:
            return int(connection.execute(insert(COMMANDS).values(line).returning(COMMANDS.c.id)).scalar_one())

    def answer_to(self, command_id: int) -> str | None:
        """Return the daemon's answer to a command, None while there is none."""
        with explained(self._engine), self._engine.begin() as connection:
            return connection.scalar(select(COMMANDS.c.answer).where(COMMANDS.c.id == command_id))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
