"""The words of procedures: each action turns into steps, by the form of the build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from reconciler.domain.build import Build
from reconciler.domain.catalog import Catalog, Marker, Stage
from reconciler.domain.catalog import Service as Component
from reconciler.domain.dburl import host_endpoint
from reconciler.domain.desired import Database, Desired, Host, SecretRef, Service
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Json, Undo
from reconciler.domain.position import HostPosition
from reconciler.domain.probe import HttpProbe
from reconciler.domain.procedure import ActionSpec
from reconciler.planning.build import build_for, expectation
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.planning.position import version_of
from reconciler.planning.words import host_words, release_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """For what an action is expanded: a service on a host (None: the daemon), on a hop or a whole leg."""

    service: Service
    desired: Desired
    catalog: Catalog
    host: Host | None
    position: HostPosition | None
    start: str
    goal: str

    def build(self, release: str) -> Build | None:
        """Return the build of a release on this host."""
        assert self.host is not None
        return build_for(self.service, self.host, release, version_of(self.service, self.catalog, release))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step before it has an id and a place in the graph. `key` tells it from others of its kind."""

    kind: str
    title: str
    key: str = ""
    args: Mapping[str, Json] = field(default_factory=dict)
    undo: Undo | None = None
    point_of_no_return: bool = False


class MissingBuildError(Exception):
    """The desired state does not say how a release is put on a host; caught by the planner."""

    def __init__(self, service: str, release: str) -> None:
        super().__init__(f"{service} has no build for {release}")
        self.release = release


def expand(setting: Setting, spec: ActionSpec) -> tuple[Draft, ...]:
    """Turn one action into step drafts; raises MissingBuildError."""
    return ACTIONS[spec.action](setting, spec.args)


def _build(setting: Setting) -> Build:
    build = setting.build(setting.goal)
    if build is None:
        raise MissingBuildError(setting.service.name, setting.goal)
    return build


def _prepare_build(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    build = _build(setting)
    title = f"prepare {setting.service.name} {build.release}"
    if build.form == "packages":
        args: dict[str, Json] = {"action": "download", "packages": dict(build.packages), "hold": False}
        return (Draft(kind="deb_packages", title=title, key=f"prepare.{build.release}", args=args),)
    args = _environment("prepare", build)
    return (Draft(kind="environment", title=title, key=f"prepare.{build.release}", args=args),)


def _environment(action: str, build: Build) -> dict[str, Json]:
    return {
        "action": action,
        "path": build.path,
        "link": build.link,
        "python": build.python,
        "requirements": list(build.requirements),
        "pip_args": list(build.pip_args),
    }


def _install_build(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    build = _build(setting)
    if build.form == "packages":
        return _install_packages(setting, build)
    undo = None
    before = setting.position.link_path if setting.position else ""
    if before:
        # Of the older one nothing is said but its place: it was not made from what the new one is made from.
        args: dict[str, Json] = {"action": "switch", "path": before, "link": build.link, "foreign_ok": True}
        was = (setting.position.release if setting.position else "") or before
        undo = Undo("environment", args, f"switch {setting.service.name} back to {was}")
    title = f"switch {setting.service.name} to {build.release}"
    return (Draft(kind="environment", title=title, key="install", args=_environment("switch", build), undo=undo),)


def _install_packages(setting: Setting, build: Build) -> tuple[Draft, ...]:
    undo = None
    seen = (setting.position.packages if setting.position else None) or {}
    before: dict[str, Json] = {name: seen[name] for name in build.packages if name in seen}
    if before:
        args: dict[str, Json] = {"action": "install", "packages": before, "hold": True}
        undo = Undo("deb_packages", args, f"bring back {_list(before)}")
    args = {"action": "install", "packages": dict(build.packages), "hold": True}
    title = f"install {_list(build.packages)}"
    key = f"install.{build.release}"
    return (Draft(kind="deb_packages", title=title, key=key, args=args, undo=undo),)


def _list(packages: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def _install_tools(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Make a release's tools usable on the bootstrap host; an environment that was prepared is enough."""
    build = _build(setting)
    return _install_packages(setting, build) if build.form == "packages" else ()


def _configure(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    build = _build(setting)
    if not build.files:
        return ()
    common: dict[str, Json] = {"service": setting.service.name}
    files: list[Json] = [
        {"path": f.path, "content": f.content, "mode": f.mode, "owner": f.owner, "group": f.group} for f in build.files
    ]
    refs = _refs(setting.service.secrets)
    args = common | {"digest": build.config_digest, "files": files, "secret_refs": refs}
    back = common | {"restore_from": "self"}
    undo = Undo("config_files", back, f"put the configuration of {setting.service.name} back")
    title = f"write {len(files)} configuration file{'s' if len(files) != 1 else ''} for {build.release}"
    return (Draft(kind="config_files", title=title, key=f"configure.{build.release}", args=args, undo=undo),)


def _refs(refs: Mapping[str, SecretRef]) -> dict[str, Json]:
    return {name: {"kind": ref.kind, "origin": ref.origin} for name, ref in refs.items()}


def _units(setting: Setting, state: str) -> dict[str, Json]:
    assert setting.host is not None
    words = host_words(setting.service, setting.host)
    return {
        "manager": setting.host.manager,
        "manager_config": fill(setting.host.manager_config, words),
        "supervisorctl": setting.host.vars.get("supervisorctl", "supervisorctl"),
        "units": list(setting.service.units),
        "state": state,
    }


_OPPOSITE = {"started": "stopped", "stopped": "started", "restarted": "restarted"}
_VERB = {"started": "start", "stopped": "stop", "restarted": "restart"}


def _set_units(state: str) -> Callable[[Setting, Mapping[str, object]], tuple[Draft, ...]]:
    def drafts(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
        if not setting.service.units:
            return ()
        names = " ".join(setting.service.units)
        back = _OPPOSITE[state]
        undo = Undo("units", _units(setting, back), f"{_VERB[back]} {names}")
        return (
            Draft(
                kind="units", title=f"{_VERB[state]} {names}", key=_VERB[state], args=_units(setting, state), undo=undo
            ),
        )

    return drafts


def _backup(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
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


def _schema(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    mode = str(args.get("mode", "sync"))
    component = setting.catalog.service(setting.service.component)
    command = getattr(component.at(setting.goal).commands, mode)
    if command is None:
        return ()
    build = _build(setting)
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


def _seal(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    return tuple(
        Draft(
            kind="seal",
            title=f"seal database {name}",
            key=f"seal.{name}",
            args={"service": setting.service.name, "database": database_to_json(database)},
        )
        for name, database in _databases(setting)
    )


def _verify_build(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    build = _build(setting)
    return (verify_host(setting, build, "verify-build"),)


def verify_host(setting: Setting, build: Build, key: str) -> Draft:
    """Ask the host itself whether it runs the build, and nothing older."""
    assert setting.host is not None
    args = expectation(build, setting.service, setting.host.name).model_dump(mode="json")
    return Draft(kind="verify_host", title=f"see {setting.service.name} {build.release} running", key=key, args=args)


def _verify(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    return tuple(_probe(setting, probe, "verify") for probe in setting.service.verify)


def probe_drafts(setting: Setting) -> tuple[Draft, ...]:
    """Ask a host the probes of its service."""
    return _verify(setting, {})


def _smoke(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    at = replace(setting, host=setting.desired.hosts[setting.service.bootstrap])
    return tuple(_probe(at, probe, "smoke") for probe in setting.service.smoke)


def _probe(setting: Setting, probe: HttpProbe, key: str) -> Draft:
    words = host_words(setting.service, setting.host)
    filled = replace(
        probe,
        url=fill(probe.url, words),
        body=fill(probe.body, words),
        headers={name: fill(value, words) for name, value in probe.headers.items()},
    )
    args: dict[str, Json] = {"probe": asdict(filled), "secret_refs": _refs(setting.service.secrets)}
    return Draft(
        kind="http_probe", title=f"{key}: {probe.name} {probe.count} times", key=f"{key}.{probe.name}", args=args
    )


def _command(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    words = host_words(setting.service, setting.host) | {"release": setting.goal}
    argv = args["argv"]
    assert isinstance(argv, list | tuple)
    filled: list[Json] = [fill(str(part), words) for part in argv]
    title = fill(str(args.get("title", " ".join(str(part) for part in argv))), words)
    return (Draft(kind="command", title=title, key=f"command.{args.get('name', 'run')}", args={"argv": filled}),)


ACTIONS: Mapping[str, Callable[[Setting, Mapping[str, object]], tuple[Draft, ...]]] = {
    "prepare_build": _prepare_build,
    "install_build": _install_build,
    "install_tools": _install_tools,
    "configure": _configure,
    "stop": _set_units("stopped"),
    "start": _set_units("started"),
    "restart": _set_units("restarted"),
    "backup": _backup,
    "schema": _schema,
    "seal": _seal,
    "verify_build": _verify_build,
    "verify": _verify,
    "smoke": _smoke,
    "command": _command,
}
