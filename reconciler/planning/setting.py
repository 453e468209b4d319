"""For what an action of a procedure is expanded, and what it becomes: drafts of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.domain.build import Build
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Host, Service
from reconciler.domain.plan import Json, Undo
from reconciler.domain.position import HostPosition
from reconciler.domain.procedure import CutsLink
from reconciler.planning.build import build_for
from reconciler.planning.position import version_of
from reconciler.planning.words import release_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """For what an action is expanded: a service on a host (None: the daemon), on a hop or a whole leg.

    `origin` is the release that the leg starts from, and `stops` those that it passes; `onto` is the host that moved
    just before, `leads` the role that the host is the canary of, where there are several; `old` the deployment that is
    replaced. With `walked` the leg came to its start by hops of its own, before a newer plan took it over.
    """

    service: Service
    desired: Desired
    catalog: Catalog
    host: Host | None
    position: HostPosition | None
    start: str
    goal: str
    origin: str = ""
    stops: tuple[str, ...] = ()
    onto: str = ""
    leads: str = ""
    old: Service | None = None
    walked: bool = False
    made: dict[str, Build | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def build(self, release: str) -> Build | None:
        """Return the build of a release on this host."""
        assert self.host is not None
        if release not in self.made:
            version = version_of(self.service, self.catalog, release)
            self.made[release] = build_for(self.service, self.host, release, version)
        return self.made[release]

    def words(self) -> dict[str, str]:
        """Return the words that an action of a procedure knows."""
        version = version_of(self.service, self.catalog, self.goal)
        words = release_words(self.service, self.host, self.goal, version)
        return words | {"from": self.start, "onto": self.onto, "bootstrap": self.service.bootstrap}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step before it has an id and a place in the graph. `key` tells it from others of its kind.

    `name` is what `{value:NAME.KEY}` refers to; what is `advisory` stops nothing when it fails. One that `asks` is
    asked from the daemon's machine, whatever host its phase is on. `lasts_s` is what it may take, where that is known.
    """

    kind: str
    title: str
    key: str = ""
    name: str = ""
    advisory: bool = False
    args: Mapping[str, Json] = field(default_factory=dict)
    undo: Undo | None = None
    point_of_no_return: bool = False
    asks: bool = False
    lasts_s: float = 0.0
    cuts_link: CutsLink | None = None


class MissingBuildError(Exception):
    """The desired state does not say how a release is put on a host; caught by the planner."""

    def __init__(self, service: str, release: str) -> None:
        super().__init__(f"{service} has no build for {release}")
        self.release = release


class UnfitError(Exception):
    """What a procedure says does not fit the service; caught by the planner."""


def wanted_build(setting: Setting) -> Build:
    """Return the build of the setting's goal; raises MissingBuildError."""
    build = setting.build(setting.goal)
    if build is None:
        raise MissingBuildError(setting.service.name, setting.goal)
    return build
