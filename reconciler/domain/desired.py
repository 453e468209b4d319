"""The desired state, read, checked and resolved: defaults merged, ranges expanded, files loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from reconciler.domain.alert import Alert
from reconciler.domain.approval import Approval, ApprovalPolicy
from reconciler.domain.backup import BackupPolicy
from reconciler.domain.probe import Probe
from reconciler.domain.procedure import Procedure
from reconciler.domain.window import Window

OWN = "own"
"""The deployment that a service's own keys describe, where others take its place."""

REHEARSAL = "rehearsal"
"""The deployment on which a service's walk is rehearsed."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where the daemon's machine keeps a secret: exactly one of `file`, `env`, `credential`; `origin` is its value."""

    kind: str  # file | env | credential
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """The server that knows the fleet's metrics; `token` is sent as a bearer token."""

    url: str
    token: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """How a host is entered: the user, and whether `sudo -n` is put before what runs."""

    user: str = "root"
    become: str = "none"  # none | sudo


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine. `state_dir` is ours alone on it; `manager` says who runs its units."""

    name: str
    address: str
    port: int = 22
    zone: str = "default"
    roles: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    login: Login = Login()
    state_dir: str = "/var/lib/reconciler"
    manager: str = "systemd"  # systemd | supervisord
    manager_config: str = ""  # supervisord: its configuration file
    vars: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of a service: an SQLAlchemy URL without password as the daemon reaches it, and one for hosts.

    `url` may hold `{placeholders}` of the bootstrap host for SQLite. `password` goes into both URLs.
    """

    name: str
    url: str
    password: SecretRef | None = None
    host_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A file to be put on hosts: `template` is text with `{placeholders}` and `{secret:NAME}`."""

    path: str
    template: str
    mode: int = 0o640
    owner: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A container of a build; `image` bears a tag or a digest.

    Mounts are HOST:CONTAINER, with `:ro` and the like after it. `kolla` is the host's folder with the `config.json` of
    an image of kolla, empty for others.
    """

    name: str
    image: str
    engine: str = "podman"  # podman | docker
    network: str = ""
    pid: str = ""
    ipc: str = ""
    restart: str = ""
    kolla: str = ""
    privileged: bool = False
    user: str = ""
    mounts: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """What a release means on a host of a service, before placeholders are filled.

    form `environment`: `requirements` (pip lines; `constraints` likewise) are installed into `path`, and `link` is
    switched to it. form `packages` and `rpm`: `packages` maps deb or rpm package to exact version. form `container`:
    `containers` are started in their order, in place of units.
    """

    form: str  # environment | packages | rpm | container
    path: str = ""
    link: str = ""
    python: str = "/usr/bin/python3"
    requirements: tuple[str, ...] = ()
    pip_args: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict, hash=False)
    containers: tuple[ContainerSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Which host goes first, and for how long it is watched; empty fields do not constrain."""

    host: str = ""
    zone: str = ""
    role: str = ""
    label: str = ""  # key=value
    soak_s: float = 0.0  # how long its probes must be good


@dataclass(frozen=True, slots=True)
class Percent:
    """So many of every hundred hosts that move, rounded up."""

    of_100: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """Sizes of the waves after the canary; the last size repeats. Those by zone never span two zones."""

    sizes: tuple[int | Percent, ...] = (1,)
    by: str = ""  # zone, or empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Why one host stays behind its service, at which release and until which day."""

    release: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A further deployment of a service, which takes the place of the one before it."""

    hosts: tuple[str, ...]
    bootstrap: str
    databases: Mapping[str, Database] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    builds: Mapping[str, BuildSpec] = field(default_factory=dict)
    config: Mapping[str, tuple[ConfigFile, ...]] = field(default_factory=dict)
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    backup_dir: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as desired. `component` is its name in the catalog; `hosts` are its targets in order.

    `replacements` are by the release at which they take over, oldest first; its own fields are the deployment `own`.
    `planning/deployments` gives each by itself, named by `deployment`. What is `moved_by` others is never planned.
    """

    name: str
    component: str
    series: str
    release: str
    procedure: str
    policy: str = "supported"  # supported | offline
    group: str = ""
    hosts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  # those it finds its hosts by, in order; empty where git names hosts
    bootstrap: str = ""
    databases: Mapping[str, Database] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)  # release to package version, else the catalog's
    builds: Mapping[str, BuildSpec] = field(default_factory=dict)  # by release; "*" for all others
    config: Mapping[str, tuple[ConfigFile, ...]] = field(default_factory=dict)  # by release; "*" for all others
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # e.g. "schema": argv prefix of the tool
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    backup_dir: str = ""
    canary: Canary = Canary()
    waves: Waves = Waves()
    disk_space: Mapping[str, float] = field(default_factory=dict)  # path to GiB that must be free on every host
    max_unavailable: int | Percent | Literal["quorum"] | None = None  # how many hosts may be out of work at a time
    verify: tuple[Probe, ...] = ()  # asked of a host after it moved
    smoke: tuple[Probe, ...] = ()  # asked once at the end
    overrides: Mapping[str, str] = field(default_factory=dict)  # host to release
    override_terms: Mapping[str, Override] = field(default_factory=dict)  # the same, with reason and expiry
    vars: Mapping[str, str] = field(default_factory=dict)
    suspended: str = ""  # the reason, empty when not suspended
    moved_by: str = "us"  # us | others: these are only looked at, never planned
    replacements: Mapping[str, Deployment] = field(default_factory=dict)
    rehearsal: Deployment | None = None  # scratch databases, and what is needed to migrate them
    rehearsal_days: int = 0  # how old a rehearsal may be when a leg begins; 0: none is asked for
    deployment: str = ""  # own, or the release at which it takes over; empty where there is but one


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Why a host is no target for a while; `bears` are the deployments whose target it would be, once worked out."""

    host: str
    by: str
    reason: str
    until: date
    bears: tuple[Service, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services whose target it would be."""
        return tuple(each.name for each in self.bears)


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltPolicy:
    """What a halt of a group stops: the group, the whole fleet, or the host alone while no more than `hosts` failed."""

    scope: str = "group"  # host | group | fleet
    hosts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """A named risk that somebody took, until a day."""

    what: str
    by: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The whole desired state at one revision."""

    fleet: str
    hosts: Mapping[str, Host]
    services: Mapping[str, Service]
    groups: Mapping[str, tuple[str, ...]]  # group to services; a service without one is its own group
    procedures: Mapping[str, Procedure]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    one_by_one: frozenset[str] = frozenset()  # groups whose services are moved one after the other
    accepts: tuple[Accept, ...] = ()
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)  # service, host or "": where its release is
    catalog: tuple[Mapping[str, object], ...] = ()  # site additions, in the form of the catalog's files
    suspended: str = ""
    prometheus: Prometheus | None = None
    windows: tuple[Window, ...] = ()
    quarantined: tuple[Quarantine, ...] = ()
    alerts: tuple[Alert, ...] = ()
    approvals: Mapping[str, ApprovalPolicy] = field(default_factory=dict)  # by group; without one nobody is asked
    approved: tuple[Approval, ...] = ()
    halts: Mapping[str, HaltPolicy] = field(default_factory=dict)  # by group; without one a halt stops its group
    backups: Mapping[str, BackupPolicy] = field(default_factory=dict)  # by service; without one the default policy

    def backups_of(self, service: str) -> BackupPolicy:
        """Return what the backup sets of a service must be."""
        return self.backups.get(service, BackupPolicy())
