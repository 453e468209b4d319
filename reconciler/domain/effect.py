"""Effects, described as data and carried out in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.domain.desired import Database, SecretRef
from reconciler.domain.dns import DnsRecords
from reconciler.domain.probe import HttpProbe, OtherProbe
from reconciler.domain.row_probe import RowProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class HostScript:
    """A POSIX sh script that runs detached on a host.

    `body` is fixed text of a step kind, never made from the desired state. What varies comes as positional `args`
    ("$1"...), exported `env` values, and `secrets`: shell variables that are not exported and reach the host on stdin
    only (name to text with `{secret:NAME}` placeholders, resolved at the last moment from `secret_refs`).
    The script may write `name=value` lines to "$RECONCILER_VALUES". "$RECONCILER_RUN" names the run, and
    "$RECONCILER_HOME" is the host's state_dir.
    """

    body: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    secret_refs: Mapping[str, SecretRef] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHttp:
    """A probe asked from the daemon's machine; `secret_refs` fill its `{secret:NAME}` placeholders."""

    probe: HttpProbe
    secret_refs: Mapping[str, SecretRef] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskProbe:
    """Samples of a probe other than HTTP; `host` is where it is asked, `database` what it asks, where it needs them."""

    probe: OtherProbe
    host: str = ""
    database: Database | None = None


@dataclass(frozen=True, slots=True)
class AskSoak:
    """Samples of several probes, asked side by side until one of them is not good, or all were for long enough."""

    asks: tuple[AskHttp | AskProbe, ...]


@dataclass(frozen=True, slots=True)
class AskMarker:
    """The schema marker of a database, read by SQL."""

    database: Database


@dataclass(frozen=True, slots=True)
class AskFingerprint:
    """A digest over all rows of a database, read by SQL."""

    database: Database


@dataclass(frozen=True, slots=True)
class AskRows:
    """The rows of a database that stand in the way of a migration, read by SQL."""

    database: Database
    probe: RowProbe


@dataclass(frozen=True, slots=True)
class AskStructure:
    """What differs between a database and what a release of the catalog's `component` leaves, read by SQL."""

    database: Database
    component: str
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHost:
    """What runs of a service on a host, through the observers.

    It names what it asks for, since git may no longer know what a run proves. `form` is that of the build; `names` are
    the distributions behind `link`, or packages. Only what is `configured` is asked for its configuration.
    """

    host: str
    service: str
    form: str
    link: str = ""
    names: tuple[str, ...] = ()
    engine: str = ""
    units: tuple[str, ...] = ()
    configured: bool = False


@dataclass(frozen=True, slots=True)
class AskDns:
    """What a name means, asked of the server that has the word on it."""

    records: DnsRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDns:
    """Replace records by others, if they are those that they `was` (RFC 2136): one transaction of the server.

    Values are in canonical form; none means that there is no such record. The key signs the request (TSIG);
    `key_name` is empty for none.
    """

    records: DnsRecords
    was: tuple[str, ...]
    values: tuple[str, ...]
    ttl: int
    key_name: str = ""
    key_algorithm: str = "hmac-sha256"
    key_secret: SecretRef | None = None


Ask = AskHttp | AskProbe | AskSoak | AskMarker | AskStructure | AskFingerprint | AskRows | AskHost | AskDns
Effect = HostScript | UpdateDns | Ask
