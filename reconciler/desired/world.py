"""All that a service's checks and its making need to know of the rest of the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.desired.hosts import Placed
from reconciler.desired.known import release_id
from reconciler.desired.models import CanaryModel, ServiceModel
from reconciler.desired.ranges import MAX_HOSTS, expand
from reconciler.desired.tree import Entry, Tree
from reconciler.domain.action import ActionForm
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Host

ALL_OTHERS = "*"


@dataclass(frozen=True, slots=True)
class World:
    """The tree, its hosts written out, the catalog with the site's additions, and the words of procedures."""

    tree: Tree
    hosts: Mapping[str, Placed]
    catalog: Catalog
    actions: Mapping[str, ActionForm]

    @property
    def hosts_known(self) -> bool:
        """Say whether every host is valid, so that roles, zones and labels can be told."""
        return all(each.host is not None for each in self.hosts.values())

    def component(self, entry: Entry[ServiceModel], model: ServiceModel) -> str:
        """Return a service's name in the catalog."""
        return model.component or entry.name

    def release(self, model: ServiceModel, name: str) -> str:
        """Return the id of a release, or the name itself where it is unknown or stands for all others."""
        return name if name == ALL_OTHERS else release_id(self.catalog, model.series, name) or name

    def targets(self, model: ServiceModel) -> tuple[Host, ...]:
        """Return a service's hosts: as listed, or those of its roles in the order of the files."""
        placed = (
            [self.hosts[name] for name in host_names(model) if name in self.hosts]
            if model.hosts
            else [each for each in self.hosts.values() if each.host and each.host.roles & set(model.roles)]
        )
        return tuple({each.name: each.host for each in placed if each.host}.values())

    def group(self, service: str) -> str:
        """Return the group of a service, by default its own."""
        for entry in self.tree.groups.values():
            if entry.model and service in entry.model.services:
                return entry.name
        return service


def host_names(model: ServiceModel) -> tuple[str, ...]:
    """Write out the ranges of a service's hosts; a wrong one stays as it is."""
    names: list[str] = []
    for pattern in model.hosts:
        try:
            names.extend(expand(pattern))
        except ValueError:
            names.append(pattern)
        if len(names) > MAX_HOSTS:
            break  # too many, which the checks say
    return tuple(names)


SECOND = ("roles", "hosts", "bootstrap", "databases", "units", "builds", "config", "commands", "backup", "vars")


def replaced(model: ServiceModel, release: str) -> ServiceModel:
    """Return a service as the deployment of a release has it: what that leaves out is the own one's, but for hosts."""
    second = model.replacements[release]
    own = {key: getattr(second, key) for key in SECOND if key in second.model_fields_set}
    return model.model_copy(update=_apart() | own)


def rehearsed(model: ServiceModel) -> ServiceModel:
    """Return a service as its rehearsal has it: on the service's bootstrap host, unless it names others."""
    second = model.rehearsal
    assert second is not None
    own = {key: getattr(second, key) for key in SECOND if key in second.model_fields_set}
    apart = _apart() if second.hosts or second.roles else {"replacements": {}, "rehearsal": None}
    return model.model_copy(update=apart | own)


def _apart() -> dict[str, object]:
    """Return what no other deployment has of the service's own."""
    return {
        "roles": (),
        "hosts": (),
        "bootstrap": "",
        "overrides": {},
        "canary": CanaryModel(),
        "replacements": {},
        "rehearsal": None,
    }
