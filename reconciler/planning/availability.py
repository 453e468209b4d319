"""Holds back what would take too many hosts of a service out of work, counted over all plans. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.domain.desired import Percent, Service
from reconciler.domain.observation import Known, Observations
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.planning.notice import stops
from reconciler.planning.quarantine import hosts_of
from reconciler.planning.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A service that can spare no more hosts now: those that are out, and how many may be."""

    service: str
    out: frozenset[str]
    limit: int

    @property
    def text(self) -> str:
        """Say who is out, and how many may be."""
        names = ", ".join(sorted(self.out)[:5]) or "none"
        return f"{self.service}: {len(self.out)} hosts are out of work ({names}), and {self.limit} may be"


def free_of(seen: Observations) -> dict[str, Mapping[str, int]]:
    """Return the free bytes by host and path, as far as hosts told of it."""
    return {
        name: report.value.facts.value.free_bytes
        for name, report in seen.hosts.items()
        if isinstance(report, Known) and isinstance(report.value.facts, Known)
    }


def limit_of(service: Service, total: int) -> int | None:
    """Return how many of a service's hosts may be out of work at a time; None where git does not limit it.

    A percentage is rounded down, but leaves one: else nothing could ever move. A quorum is more than half that stay.
    """
    match service.max_unavailable:
        case None:
            return None
        case "quorum":
            return (total - 1) // 2
        case Percent(of_100=share):
            return max(1, total * share // 100)
        case int() as count:
            return count
    raise AssertionError(service.max_unavailable)


def out_of_work(service: Service, scene: Scene) -> frozenset[str]:
    """Return the hosts of a service that nobody can tell of, that are in quarantine, or that a plan has taken out."""
    unseen = scene.unseen & set(service.hosts)
    taken = (
        host
        for run in scene.history.open_legs()
        if run.plan.direction != "rehearse"
        for host in _taken_out(run, service.name)
    )
    return unseen | frozenset(hosts_of(service.name, scene.desired)) | frozenset(taken)


def _taken_out(run: Run, service: str) -> Iterator[str]:
    """Yield hosts of which a step that takes them out was begun, and not all that brings them back is done."""
    columns: dict[str, list[Step]] = {}
    for step in run.steps:
        if step.service == service and step.host and step.phase in {Phase.QUIESCE, Phase.ROLL, Phase.BACK_OUT}:
            columns.setdefault(step.host, []).append(step)
    for host, steps in columns.items():
        begun = any(stops(step) and run.attempted(step.id) for step in steps)
        if begun and not all(run.done(step.id) for step in steps):
            yield host


def spared(steps: Sequence[Step], scene: Scene) -> tuple[tuple[Step, ...], tuple[Short, ...]]:
    """Return the steps that may begin as far as hosts can be spared, and the services that can spare no more."""
    out: dict[str, frozenset[str]] = {}
    short: dict[str, Short] = {}
    ready: list[Step] = []
    for step in steps:
        service = scene.desired.services.get(step.service)
        if service is None or service.max_unavailable is None or step.phase is not Phase.ROLL or not stops(step):
            ready.append(step)
            continue
        now = out.setdefault(service.name, out_of_work(service, scene))
        total = len(service.hosts) + len(hosts_of(service.name, scene.desired))
        limit = limit_of(service, total)
        assert limit is not None
        if step.host not in now and len(now) >= limit:
            short[service.name] = Short(service=service.name, out=now, limit=limit)
            continue
        out[service.name] = now | {step.host}
        ready.append(step)
    return tuple(ready), tuple(short.values())
