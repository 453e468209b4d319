"""Builds the graph of a plan's steps from the phases of its stages' procedures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Service
from reconciler.domain.plan import Json, Step, Undo
from reconciler.domain.procedure import Phase, PhaseSpec, Selector
from reconciler.planning.actions import expand
from reconciler.planning.crew import crews
from reconciler.planning.leg import Leg, Place
from reconciler.planning.position import goal_of
from reconciler.planning.selected import MANY, Moved, Round, owner_of, rounds
from reconciler.planning.setting import Draft, Setting
from reconciler.steps import barrier, kinds

_UNSAFE = re.compile(r"[^A-Za-z0-9._@+-]+")

Column = Sequence[tuple[Place, Draft]]
"""What is done one after the other in one place."""


@dataclass(slots=True)
class Graph:
    """Steps under construction: `frontier` are the steps that the next block comes after.

    `services` are the live deployments. `moved` is kept for each service, under the name of the first of its crew.
    """

    desired: Desired
    catalog: Catalog
    services: Mapping[str, Service]
    legs: Mapping[str, Leg]
    steps: dict[str, Step] = field(default_factory=dict)
    frontier: tuple[str, ...] = ()
    moved: dict[str, Moved] = field(default_factory=dict)
    twins: dict[str, int] = field(default_factory=dict)

    def prepare(self, phases: Iterable[PhaseSpec], legs: Sequence[Leg]) -> tuple[str, ...]:
        """Add phases that are no part of the pause: everything of them is side by side. Return all ends."""
        ends: dict[str, None] = {}
        for phase in phases:
            for crew in _parties(phase, legs):
                for block in self._blocks(phase, crew):
                    self.frontier = ()
                    self._block(block, once=True)
                    ends |= dict.fromkeys(self.frontier)
        self.frontier = ()
        return tuple(ends)

    def add_phase(self, phase: PhaseSpec, legs: Sequence[Leg]) -> None:
        """Add one phase of all services side by side; the next phase waits for all of them.

        Services that share hosts go over these together, so that each host is taken once.
        """
        start, ends = self.frontier, dict[str, None]()
        for crew in _parties(phase, legs):
            self.frontier = start
            for block in self._blocks(phase, crew):
                self._block(block)
            ends |= dict.fromkeys(self.frontier)
        self.frontier = tuple(ends) or start

    def _blocks(self, phase: PhaseSpec, crew: Sequence[Leg]) -> Iterator[list[Column]]:
        """Yield the columns of each round."""
        moved = self.moved.setdefault(crew[0].service.name, Moved())
        owner = owner_of(phase, crew[0], self.services)
        of_others = self.moved.setdefault(owner.name, Moved()) if phase.on is Selector.SERVICE else moved
        found = rounds(phase, crew, of_others, owner)
        for span in crew[0].hops if phase.each == "hop" else (crew[0].whole,):
            for each in found:
                yield [self._column(phase, crew, span, each, place) for place in range(len(each.hosts))]
        if phase.phase is Phase.ROLL:
            of_others.note(found)

    def _column(
        self, phase: PhaseSpec, crew: Sequence[Leg], span: tuple[str, str], each: Round, number: int
    ) -> list[tuple[Place, Draft]]:
        """Return what is done on one host: action by action, for each service; what two of them say is done once."""
        host = each.hosts[number]
        settings = [
            (self._setting(phase, leg, span, each, number), leg) for leg in crew if len(crew) == 1 or host in leg.names
        ]
        column: list[tuple[Place, Draft]] = []
        for spec in phase.steps:
            said: list[tuple[str, Mapping[str, object]]] = []
            for setting, leg in settings:
                place = self._place(phase, setting, leg, each, host)
                for draft in expand(setting, spec):
                    if len(settings) == 1 or (draft.kind, draft.args) not in said:
                        column.append((place, draft))
                        said.append((draft.kind, draft.args))
        return column

    def _place(self, phase: PhaseSpec, setting: Setting, leg: Leg, each: Round, host: str) -> Place:
        hop = f"{setting.start}>{setting.goal}" if setting.start != setting.goal and len(leg.stops) > 1 else ""
        return Place(
            phase=phase.phase, service=setting.service.name, host=host, hop=hop, wave=each.wave, leads=each.leads
        )

    def _setting(self, phase: PhaseSpec, leg: Leg, span: tuple[str, str], each: Round, number: int) -> Setting:
        host, owner = each.hosts[number], owner_of(phase, leg, self.services)
        if owner.name != leg.service.name:
            leg = self.legs.get(owner.name, leg)
            span = leg.whole if leg.service.name == owner.name else (owner.release, owner.release)
        elif owner is leg.old:
            span = (leg.stops[0], leg.stops[0])
        elif phase.each == "leg":
            span = leg.whole
        if len(leg.stops) == 1 and host and owner is leg.service:
            span = (goal_of(owner, host),) * 2
        return Setting(
            service=owner,
            desired=self.desired,
            catalog=self.catalog,
            host=self.desired.hosts.get(host),
            position=leg.standing.get(host),
            start=span[0],
            goal=span[1],
            origin=leg.stops[0],
            walked=leg.walked,
            stops=leg.stops,
            onto=each.before(number),
            leads=each.leads,
            old=leg.old,
        )

    def _block(self, columns: Iterable[Column], *, once: bool = False) -> None:
        """Add columns that run side by side, each a chain, all after the frontier."""
        ends: dict[str, None] = {}
        for column in columns:
            before = self.frontier
            for place, draft in column:
                before = (self.add(draft, place, before, once=once),)
            if column:
                ends |= dict.fromkeys(before)
                last = column[-1][0]
        if len(ends) > barrier.CROWD:
            self.frontier = (self._barrier(tuple(ends), last),)
        else:
            self.frontier = tuple(ends) or self.frontier

    def _barrier(self, ends: tuple[str, ...], place: Place) -> str:
        """Let one step wait for a crowd, so that what follows waits for that one alone."""
        key = "barrier" if place.wave is None else f"barrier.{place.wave}"
        title = f"wait for {len(ends)} hosts"
        args: dict[str, Json] = {"waits_for": len(ends)}
        draft = Draft(kind=barrier.KIND, title=title, key=key, args=args, undo=Undo(barrier.KIND, args, title))
        return self.add(draft, replace(place, host="", leads=""), ends)

    def add(self, draft: Draft, place: Place, after: tuple[str, ...], *, once: bool = False) -> str:
        """Add a step and return its id; `once`: what is there already, word for word, is not added again."""
        step = make_step(draft, place, after)
        if step.id in self.steps:
            known = self.steps[step.id]
            if once and (known.kind, known.args) == (step.kind, step.args):
                return step.id
            self.twins[step.id] = self.twins.get(step.id, 1) + 1
            step = make_step(draft, place, after, twin=self.twins[step.id])
        self.steps[step.id] = step
        return step.id


def _parties(phase: PhaseSpec, legs: Sequence[Leg]) -> Sequence[Sequence[Leg]]:
    """Return who goes through a phase together; what is done on another service is done once, whoever asks for it.

    Hop after hop only those go together that have the same hops.
    """
    if phase.on is Selector.SERVICE:
        return [legs[:1]]
    if phase.on not in MANY:
        return [(leg,) for leg in legs]
    if phase.each == "leg":
        return crews(legs)
    alike: dict[Sequence[tuple[str, str]], list[Leg]] = {}
    for leg in legs:
        alike.setdefault(leg.hops, []).append(leg)
    return [crew for each in alike.values() for crew in crews(each)]


def make_step(draft: Draft, place: Place, after: tuple[str, ...] = (), *, twin: int = 1) -> Step:
    """Give a draft its id and place; `twin` numbers those that would have the same id."""
    kind = kinds()[draft.kind]
    host = "" if draft.asks else place.host
    number = f".{twin}" if twin > 1 else ""
    at = f"@{host}" if host else ""
    return Step(
        id=_UNSAFE.sub("-", f"{place.service}.{place.phase}.{draft.key or draft.kind}{number}") + at,
        kind=draft.kind,
        phase=place.phase,
        service=place.service,
        title=draft.title,
        hop=place.hop,
        host=host,
        wave=place.wave,
        leads=place.leads,
        args=draft.args,
        after=after,
        undo=draft.undo,
        timeout_s=max(kind.TIMEOUT_S, draft.lasts_s),
        repeatable=kind.REPEATABLE,
        interruptible=kind.INTERRUPTIBLE,
        point_of_no_return=draft.point_of_no_return,
        name=draft.name,
        advisory=draft.advisory,
        cuts_link=draft.cuts_link,
    )
