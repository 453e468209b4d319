"""Actions on databases: back up, change the schema, seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from reconciler.domain.backup import Trust
from reconciler.domain.catalog import Service as Component
from reconciler.domain.commands import SchemaCommand, Setup, When
from reconciler.domain.dburl import host_endpoint
from reconciler.domain.desired import Database, Desired, Service
from reconciler.domain.marker import Marker, Stage
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Json, Undo
from reconciler.planning.deployments import taking_over
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.planning.position import version_of
from reconciler.planning.setting import Draft, Setting, UnfitError, wanted_build
from reconciler.planning.words import host_words, release_words

Dumped = list[tuple[str, dict[str, Json]]]
"""The name of each dump, with the arguments of the step that makes it."""


def backup(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Dump each database on the bootstrap host, and restore it on trial where policy demands that.

    In a replacement they are those that it will load.
    """
    return _dumps(setting, _dumped(setting))


def _dumps(setting: Setting, found: Dumped) -> tuple[Draft, ...]:
    dumps = [Draft(kind="backup", title=f"back up database {name}", key=f"backup.{name}", args=a) for name, a in found]
    if setting.desired.backups_of(setting.service.name).trust is not Trust.RESTORED:
        return tuple(dumps)
    title = "restore the dump of {} on trial"
    tried = [Draft(kind="restore_check", title=title.format(n), key=f"restore-check.{n}", args=a) for n, a in found]
    return (*dumps, *tried)


def space(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Ask whether the dumps that `backup` will make have space."""
    return tuple(
        Draft(kind="space", title=f"see that a dump of {name} will fit", key=f"space.{name}", args=args)
        for name, args in _dumped(setting)
    )


def savepoint(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Dump each database as a hop within a leg finds it; before the first hop the leg's own backup set is that."""
    begins = _begins(setting) and not setting.walked
    return () if begins else _dumps(setting, _dumped(setting, within=True))


def to_savepoint(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Put each database back as it was at a savepoint; which run made that is filled in by the planner."""
    found = databases_on(setting.service, setting.desired)
    title = f"put database {{}} back as it was at {setting.goal}"
    return tuple(
        Draft(
            kind="restore",
            title=title.format(name),
            key=f"to-savepoint.{name}",
            args=target(setting, database) | {"database": at_savepoint(name, setting.goal), "run": ""},
        )
        for name, database in found
    )


def at_savepoint(database: str, release: str) -> str:
    """Name the dump of a database at a savepoint: beside that of the leg's start, which bears the database's name."""
    return f"{database}@{release}"


def _begins(setting: Setting) -> bool:
    """Tell whether it is where the leg begins, whose dump bears the database's name alone."""
    return setting.start == (setting.origin or setting.start)


def _dumped(setting: Setting, *, within: bool = False) -> Dumped:
    """Describe what is dumped where a leg begins, or `within` it by a hop."""
    begins = _begins(setting) and not within
    found = databases_on(setting.old or setting.service, setting.desired)
    named = [(name if begins else at_savepoint(name, setting.start), database) for name, database in found]
    return [(name, target(setting, database) | {"database": name}) for name, database in named]


def databases_on(service: Service, desired: Desired) -> tuple[tuple[str, Database], ...]:
    """Return the databases of a service with their URLs filled for its bootstrap host."""
    words = host_words(service, desired.hosts[service.bootstrap])
    return tuple(
        (name, replace(db, url=fill(db.url, words), host_url=fill(db.host_url or db.url, words)))
        for name, db in sorted(service.databases.items())
    )


def databases_of(setting: Setting) -> tuple[tuple[str, Database], ...]:
    """Return the databases with their URLs filled for the bootstrap host."""
    return databases_on(setting.service, setting.desired)


def named_database(setting: Setting, name: str) -> tuple[str, Database]:
    """Return whose a database is, and the database: by its name, or by SERVICE.NAME; raises UnfitError.

    Where a new deployment is filled, another service's database is that of the one that takes over with it.
    """
    service, _, own = name.rpartition(".")
    owner = setting.desired.services.get(service) if service else setting.service
    if service and owner is not None and setting.service.deployment in owner.replacements:
        owner = taking_over(owner, setting.service.deployment)
    found = dict(databases_on(owner, setting.desired)) if owner is not None else {}
    if owner is None or own not in found:
        raise UnfitError(f"there is no database {name!r}; {setting.service.name} has {', '.join(found) or 'none'}")
    return owner.name, found[own]


def named_target(setting: Setting, name: str) -> dict[str, Json]:
    """Describe a database that an action names."""
    owner, database = named_database(setting, name)
    return target(setting, database) | {"service": owner}


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
        **({"tls": asdict(place.tls)} if place.tls else {}),
        "dir": fill(setting.service.backup_dir, host_words(setting.service, host)),
    }


def schema(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Run a release's schema commands with what belongs beside them; some releases have none of the `mode`.

    The mode is sync, expand, migrate or contract. What sets up stands around sync and expand.

    Raises:
        UnfitError: the schema is to be moved in stages, by a release that cannot be upgraded beside the older one.
    """
    mode = str(args.get("mode", "sync"))
    release = setting.catalog.service(setting.service.component).at(setting.goal)
    commands = release.commands
    of_mode: tuple[SchemaCommand, ...] = getattr(commands, mode)
    databases = dict(databases_of(setting))
    if mode != "sync" and databases and not release.zero_downtime:
        text = f"{setting.goal} cannot be upgraded while the older release serves (schema, mode {mode})"
        raise UnfitError(f"{setting.service.name}: {text}; choose a procedure that stops it and uses mode sync")
    drafts = [
        _schema_step(setting, mode, command, here)
        for command in of_mode
        if (here := [databases[name] for name in command.databases if name in databases])
    ]
    if not drafts or mode not in {"sync", "expand"}:
        return tuple(drafts)
    before, after = (_setups(setting, commands.setup, when) for when in When)
    return (*before, *drafts, *after)


def _setups(setting: Setting, setups: Sequence[Setup], when: When) -> list[Draft]:
    component = setting.catalog.service(setting.service.component)
    start = component.at(setting.start).release.index
    return [
        Draft(
            kind="command",
            title=f"{' '.join(setup.argv)} with {setting.goal}'s code",
            key=f"setup.{setup.id}.{setting.goal}",
            args={"argv": own_argv(setting, setup.argv, setting.goal)},
        )
        for setup in setups
        if setup.when is when and start in setup.origins
    ]


def own_argv(setting: Setting, argv: Sequence[str], release: str) -> list[Json]:
    """Let the service say how the tool of a release is called."""
    version = version_of(setting.service, setting.catalog, release)
    words = release_words(setting.service, setting.host, release, version)
    prefix = setting.service.commands.get(argv[0]) or (argv[0],)
    return [*(fill(part, words) for part in prefix), *argv[1:]]


def _schema_step(setting: Setting, mode: str, command: SchemaCommand, databases: Sequence[Database]) -> Draft:
    """Draft the one step that runs a command, and reads back every database that it moves."""
    build = wanted_build(setting)
    first, *others = (_moved(setting, mode, database) for database in databases)
    names = ", ".join(database.name for database in databases)
    return Draft(
        kind="schema_sync",
        title=f"{mode} the schema of {names} with {build.release}'s code",
        key=f"schema-{mode}.{'-'.join(database.name for database in databases)}.{setting.goal}",
        args={
            "service": setting.service.name,
            "release": build.release,
            "argv": own_argv(setting, command.argv, setting.goal),
            "allow_leftover_migrate": True,
            **first,
            "also": [*others],
        },
        undo=_restore(setting, databases) if mode == "sync" and setting.old is None else None,
        point_of_no_return=mode == "contract",
    )


def _restore(setting: Setting, databases: Sequence[Database]) -> Undo:
    first, *others = (
        Undo("restore", target(setting, database) | {"run": ""}, f"restore database {database.name}")
        for database in databases
    )
    return replace(first, also=tuple(others))


def _moved(setting: Setting, mode: str, database: Database) -> dict[str, Json]:
    component = setting.catalog.service(setting.service.component)
    markers = _accepted(component, database.name, setting, mode)
    accept: list[Json] = [
        {"alembic": _sorted(marker.alembic), "migrate": dict(marker.migrate) or None} for marker in markers
    ]
    compared = component.name if _ends_hop(mode, markers) else ""
    told: dict[str, Json] = {"database": database_to_json(database), "accept": accept, "component": compared}
    return {**told, **_absent_ok(setting, database.name)}


def _ends_hop(mode: str, accept: tuple[Marker, ...]) -> bool:
    """Tell whether a step leaves the schema of a release's last package, of which alone the structure is known."""
    return mode in {"sync", "contract"} and [each.until for each in accept] == [""]


def _absent_ok(setting: Setting, database: str) -> dict[str, Json]:
    """Let a database be missing where the release does without it."""
    component = setting.catalog.service(setting.service.component)
    return {"absent_ok": True} if component.may_lack(database, setting.goal) else {}


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
            args={
                "service": setting.service.name,
                "database": database_to_json(database),
                **_absent_ok(setting, name),
            },
        )
        for name, database in databases_of(setting)
    )
