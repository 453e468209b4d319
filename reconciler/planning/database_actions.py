"""Actions on databases: back up, change the schema, seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from reconciler.domain.catalog import Service as Component
from reconciler.domain.dburl import host_endpoint
from reconciler.domain.desired import Database
from reconciler.domain.marker import Marker, Stage
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Json, Undo
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.planning.position import version_of
from reconciler.planning.setting import Draft, Setting, wanted_build
from reconciler.planning.words import host_words, release_words


def backup(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Dump each database on the bootstrap host."""
    return tuple(
        Draft(kind="backup", title=f"back up database {name}", key=f"backup.{name}", args=target(setting, database))
        for name, database in _databases(setting)
    )


def _databases(setting: Setting) -> tuple[tuple[str, Database], ...]:
    """Return the databases with their URLs filled for the bootstrap host."""
    host = setting.desired.hosts[setting.service.bootstrap]
    words = host_words(setting.service, host)
    return tuple(
        (name, replace(db, url=fill(db.url, words), host_url=fill(db.host_url or db.url, words)))
        for name, db in sorted(setting.service.databases.items())
    )


def target(setting: Setting, database: Database) -> dict[str, Json]:
    """Describe a database as the backup and restore steps want it, as seen from the bootstrap host."""
    host = setting.desired.hosts[setting.service.bootstrap]
    place = host_endpoint(database)
    build = setting.build(setting.goal) or setting.build(setting.start)
    return {
        "python": build.python if build and build.python else "/usr/bin/python3",
        "service": setting.service.name,
        "database": database.name,
        "engine": place.engine,
        "path": place.path,
        "host": place.host,
        "port": place.port,
        "user": place.user,
        "dbname": place.dbname,
        "password": None if database.password is None else asdict(database.password),
        "dir": fill(setting.service.backup_dir, host_words(setting.service, host)),
    }


def schema(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Run a release's schema command; `mode` is sync, expand, migrate or contract; some releases have none."""
    mode = str(args.get("mode", "sync"))
    component = setting.catalog.service(setting.service.component)
    command = getattr(component.at(setting.goal).commands, mode)
    if command is None:
        return ()
    build = wanted_build(setting)
    words = release_words(
        setting.service, setting.host, setting.goal, version_of(setting.service, setting.catalog, setting.goal)
    )
    prefix = setting.service.commands.get(command[0]) or (command[0],)
    argv: list[Json] = [*(fill(part, words) for part in prefix), *command[1:]]
    drafts = []
    for name, database in _databases(setting):
        accept = _accepted(component, name, setting, mode)
        common: dict[str, Json] = {
            "service": setting.service.name,
            "database": database_to_json(database),
            "release": build.release,
            "argv": argv,
            "allow_leftover_migrate": True,
            "accept": [{"alembic": _sorted(m.alembic), "migrate": dict(m.migrate) or None} for m in accept],
        }
        undo = None
        if mode == "sync":
            undo = Undo("restore", target(setting, database) | {"run": ""}, f"restore database {name}")
        drafts.append(
            Draft(
                kind="schema_sync",
                title=f"{mode} the schema of {name} with {build.release}'s code",
                key=f"schema-{mode}.{name}.{setting.goal}",
                args=common,
                undo=undo,
                point_of_no_return=mode == "contract",
            )
        )
    return tuple(drafts)


def _accepted(component: Component, database: str, setting: Setting, mode: str) -> tuple[Marker, ...]:
    """Return the markers of which one must be read back after a schema step."""
    if mode in {"sync", "contract"}:
        version = version_of(setting.service, setting.catalog, setting.goal)
        return heads_expected(component, database, setting.goal, version=version)
    return (expected_after(component, database, setting.start, setting.goal, Stage(mode)),)


def _sorted(heads: frozenset[str]) -> Json:
    return [*sorted(heads)] if heads else None


def database_to_json(database: Database) -> dict[str, Json]:
    """Render a database for the arguments of a step; the password stays a reference."""
    return {
        "name": database.name,
        "url": database.url,
        "password": None if database.password is None else asdict(database.password),
        "host_url": database.host_url,
    }


def seal(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Fingerprint each database before anything of the new release starts."""
    return tuple(
        Draft(
            kind="seal",
            title=f"seal database {name}",
            key=f"seal.{name}",
            args={"service": setting.service.name, "database": database_to_json(database)},
        )
        for name, database in _databases(setting)
    )
