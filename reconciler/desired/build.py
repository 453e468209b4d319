"""Makes the domain's nouns from a tree without problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Literal, TypeVar

from reconciler.desired.build_model import BuildModel, ConfigFileModel
from reconciler.desired.build_probe import build_probe
from reconciler.desired.models import (
    DatabaseModel,
    FleetModel,
    GroupModel,
    PrometheusModel,
    SecretModel,
    ServiceModel,
)
from reconciler.desired.policy_model import AlertModel, ApprovalsModel, ApproveModel, BackupsModel, HaltsModel
from reconciler.desired.procedures import build_procedures
from reconciler.desired.tree import Entry, Tree
from reconciler.desired.window_model import WindowModel
from reconciler.desired.world import World, rehearsed, replaced
from reconciler.domain.alert import Alert
from reconciler.domain.approval import Approval, ApprovalPolicy
from reconciler.domain.backup import BackupPolicy, Trust
from reconciler.domain.desired import (
    OWN,
    Accept,
    BuildSpec,
    Canary,
    ConfigFile,
    ContainerSpec,
    Database,
    Deployment,
    Desired,
    HaltPolicy,
    Override,
    Percent,
    Prometheus,
    Quarantine,
    SecretRef,
    Service,
    Waves,
)
from reconciler.domain.window import Window

Policy = TypeVar("Policy", HaltsModel, ApprovalsModel)


def build_desired(world: World) -> Desired:
    """Resolve everything; the tree was checked before."""
    tree = world.tree
    services = {
        entry.name: _service(entry, entry.model, world) for entry in tree.services.values() if entry.model is not None
    }
    groups: dict[str, tuple[str, ...]] = {
        entry.name: tuple(entry.model.services) for entry in tree.groups.values() if entry.model is not None
    }
    grouped = {name for members in groups.values() for name in members}
    one_by_one = {entry.name for entry in tree.groups.values() if entry.model is not None and entry.model.one_by_one}
    return Desired(
        fleet=tree.fleet.name if tree.fleet else "",
        hosts={each.name: each.host for each in world.hosts.values() if each.host is not None},
        services=services,
        groups={**groups, **{name: (name,) for name in services if name not in grouped}},
        procedures=build_procedures(tree),
        probes={name: build_probe(name, world) for name in tree.probes},
        one_by_one=frozenset(one_by_one),
        origins={place: where for entry in tree.services.values() for place, where in _origins(entry)},
        accepts=tuple(_accept(entry.model.model_dump()) for entry in tree.accepts if entry.model is not None),
        catalog=tuple({name: node.plain() for name, node in each.entries().items()} for each in tree.catalog),
        suspended=tree.fleet.suspended if tree.fleet else "",
        prometheus=_prometheus(tree.fleet.prometheus) if tree.fleet else None,
        quarantined=tuple(
            Quarantine(**entry.model.model_dump()) for entry in tree.quarantined if entry.model is not None
        ),
        alerts=tuple(_alert(name, each) for name, each in tree.fleet.alerts.items()) if tree.fleet else (),
        approvals={
            group: ApprovalPolicy(leg=model.leg or 0, waves=model.waves or 0, by=model.by)
            for group, model in _by_group(tree, lambda each: each.approvals, ApprovalsModel())
        },
        approved=tuple(_approval(entry.model) for entry in tree.approved if entry.model is not None),
        halts={
            group: HaltPolicy(scope=model.scope, hosts=model.hosts or 0)
            for group, model in _by_group(tree, lambda each: each.halts, HaltsModel())
        },
        backups=dict(_backups(tree)),
        windows=tuple(_window(name, each) for name, each in tree.fleet.windows.items()) if tree.fleet else (),
    )


def _by_group(
    tree: Tree, policy: Callable[[FleetModel | GroupModel], Policy | None], plain: Policy
) -> Iterator[tuple[str, Policy]]:
    """Yield each group's word on a policy, else the fleet's, where that says more than the plain one."""
    common = (policy(tree.fleet) if tree.fleet else None) or plain
    groups = {entry.name: entry.model for entry in tree.groups.values() if entry.model is not None}
    grouped = {name for model in groups.values() for name in model.services}
    alone = [name for name in tree.services if name not in grouped]
    found = {**{name: policy(model) or common for name, model in groups.items()}, **dict.fromkeys(alone, common)}
    yield from ((group, model) for group, model in found.items() if model != plain)


def _approval(model: ApproveModel) -> Approval:
    return Approval(plan=model.plan, by=model.by, why=model.reason, wave=model.wave, until=model.until)


def _alert(name: str, model: AlertModel) -> Alert:
    return Alert(
        name=name, promql=model.promql, present=model.present, groups=frozenset(model.groups), until=model.until
    )


def _backups(tree: Tree) -> Iterator[tuple[str, BackupPolicy]]:
    """Yield what the backup sets of services must be, where that is not the default."""
    common = tree.fleet.backups if tree.fleet else BackupsModel()
    models = [(entry.name, entry.model.backups) for entry in tree.services.values() if entry.model is not None]
    for service, own in models:
        model = common.model_copy(update=own.model_dump(exclude_unset=True))
        if model != BackupsModel():
            yield service, BackupPolicy(**model.model_dump() | {"trust": Trust(model.trust)})


def _window(name: str, model: WindowModel) -> Window:
    fields = model.model_dump(exclude={"groups"})
    return Window(name=name, groups=frozenset(model.groups), **fields)


def _prometheus(model: PrometheusModel | None) -> Prometheus | None:
    if model is None:
        return None
    return Prometheus(url=model.url, token=_secret(model.token) if model.token else None)


def _origins(entry: Entry[ServiceModel]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield where a service's release is written, and those of hosts that an override holds back."""
    places = {"": entry.node.at("release")}
    places |= {host: below.at("release") for host, below in entry.node.at("overrides").entries().items()}
    for host, node in places.items():
        yield (entry.name, host), f"{node.file}:{node.line}:{node.col}"


def _accept(fields: dict[str, object]) -> Accept:
    until = fields["until"]
    assert isinstance(until, date)
    return Accept(what=str(fields["what"]), by=str(fields["by"]), reason=str(fields["reason"]), until=until)


def _service(entry: Entry[ServiceModel], model: ServiceModel, world: World) -> Service:
    hosts = tuple(host.name for host in world.targets(model))
    moving = [name for name in hosts if name not in model.overrides]

    def release(name: str) -> str:
        return world.release(model, name)

    return Service(
        name=entry.name,
        component=world.component(entry, model),
        series=model.series,
        release=release(model.release),
        procedure=model.procedure,
        policy=model.policy,
        group=world.group(entry.name),
        hosts=hosts,
        roles=model.roles,
        bootstrap=model.bootstrap or next(iter(moving), ""),
        databases={name: _database(name, each) for name, each in model.databases.items()},
        units=model.units,
        versions={release(name): version for name, version in model.versions.items()},
        builds={release(name): _build(each) for name, each in model.builds.items()},
        config={
            release(name): tuple(_config_file(each, world) for each in files) for name, files in model.config.items()
        },
        commands=dict(model.commands),
        secrets={name: _secret(each) for name, each in model.secrets.items()},
        backup_dir=model.backup.dir if model.backup else "",
        canary=Canary(**model.canary.model_dump()),
        waves=Waves(sizes=tuple(_wave_size(each) for each in model.waves), by=model.waves_by),
        disk_space=dict(model.disk_space),
        max_unavailable=_unavailable(model.max_unavailable),
        verify=tuple(build_probe(name, world) for name in model.verify),
        smoke=tuple(build_probe(name, world) for name in model.smoke),
        overrides={name: release(each.release) for name, each in model.overrides.items()},
        override_terms={
            name: Override(release=release(each.release), reason=each.reason, until=each.until)
            for name, each in model.overrides.items()
        },
        vars=dict(model.vars),
        suspended=model.suspended,
        moved_by=model.moved_by,
        replacements=dict(_replacements(entry, model, world)),
        rehearsal=_rehearsal(entry, model, world),
        rehearsal_days=(model.rehearsal.within_days or 0) if model.rehearsal else 0,
        deployment=OWN if model.replacements else "",
    )


def _replacements(entry: Entry[ServiceModel], model: ServiceModel, world: World) -> Iterator[tuple[str, Deployment]]:
    """Make each further deployment as a service of its own would be made, in the order of their releases."""
    order = [each.release.id for each in world.catalog.service(world.component(entry, model)).releases]
    named = {world.release(model, name): name for name in model.replacements}
    for release in sorted(named, key=order.index):
        yield release, _deployment(_service(entry, replaced(model, named[release]), world))


def _rehearsal(entry: Entry[ServiceModel], model: ServiceModel, world: World) -> Deployment | None:
    if model.rehearsal is None:
        return None
    own = _service(entry, model.model_copy(update={"rehearsal": None, "replacements": {}}), world)
    found = rehearsed(model)
    apart = model.rehearsal.hosts or model.rehearsal.roles
    return _deployment(_service(entry, found if apart else _on(found, found.bootstrap or own.bootstrap), world))


def _on(model: ServiceModel, host: str) -> ServiceModel:
    return model.model_copy(update={"hosts": (host,), "roles": (), "bootstrap": host, "overrides": {}})


def _deployment(whole: Service) -> Deployment:
    return Deployment(
        hosts=whole.hosts,
        bootstrap=whole.bootstrap,
        databases=whole.databases,
        units=whole.units,
        builds=whole.builds,
        config=whole.config,
        commands=whole.commands,
        vars=whole.vars,
        backup_dir=whole.backup_dir,
    )


def _unavailable(text: str) -> int | Percent | Literal["quorum"] | None:
    if text == "quorum":
        return "quorum"
    return _wave_size(text) if text else None


def _wave_size(text: str) -> int | Percent:
    return Percent(int(text[:-1])) if text.endswith("%") else int(text)


def _secret(model: SecretModel) -> SecretRef:
    kind, origin = next(iter(model.model_dump(exclude_unset=True).items()))
    return SecretRef(kind, origin)


def _database(name: str, model: DatabaseModel) -> Database:
    password = _secret(model.password) if model.password else None
    return Database(name=name, url=model.url, password=password, host_url=model.host_url or model.url)


def _build(model: BuildModel) -> BuildSpec:
    if model.packages is not None:
        return BuildSpec(form="packages", packages=dict(model.packages))
    if model.rpm is not None:
        return BuildSpec(form="rpm", packages=dict(model.rpm))
    if model.containers is not None:
        containers = tuple(ContainerSpec(name=name, **each.model_dump()) for name, each in model.containers.items())
        return BuildSpec(form="container", containers=containers)
    environment = model.environment
    assert environment is not None
    return BuildSpec(
        form="environment",
        path=environment.path,
        link=environment.link,
        python=environment.python,
        requirements=environment.requirements,
        pip_args=environment.pip_args,
    )


def _config_file(model: ConfigFileModel, world: World) -> ConfigFile:
    return ConfigFile(
        path=model.path,
        template=world.tree.texts[model.source],
        mode=int(model.mode, 8),
        owner=model.owner,
        group=model.group,
    )
