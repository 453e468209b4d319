"""The version of the store's schema: brought up to date by the daemon, checked by readers."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from reconciler.adapters.store.engine import explained, place_of
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError


def version_of(engine: Engine) -> str:
    """Return the version of a store's schema, empty for a new one; raises JournalError when the store is newer."""
    with explained(engine), engine.begin() as connection:
        _refuse_newer(connection, _config())
        return MigrationContext.configure(connection).get_current_revision() or ""


def migrate(engine: Engine) -> None:
    """Bring the schema to this version's, in one transaction; raises JournalError when the store is newer."""
    config = _config()
    with explained(engine), engine.begin() as connection:
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current(connection: Connection) -> None:
    """Raise JournalError unless the schema is exactly this version's."""
    config = _config()
    _refuse_newer(connection, config)
    found = MigrationContext.configure(connection).get_current_heads()
    if set(found) != set(ScriptDirectory.from_config(config).get_heads()):
        raise JournalError(
            f"the store {place_of(connection.engine)} is of an older version, or was never used by a daemon",
            reason=Reason.JOURNAL_VERSION,
            hint="Start `reconciler run` of this version once; it brings the store up to date.",
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "reconciler.adapters.store:migrations")
    return config


def _refuse_newer(connection: Connection, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    strange = sorted(set(MigrationContext.configure(connection).get_current_heads()) - known)
    if strange:
        raise JournalError(
            f"the store {place_of(connection.engine)} has schema version {', '.join(strange)}, "
            f"this program knows up to {max(known)}",
            reason=Reason.JOURNAL_VERSION,
            hint="Run the version that wrote the store, or a newer one, or restore the store's backup of before.",
        )
