"""Read-only questions with a good answer: over the network, of databases, of metrics, and on hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NewType

from reconciler.domain.outcome import Sample

Good = Literal["some", "none"]
"""When rows, or samples of a query, are good: when there are some, or when there are none."""


ProbeName = NewType("ProbeName", str)
"""The name of a probe of the desired state, where an argument of an action names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a probe is asked: `count` times, `interval_s` apart, and all must be good.

    Before the first good answer, up to `warmup_s` seconds of bad ones are forgiven, since a service that was just
    started needs a moment; of one that was good before (`steady`) none is. What is `report_only` is told, and stops
    nothing.
    """

    name: str
    count: int = 1
    interval_s: float = 1.0
    timeout_s: float = 10.0
    warmup_s: float = 30.0
    report_only: bool = False
    steady: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe(Sampling):
    """One HTTP request and what a good answer looks like.

    `url` and `body` may hold `{host}`, `{address}`, variables and `{secret:NAME}` placeholders.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: str = ""
    status: int = 200
    expect_header: str = ""
    expect_body: str = ""
    verify_tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbe(Sampling):
    """Good when a connection to `host` and `port` is taken; asked from the daemon's machine."""

    kind: Literal["tcp"] = "tcp"
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricProbe(Sampling):
    """A query of the fleet's Prometheus; good when its answer has samples, or none.

    Where `present` has no samples, what the query asks about is not scraped, and nobody can tell.
    """

    kind: Literal["promql"] = "promql"
    promql: str
    good: Good
    present: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsProbe(Sampling):
    """One checked SELECT on a database of the service; good when it yields rows, or none."""

    kind: Literal["sql"] = "sql"
    database: str
    sql: str
    good: Good


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe(Sampling):
    """A command on the host; good when it ends with one of `ok` and, where given, its output matches."""

    kind: Literal["command"] = "command"
    argv: tuple[str, ...]
    ok: tuple[int, ...] = (0,)
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProbe(Sampling):
    """Good while a unit of the host's manager is active, and from one good answer to the next the same life of it."""

    kind: Literal["unit"] = "unit"
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerProbe(Sampling):
    """Good while a container of the host's engine runs the same life of it, and its own health check is content.

    With `image` it must run that one, by digest where it names one: the planner says which of a build.
    """

    kind: Literal["container"] = "container"
    container: str
    engine: Literal["podman", "docker"] = "podman"
    image: str = ""


OtherProbe = TcpProbe | MetricProbe | RowsProbe | CommandProbe | UnitProbe | ContainerProbe
"""All but those by HTTP, which have secrets and a step kind of their own."""

Probe = HttpProbe | OtherProbe


def judge_response(probe: HttpProbe, status: int, headers: Mapping[str, str], body: bytes) -> Sample:
    """Say whether an answer is the good one; the text shows nothing of what the server sent but its status."""
    if status != probe.status:
        return Sample(False, f"status {status} instead of {probe.status}")
    if probe.expect_header and probe.expect_header.lower() not in {name.lower() for name in headers}:
        return Sample(False, f"status {status} without the header {probe.expect_header}")
    if probe.expect_body.encode() not in body:
        return Sample(False, f"status {status} without {probe.expect_body!r} in the body")
    return Sample(True, f"status {status}")
