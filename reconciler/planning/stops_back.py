"""Which releases of its newest leg a group can go back to, and what each costs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.domain.plan import Step
from reconciler.domain.run import Run
from reconciler.domain.text import whole_number
from reconciler.planning.database_actions import at_savepoint
from reconciler.planning.durations import durations_of
from reconciler.planning.plan_back import barred_by
from reconciler.planning.scene import Scene
from reconciler.planning.way_back import seals_of
from reconciler.steps import backup, schema_sync

Members = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Dump:
    """When a dump was made, and how large it is."""

    made_at: datetime | None
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopBack:
    """A release of a leg that a commit may name as the goal: where it began, or a savepoint.

    `made_at` and `bytes` are of the dumps that would be loaded, None where there are none or nobody knows. `hops` must
    be walked again to come back to the leg's goal; their schema steps took `again_s`, None where that was never
    measured. What was written since `sealed_at` is lost; where that is None nothing of the service has served since.
    """

    service: str
    release: str
    savepoint: bool
    made_at: datetime | None
    bytes: int | None
    hops: int
    again_s: float | None
    sealed_at: datetime | None


def stops_back(group: str, scene: Scene) -> tuple[StopBack, ...]:
    """Return the releases of a group's newest leg that can be gone back to, oldest first; none where it is barred.

    A savepoint is one of all services that the leg moved, or of none.
    """
    run = _newest(group, scene)
    if run is None or run.preparing or barred_by(run, scene.history) is not None:
        return ()
    legs = [_Leg(each.service, scene.history.chain(run), scene) for each in run.plan.services]
    found = [each for leg in legs for each in leg.stops()]
    whole = {each.service for each in found if each.savepoint} == {leg.service for leg in legs}
    return tuple(each for each in found if whole or not each.savepoint)


def _newest(group: str, scene: Scene) -> Run | None:
    run = scene.history.open_run(group)
    if run is not None:
        return run if run.plan.direction == "forward" and run.back is None else None
    standing = scene.history.completed(group)
    return standing[-1] if standing else None


@dataclass(frozen=True, slots=True)
class _Leg:
    """What a leg did to a service; `chain` are the runs that went it, newest first."""

    service: str
    chain: tuple[Run, ...]
    scene: Scene
    dumps: Mapping[str, _Dump] = field(init=False)

    def __post_init__(self) -> None:
        """Find the dumps that were made: of several of one name the first, for later ones are not of the start."""
        made = [
            (str(step.args["database"]), _dump(run, step))
            for run in self.chain
            for step in run.plan.steps
            if step.kind == backup.KIND and step.service == self.service and run.done(step.id)
        ]
        object.__setattr__(self, "dumps", dict(made))

    def stops(self) -> Iterator[StopBack]:
        """Yield where the leg began, and each savepoint within it."""
        route = self._route()
        for place, release in enumerate(route[:-1]):
            names = self._named(release if place else "")
            made = [self.dumps[name] for name in names if name in self.dumps]
            if place and (not names or len(made) < len(names)):
                continue
            sizes = [each.bytes for each in made]
            yield StopBack(
                service=self.service,
                release=release,
                savepoint=place > 0,
                made_at=max((each.made_at for each in made if each.made_at), default=None),
                bytes=sum(filter(None, sizes)) if sizes and None not in sizes else None,
                hops=len(route) - 1 - place,
                again_s=self._again(route[place:]),
                sealed_at=self._sealed(),
            )

    def _route(self) -> Members:
        """Return the releases of the whole leg: each run goes on from a stop of the one that it took over."""
        whole: Members = ()
        for run in reversed(self.chain):
            route = next((each.route for each in run.plan.services if each.service == self.service), ())
            known = whole.index(route[0]) if route and route[0] in whole else len(whole)
            whole = (*whole[:known], *route) if route else whole
        return whole

    def _named(self, release: str) -> Members:
        """Name the dumps of all databases: at a savepoint, or where the leg began."""
        service = self.scene.desired.services.get(self.service)
        names = sorted(service.databases) if service else ()
        return tuple(at_savepoint(name, release) if release else name for name in names)

    def _again(self, route: Members) -> float | None:
        """Say how long the schema steps of these hops took, as far as they were measured."""
        measured = durations_of(self.scene.history)
        steps = {step.id: step for run in self.chain for step in run.plan.steps if self._walks(step, route)}
        took = [seconds for step in steps.values() if (seconds := measured.of(step)) is not None]
        return sum(took) if took else None

    def _walks(self, step: Step, route: Sequence[str]) -> bool:
        return step.service == self.service and step.kind == schema_sync.KIND and step.hop.partition(">")[0] in route

    def _sealed(self) -> datetime | None:
        """Return when the service's databases were sealed; what ran since may have written."""
        seals = ((step, run) for (service, _), (step, run) in seals_of(self.chain).items() if service == self.service)
        return max((at for step, run in seals if (last := run.last(step.id)) and (at := last.ended_at)), default=None)


def _dump(run: Run, step: Step) -> _Dump:
    last, size = run.last(step.id), run.values(step.id).get("bytes", "")
    return _Dump(last.ended_at if last else None, whole_number(size))
