"""The outline of a plan that its pictures share: phases, and below them hops or waves, and below these the steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.cli.words import few, on, pause_text
from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import Phase
from reconciler.planning.notice import Notice
from reconciler.planning.preview import Preview
from reconciler.planning.telling import Telling

WAVES = 6
"""So many waves are listed; of more, their number tells enough."""

TEXTS = {
    Phase.PREFLIGHT: "read-only questions",
    Phase.PREPARE: "before the pause, nobody notices",
    Phase.QUIESCE: "out of work: the pause begins",
    Phase.BACKUP: "a backup set, read back",
    Phase.LOAD: "the set into the new deployment's databases",
    Phase.MIGRATE: "schema steps",
    Phase.ROLL: "hosts move, wave by wave",
    Phase.BACKFILL: "online data migrations",
    Phase.CUTOVER: "users get to the new deployment",
    Phase.CONTRACT: "what the old release cannot survive",
    Phase.RETIRE: "old things go",
    Phase.FINISH: "closing checks",
    Phase.BACK_OUT: "the way back",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Steps that do the same on different hosts."""

    title: str
    steps: tuple[Step, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts, none for what the daemon does."""
        return tuple(dict.fromkeys(step.host for step in self.steps if step.host))

    @property
    def point_of_no_return(self) -> bool:
        """Tell whether one of the steps is the point of no return."""
        return any(step.point_of_no_return for step in self.steps)


@dataclass(frozen=True, slots=True)
class Part:
    """Steps that belong together: one hop, waves that do the same, or simply all of a phase.

    `named` says that the title names the hosts, so that lines need not.
    """

    title: str
    lines: tuple[Line, ...]
    named: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return all steps, line by line."""
        return tuple(step for line in self.lines for step in line.steps)


@dataclass(frozen=True, slots=True)
class Section:
    """A phase, in the order of the plan."""

    phase: Phase
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Return what the phase is for."""
        return TEXTS[self.phase]


def sections(plan: Plan) -> tuple[Section, ...]:
    """Return the phases of a plan in order, without barriers, which do nothing; a phase may come twice."""
    steps = (step for step in plan.steps if step.kind != "barrier")
    return tuple(
        Section(phase, tuple(_parts(tuple(members), plan))) for phase, members in groupby(steps, lambda s: s.phase)
    )


def heading(each: Preview) -> str:
    """Return the first line of what is told of a group."""
    plan = each.plan
    if plan is None:
        return f"{each.group}: {f'others move it: {each.others}' if each.others else 'nothing to do'}"
    ways = ", ".join(way(service.service, service.route, service.goal) for service in plan.services)
    count = f"{len(plan.steps)} steps" if plan.steps else "blocked"
    back = " back" if plan.direction == "back" else ""
    return f"{plan.group}:{back} {ways or 'no way'} ({count}, plan {plan.id})"


def way(service: str, route: Sequence[str], goal: str) -> str:
    """Word a service's part of a plan."""
    if len(route) > 1:
        return f"{service} {' → '.join(route)}"
    return f"{service} to another build of {goal}" if route else f"{service} to {goal}"


def stopped(plan: Plan) -> str:
    """Word what is out of work from quiesce on; empty when nothing is stopped beforehand."""
    hosts: dict[str, list[str]] = {}
    for step in plan.steps:
        if step.phase is Phase.QUIESCE and step.host not in hosts.setdefault(step.service, []):
            hosts[step.service].append(step.host)
    return "; ".join(f"{service}{on(names)}" for service, names in hosts.items())


def noticed(told: Telling, plan: Plan) -> Iterator[str]:
    """Say in lines what users notice of each service, and how long a pause lasts."""
    spans = {pause.service: pause for pause in told.pauses}
    for service in dict.fromkeys(step.service for step in plan.steps):
        felt = {told.notice[step.id] for step in plan.steps if step.service == service}
        if service in spans:
            after = ", then degraded until the last host has moved" if Notice.DEGRADED in felt else ""
            yield f"{service} pauses{after}: {pause_text(spans[service])}"
        elif Notice.DEGRADED in felt:
            yield f"{service} is degraded: some hosts at a time are out of work, the others serve"
    if "" in spans:
        yield f"all of the group: {pause_text(spans[''])}"


def waves_text(told: Telling) -> Iterator[str]:
    """Say in lines which hosts move together; the waves of services that move alike are told once."""
    waves: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for wave in told.waves:
        waves.setdefault(wave.service, []).append((wave.hosts, _canary(wave.number, wave.leads)))
    moved: dict[tuple[tuple[tuple[str, ...], str], ...], list[str]] = {}
    for service, members in waves.items():
        moved.setdefault(tuple(members), []).append(service)
    for found, services in moved.items():
        count = sum(len(hosts) for hosts, _ in found)
        counted = f"{len(found)} wave{'s' if len(found) != 1 else ''}, {count} hosts"
        shown = "; ".join(
            f"{number}{f' ({canary})' if canary else ''}: {few(hosts, 4)}"
            for number, (hosts, canary) in enumerate(found[:WAVES])
        )
        yield f"{few(services)}: {counted}: {shown}{'; ...' if len(found) > WAVES else ''}"


def _canary(wave: int | None, leads: str) -> str:
    """Word that a wave is a canary, and of which role; empty for others."""
    return f"canary of role {leads}" if leads else "canary" if wave == 0 else ""


def no_return(told: Telling) -> str:
    """Word the point of no return, and what comes after it."""
    step = told.no_return
    if step is None:
        return "none: until its end this plan can be taken back from its backup set"
    after = few(list(dict.fromkeys(each.title for each in told.beyond)), 4)
    return f"{label(step)} ({step.phase}); after it: {after or 'nothing'}"


def going_back(told: Telling) -> Iterator[tuple[str, str, str]]:
    """Yield for each stretch of the plan: up to where, what happens there, and what is done to take it back."""
    for each in told.stretches:
        undo = "; ".join(f"{undoing.title}{on(undoing.hosts)}" for undoing in each.undo)
        if each.loses:
            lost = few(each.loses, 8)
            undo += f". What was written to {lost} since the seal stops that, until git accepts its loss"
        yield f"{label(each.last)} ({each.last.phase})", each.text, undo


def label(step: Step) -> str:
    """Return a step's line."""
    return f"{step.title}{f' on {step.host}' if step.host else ''}"


Round = tuple[Step, ...]
"""What is done side by side, or for one hop."""


def _parts(steps: Sequence[Step], plan: Plan) -> Iterator[Part]:
    for _, alike in groupby(_rounds(steps), _likeness):
        rounds = tuple(alike)
        title = ": ".join(_titles(rounds, plan))
        yield Part(title, _lines(step for each in rounds for step in each), named=rounds[0][0].wave is not None)


def _rounds(steps: Sequence[Step]) -> Iterator[Round]:
    """Divide a phase: waves as they follow each other, all else by service and hop.

    Services that share hosts take turns on these; what one of them does is drawn together all the same.
    """
    for wave, members in groupby(steps, lambda step: step.wave):
        if wave is not None:
            yield tuple(members)
            continue
        found: dict[tuple[str, str], list[Step]] = {}
        for step in members:
            found.setdefault((step.service, step.hop), []).append(step)
        yield from map(tuple, found.values())


def _likeness(members: Round) -> tuple[object, ...]:
    """Return what is equal for waves that do the same, one after the other; the canary's is like no other."""
    wave, leads = members[0].wave, members[0].leads
    if not wave or leads:
        return wave, members[0].service, members[0].hop
    return 1, tuple(dict.fromkeys((step.service, step.title) for step in members))


def _titles(rounds: Sequence[Round], plan: Plan) -> Iterator[str]:
    """Yield what tells a part from the others of its phase; a hop that stands for the whole leg says nothing new."""
    first = rounds[0][0]
    spans = frozenset(f"{each.route[0]}>{each.route[-1]}" for each in plan.services if each.route)
    if len(plan.services) > 1:
        yield few(list(dict.fromkeys(step.service for step in rounds[0])))
    if first.wave is not None:
        canary = _canary(first.wave, first.leads)
        yield _waves([tuple(dict.fromkeys(step.host for step in each)) for each in rounds], first.wave, canary)
    elif first.hop and first.hop not in spans:
        yield first.hop.replace(">", " → ")


def _waves(hosts: Sequence[Sequence[str]], first: int, canary: str) -> str:
    if len(hosts) == 1:
        return f"wave {first}{f', the {canary}' if canary else ''}: {few(hosts[0])}"
    shown = "; ".join(few(names, 3) for names in hosts[:4])
    more = f"; ... {sum(map(len, hosts))} hosts in all" if len(hosts) > 4 else ""
    return f"waves {first} to {first + len(hosts) - 1}, one after the other: {shown}{more}"


def _lines(steps: Iterable[Step]) -> tuple[Line, ...]:
    """Draw together what is the same on many hosts, in the order in which it first comes."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(f"{step.title} (advisory)" if step.advisory else step.title, []).append(step)
    return tuple(Line(title, tuple(members)) for title, members in found.items())
