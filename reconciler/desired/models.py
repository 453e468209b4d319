"""The form of the files: what an operator writes. `docs/reference/desired-state.md` is made from it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import (
    Field,
    ValidatorFunctionWrapHandler,
    model_validator,
)

from reconciler.desired import words as w
from reconciler.desired.build_model import BuildModel, ConfigFileModel, exactly_one
from reconciler.desired.model import Model
from reconciler.desired.policy_model import (
    AcceptModel,
    AlertModel,
    ApprovalsModel,
    ApproveModel,
    BackupsModel,
    HaltsModel,
    QuarantineModel,
)
from reconciler.desired.probe_model import ProbeModel
from reconciler.desired.procedure_model import ProcedureModel
from reconciler.desired.window_model import WindowModel

# ---------------------------------------------------------------- fleet and hosts


class LoginModel(Model):
    """How a host is entered."""

    user: w.UserName = Field(default="root", description="The user of the SSH connection.")
    become: Literal["none", "sudo"] = Field(
        default="none",
        description="`sudo`: it becomes root by `sudo -n /bin/sh -s`; `reconciler enrol` prints the sudoers.",
    )


class DefaultsModel(Model):
    """What holds for every host that does not say otherwise."""

    login: LoginModel = Field(default=LoginModel(), description="How hosts are entered.")
    port: w.Port = Field(default=22, description="The port of sshd.")
    zone: w.Name = Field(default="default", description="The zone; work is limited per zone.")
    state_dir: w.Path = Field(
        default="/var/lib/reconciler", description="A folder on the host for the daemon alone. Holds placeholders."
    )
    manager: Literal["systemd", "supervisord"] = Field(default="systemd", description="What runs units.")
    manager_config: w.Path = Field(default="", description="The configuration file of supervisord. Holds placeholders.")
    vars: dict[w.Variable, w.Line] = Field(default={}, description="Variables for placeholders, never secrets.")


class HostModel(DefaultsModel):
    """A host, or many under a name with a range; what is left out comes from the fleet's defaults."""

    address: w.Address = Field(
        default="", description="IP address or host name; default: the host's name. A range runs along with the name's."
    )
    roles: tuple[w.Name, ...] = Field(default=(), description="Services find their hosts by role.")
    labels: dict[w.Name, w.Line] = Field(default={}, description="Free labels, for the canary.")


class SecretModel(Model):
    """Where the daemon's machine keeps a secret; exactly one of the keys."""

    file: w.Path | None = Field(default=None, description="A file; a newline at its end is cut off.")
    env: w.EnvName | None = Field(default=None, description="An environment variable of the daemon.")
    credential: w.Name | None = Field(default=None, description="A systemd credential.")

    @model_validator(mode="wrap")
    @classmethod
    def _refers(cls, value: object, handler: ValidatorFunctionWrapHandler) -> Self:
        if not isinstance(value, dict):
            raise ValueError("must be a reference to a secret, never the secret itself")  # noqa: TRY004 - pydantic's way
        model: Self = handler(value)
        exactly_one(model, "file", "env", "credential")
        return model


class PrometheusModel(Model):
    """The Prometheus that knows this fleet; it is only asked, by instant queries."""

    url: w.HttpUrl = Field(description="Where its API is, without `/api/v1`.")
    token: SecretModel | None = Field(default=None, description="A bearer token.")


class FleetModel(Model):
    """The fleet as a whole."""

    name: w.Name = Field(description="The fleet's name.")
    suspended: w.Reason = Field(default="", description="Why nothing new may start anywhere; empty: not suspended.")
    defaults: DefaultsModel = Field(default=DefaultsModel(), description="Defaults for hosts.")
    prometheus: PrometheusModel | None = Field(
        default=None,
        description="The fleet's Prometheus; rules of the catalog may ask it what the fleet is exposed to.",
    )
    alerts: dict[w.Name, AlertModel] = Field(
        default={}, description="What must not fire in the fleet's Prometheus while legs begin, by name."
    )
    approvals: ApprovalsModel = Field(default=ApprovalsModel(), description="How many people must say yes to plans.")
    halts: HaltsModel = Field(default=HaltsModel(), description="What the halt of a group stops.")
    backups: BackupsModel = Field(default=BackupsModel(), description="What backup sets must be.")
    windows: dict[w.Name, WindowModel] = Field(
        default={}, description="Maintenance windows and freezes, by name; without any, legs begin at any time."
    )


class GroupModel(Model):
    """Services that are planned, judged and halted together."""

    services: tuple[w.Name, ...] = Field(min_length=1, description="Its services, in their order.")
    one_by_one: w.Flag = Field(
        default=False,
        description="`true`: one service after the other; else neighbours with the same procedure move together.",
    )
    approvals: ApprovalsModel | None = Field(
        default=None, description="How many people must say yes to its plans; default: the fleet's word."
    )
    halts: HaltsModel | None = Field(default=None, description="What a halt of it stops; default: the fleet's word.")


# ---------------------------------------------------------------- services


class DatabaseModel(Model):
    """A database of a service."""

    url: w.DatabaseUrl = Field(
        description="SQLAlchemy URL without password, as the daemon reaches it; `?ssl_ca=PATH` asks for TLS."
    )
    password: SecretModel | None = Field(default=None, description="The password for both URLs.")
    host_url: w.OptionalDatabaseUrl = Field(
        default="", description="The same database as the hosts reach it; default: `url`."
    )


class BackupModel(Model):
    """Where backup sets are kept."""

    dir: w.Path = Field(description="A folder on the bootstrap host.")


class CanaryModel(Model):
    """Which host goes first: the first one of the service that all given keys fit."""

    host: w.Name = Field(default="", description="This host.")
    zone: w.Name = Field(default="", description="A host of this zone.")
    role: w.Name = Field(default="", description="A host with this role.")
    label: w.Label = Field(default="", description="A host with this label, KEY=VALUE.")
    soak_s: w.Seconds = Field(
        default=0.0, description="Seconds for which the probes under `verify` must be good on it before others move."
    )


class OverrideModel(Model):
    """A host that stays behind its service for a while."""

    release: w.Name = Field(description="The release it stays at.")
    reason: w.GivenReason = Field(description="Why.")
    until: w.Day = Field(description="The last day on which it holds, YYYY-MM-DD.")


class ReplacementModel(Model):
    """A further deployment of a service, on hosts of its own. A cutover makes it the live one.

    It takes over in the leg that ends at its release, or at a later one before the next of them. What is left out is as
    the service has it, whose own keys are the first deployment.
    """

    roles: tuple[w.Name, ...] = Field(default=(), description="Its hosts are those with one of these roles.")
    hosts: tuple[w.HostPattern, ...] = Field(default=(), description="Its hosts by name, in place of `roles`.")
    bootstrap: w.Name = Field(default="", description="Runs schema commands; default: its first host.")
    databases: dict[w.Name, DatabaseModel] = Field(default={}, description="Its databases, by the catalog's names.")
    units: tuple[w.Unit, ...] = Field(default=(), description="Its units, in the order of starting.")
    builds: dict[w.ReleaseKey, BuildModel] = Field(
        default={}, description="Release to build; `*` stands for all others."
    )
    config: dict[w.ReleaseKey, tuple[ConfigFileModel, ...]] = Field(
        default={}, description="Release to configuration files; `*` stands for all others."
    )
    commands: dict[w.Name, tuple[w.Given, ...]] = Field(
        default={}, description="The argv that stands for a tool of the catalog's commands."
    )
    backup: BackupModel | None = Field(default=None, description="Where dumps go that it loads.")
    vars: dict[w.Variable, w.Line] = Field(default={}, description="Variables for placeholders; those of hosts win.")


class RehearsalModel(ReplacementModel):
    """Scratch databases on which the walk of a service's own is rehearsed, and what is needed to migrate them.

    What is left out is as the service has it, its bootstrap host too.
    """

    within_days: w.Count | None = Field(
        default=None,
        description="How old a rehearsal of the walk may be when a leg begins; it begins by itself. None: not asked.",
    )


class ServiceModel(Model):
    """A service: the release it should run, and all that is needed to bring it there."""

    component: w.Name = Field(default="", description="Its name in the catalog; default: its name here.")
    series: w.Name = Field(description="The series of its releases, like `openstack`.")
    release: w.Name = Field(description="The release that it should run, by id or name.")
    procedure: w.OptionalName = Field(
        default="", description="How a leg is carried out. Needed, unless others move it."
    )
    policy: Literal["supported", "offline"] = Field(
        default="supported",
        description="Which hops are allowed: what upstream supports, or what the code accepts with services stopped.",
    )
    roles: tuple[w.Name, ...] = Field(
        default=(), description="Its hosts are those with one of these roles; each has a canary of its own."
    )
    hosts: tuple[w.HostPattern, ...] = Field(default=(), description="Its hosts by name, in place of `roles`.")
    bootstrap: w.Name = Field(
        default="", description="Runs schema commands; default: the first host without an override."
    )
    databases: dict[w.Name, DatabaseModel] = Field(default={}, description="Its databases, by the catalog's names.")
    units: tuple[w.Unit, ...] = Field(default=(), description="Its units, in the order of starting.")
    versions: dict[w.Name, w.Version] = Field(
        default={}, description="Release to package version, for `{version}`; default: the catalog's."
    )
    builds: dict[w.ReleaseKey, BuildModel] = Field(
        min_length=1, description="Release to build; `*` stands for all others."
    )
    config: dict[w.ReleaseKey, tuple[ConfigFileModel, ...]] = Field(
        default={}, description="Release to configuration files; `*` stands for all others."
    )
    commands: dict[w.Name, tuple[w.Given, ...]] = Field(
        default={},
        description="The argv that stands for a tool of the catalog's commands, like `keystone-manage`.",
    )
    secrets: dict[w.Name, SecretModel] = Field(default={}, description="Secrets by name, for `{secret:NAME}`.")
    backup: BackupModel | None = Field(default=None, description="Where backup sets go; needed with databases.")
    backups: BackupsModel = Field(default=BackupsModel(), description="What they must be; default: the fleet's word.")
    canary: CanaryModel = Field(default=CanaryModel(), description="Which host goes first; default: its first.")
    waves: tuple[w.WaveSize, ...] = Field(
        default=("1",),
        min_length=1,
        description="Sizes of the waves after the canary: numbers, or percentages of all hosts that move, rounded up; "
        "the last one repeats.",
    )
    waves_by: Literal["", "zone"] = Field(default="", description="`zone`: no wave spans two zones.")
    disk_space: dict[w.Path, w.Amount] = Field(
        default={}, description="Path to GiB that must be free there on every host before a leg begins."
    )
    max_unavailable: w.Unavailable = Field(
        default="",
        description="How many hosts may be out of work at a time, over all plans: a number, a percentage, "
        "or `quorum`, so that more than half stay; hosts that nobody can tell of count. Empty: not limited.",
    )
    verify: tuple[w.Name, ...] = Field(default=(), description="Probes asked of every host that was moved.")
    smoke: tuple[w.Name, ...] = Field(default=(), description="Probes asked once at the end.")
    overrides: dict[w.Name, OverrideModel] = Field(default={}, description="Hosts that stay behind.")
    vars: dict[w.Variable, w.Line] = Field(default={}, description="Variables for placeholders; those of hosts win.")
    suspended: w.Reason = Field(default="", description="Why nothing new may start; empty: not suspended.")
    moved_by: Literal["us", "others"] = Field(
        default="us", description="`others`: it is only looked at, never planned; plans that need it wait for them."
    )
    rehearsal: RehearsalModel | None = Field(default=None, description="Where its walk is rehearsed.")
    replacements: dict[w.Name, ReplacementModel] = Field(
        default={}, description="Further deployments, by the release at which each takes the place of the one before."
    )


# ---------------------------------------------------------------- files


class FleetFile(Model):
    """`fleet.yaml`."""

    fleet: FleetModel = Field(description="The fleet as a whole.")
    hosts: dict[w.HostPattern, HostModel] = Field(default={}, description="Hosts by name; also in `hosts/*.yaml`.")
    groups: dict[w.Name, GroupModel] = Field(default={}, description="Groups; a service in none is its own.")
    services: dict[w.Name, ServiceModel] = Field(default={}, description="Services by name; also in `services/*.yaml`.")
    probes: dict[w.Name, ProbeModel] = Field(default={}, description="Probes by name; also in `probes/*.yaml`.")
    procedures: dict[w.Name, ProcedureModel] = Field(
        default={}, description="Procedures by name; also in `procedures/*.yaml`."
    )
    accept: tuple[AcceptModel, ...] = Field(default=(), description="Risks that somebody took.")
    quarantine: tuple[QuarantineModel, ...] = Field(default=(), description="Hosts that are left alone for a while.")
    approve: tuple[ApproveModel, ...] = Field(default=(), description="Plans that somebody said yes to.")
