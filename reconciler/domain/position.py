"""Where a service stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.domain.plan import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPosition:
    """One host of a service, compared with the build it should have.

    `release` is what is installed, empty when it cannot be told; `drift` lists what differs from the desired build in
    sentences; `unknown` says why nobody can tell, and is empty when the host was seen. `link_path`, `packages` and
    `containers` are what is installed now: the way back. `held` are packages that are held at their versions.
    """

    host: str
    release: str = ""
    drift: tuple[str, ...] = ()
    unknown: Block | None = None
    link_path: str = ""
    packages: Mapping[str, str] | None = None
    containers: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePosition:
    """One database of a service: the releases its schema may be at, or why that cannot be said.

    `expanded`: where a hop from them was begun, and the schema is in the middle of it, the releases it may lead to.
    """

    name: str
    releases: tuple[str, ...] = ()
    expanded: tuple[str, ...] = ()
    text: str = ""
    block: Block | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A service: `release` is where a route starts, empty when it cannot be told (then `blocks` say why).

    `second` are the hosts of the deployments that take over between here and the goal; they bear on the leg that takes
    them.
    """

    service: str
    release: str
    databases: tuple[DatabasePosition, ...]
    hosts: tuple[HostPosition, ...]
    second: tuple[HostPosition, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def drifted(self) -> tuple[HostPosition, ...]:
        """Return the hosts that differ from their desired build."""
        return tuple(host for host in self.hosts if host.drift)
