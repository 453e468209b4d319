"""What was seen, when, and how sure we are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from reconciler.domain.metric import MetricSample
from reconciler.domain.relation import Finding
from reconciler.domain.schema import SchemaMarker

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value that was seen."""

    value: T
    at: datetime


@dataclass(frozen=True, slots=True)
class Absent:
    """The thing was looked for and is certainly not there."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell; never taken for absent, old or fine."""

    reason: str
    text: str
    at: datetime


Observed = Known[T] | Absent | Unknown


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says of itself; `free_bytes` by mount or path asked for."""

    boot_id: str
    free_bytes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Package:
    """A deb package as installed; `installed_at` is when its files were unpacked, host's clock, None when not told."""

    version: str
    held: bool
    installed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python virtual environment behind its `current` link.

    `switched_at` is when the link was last changed, on the host's clock; `versions` are the distributions asked for.
    `made_from` is the digest in our marker, None when it is not ours or not complete.
    """

    path: str
    switched_at: datetime
    versions: Mapping[str, str]
    made_from: str | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container as its engine shows it; `health` is what its own check says, empty where it has none.

    Where the engine counts how often it began it anew, `restarts` is that.
    """

    image: str
    tag: str
    digest: str
    state: str
    started_at: datetime | None
    health: str = ""  # starting | healthy | unhealthy
    restarts: int | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of systemd or a program of supervisord; `started_at` is when what runs now was started, host's clock.

    One that its manager does not know is Absent. `restarts` is how often systemd began it anew by itself.
    """

    state: str  # active | activating | deactivating | inactive | failed
    started_at: datetime | None
    restarts: int | None = None


@dataclass(frozen=True, slots=True)
class ConfigState:
    """The configuration files of one service on one host, as we wrote them; Absent when we never did.

    `digest` is the template digest that was stamped when the files were written, None when one of them was changed
    or removed since. `changed_at` is when the newest of them was written.
    """

    digest: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class HostReport:
    """Everything one round trip to a host brought back, by observer and subject."""

    facts: Observed[HostFacts]
    packages: Mapping[str, Observed[Package]] = field(default_factory=dict)
    environments: Mapping[str, Observed[Environment]] = field(default_factory=dict)
    containers: Mapping[str, Observed[Container]] = field(default_factory=dict)
    units: Mapping[str, Observed[Unit]] = field(default_factory=dict)
    configs: Mapping[str, Observed[ConfigState]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observations:
    """All that is known of the fleet.

    Hosts by name, markers by (service, database), findings by (service, rule), what fires by the alert's name in git.
    `runs` is the newest run, by host, whose steps were found there when it was last asked.
    `after` is the number of the journal's newest entry when the look began: of what came later they tell nothing.
    """

    hosts: Mapping[str, Observed[HostReport]] = field(default_factory=dict)
    databases: Mapping[tuple[str, str], Observed[SchemaMarker]] = field(default_factory=dict)
    exposures: Mapping[tuple[str, str], Observed[Finding]] = field(default_factory=dict)
    alerts: Mapping[str, Observed[tuple[MetricSample, ...]]] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    after: int = 0
