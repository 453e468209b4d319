"""Makes the plan of a group: what its next leg will do, or why it may not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Service
from reconciler.domain.memo import memo
from reconciler.domain.plan import Block, Plan, ServiceRoute, Step
from reconciler.domain.position import Position
from reconciler.domain.procedure import Phase, Procedure
from reconciler.domain.reasons import Reason
from reconciler.domain.route import RoutePolicy
from reconciler.domain.run import History, Run
from reconciler.planning import savepoint
from reconciler.planning.dependency import unmet
from reconciler.planning.deployments import live, serving_at, taken_back
from reconciler.planning.inherit import inherit
from reconciler.planning.left_over import left_over, watches_left, with_rest
from reconciler.planning.leg import Leg, legs_of
from reconciler.planning.pins import pins_of
from reconciler.planning.plan_back import barred_by, checks_back, plan_back
from reconciler.planning.position import goal_of, held_back
from reconciler.planning.route import find_route
from reconciler.planning.scene import NO_ORDER, Scene, block, finished, groups_of, inputs_of
from reconciler.planning.setting import MissingBuildError, UnfitError
from reconciler.planning.stages import build_steps
from reconciler.planning.waves import unfit_canary

Basis = tuple[Desired, Catalog, History]


def make_plan(group: str, positions: Sequence[Position], scene: Scene) -> Plan | None:
    """Return the next leg's plan, blocked or with steps; None when nothing is to be done, or not by us."""
    plan = _planned(group, tuple(positions), (scene.desired, scene.catalog, scene.history), scene.now.date())
    blocked = () if plan is None or plan.blocked or not plan.hops else unmet(group, scene.order or NO_ORDER)
    return finished(replace(plan, steps=(), blocked=blocked)) if plan and blocked else plan


@memo
def _planned(group: str, positions: tuple[Position, ...], basis: Basis, today: date) -> Plan | None:
    """Plan a leg; what may come before it is no part of it, and of the time it is only the day that bears on it."""
    desired, catalog, history = basis
    scene = Scene(desired=desired, catalog=catalog, history=history, now=datetime.combine(today, time(), UTC))
    inputs = inputs_of(group, scene.desired)
    ours = [position for position in positions if scene.desired.services[position.service].moved_by == "us"]
    intents = [_intent(position, scene) for position in ours]
    blocks = tuple(each for intent in intents for each in intent.blocks)
    if blocks:
        return finished(Plan(id="", group=group, inputs=inputs, services=_routes(intents), blocked=blocks))
    if any(intent.back for intent in intents):
        return _back(group, inputs, intents, scene)
    moved = [intent for intent in intents if intent.moves]
    if not moved:
        return _rest(group, inputs, scene)
    return _forward(group, inputs, moved, scene)


def _rest(group: str, inputs: str, scene: Scene) -> Plan | None:
    """Plan what an open leg has still to do where every host has moved, if it has."""
    leg = scene.history.superseded(group)
    rest = _left_over(leg, scene) if leg else ()
    if leg is None or not rest:
        return None
    services = tuple(replace(route, route=(route.goal,)) for route in leg.plan.services)
    return finished(_taking_over(Plan(id="", group=group, inputs=inputs, services=services), leg, scene))


def _left_over(leg: Run, scene: Scene, *, walks: bool = False) -> tuple[Step, ...]:
    if walks:
        return watches_left(leg)
    return left_over(leg, {name: service.release for name, service in scene.desired.services.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """What is to become of one service: the stops of its next leg; `back` when its goal is older.

    `new` is the deployment that shall take the place of the live one.
    """

    service: Service
    position: Position
    procedure: Procedure | None = None
    stops: tuple[str, ...] = ()
    new: Service | None = None
    back: bool = False
    blocks: tuple[Block, ...] = ()

    @property
    def moves(self) -> bool:
        """Tell whether anything is to be done."""
        return len(self.stops) > 1 or self.new is not None or bool(self.position.drifted)


def _back(group: str, inputs: str, intents: Sequence[_Intent], scene: Scene) -> Plan:
    """Go back to a savepoint of the newest leg where all goals are such, else leg by leg to where one began."""
    goals = {each.service.name: each.service.release for each in intents}
    run = savepoint.passed_by(group, goals, scene)
    if run is None:
        return plan_back(group, inputs, {each.service.name: each.position.release for each in intents}, scene)
    if barred := barred_by(run, scene.history):
        return finished(Plan(id="", group=group, inputs=inputs, services=_routes(intents), blocked=(barred,)))
    procedure = scene.desired.procedures[savepoint.PROCEDURE]
    return _forward(group, inputs, [_returned(each, procedure) for each in intents], scene, reopens=run)


def _returned(intent: _Intent, procedure: Procedure) -> _Intent:
    goal = intent.service.release
    return replace(intent, procedure=procedure, stops=(goal,), position=replace(intent.position, release=goal))


def _intent(position: Position, scene: Scene) -> _Intent:
    declared = scene.desired.services[position.service]
    service = live(declared, scene.history)
    intent = _Intent(service=service, position=position)
    if position.blocks:
        return replace(intent, blocks=position.blocks)
    start, goal = position.release, service.release
    order = [each.release.id for each in scene.catalog.service(service.component).releases]
    if order.index(goal) < order.index(start) or taken_back(declared, scene.history, order):
        return replace(intent, back=True)
    if start == goal and serving_at(declared, goal, order).deployment == service.deployment:
        refresh = scene.desired.procedures["refresh"]
        return replace(intent, procedure=refresh, stops=(goal,), blocks=tuple(_ahead(position, service, order)))
    return _advance(intent, declared, scene)


def _advance(intent: _Intent, declared: Service, scene: Scene) -> _Intent:
    """Find the stops of the next leg of a service that is behind its goal, or behind its replacement."""
    service, start = intent.service, intent.position.release
    procedure = scene.desired.procedures[service.procedure]
    stops: tuple[str, ...] = (start,)
    if start != service.release:
        policy = RoutePolicy(service.policy)
        route = find_route(scene.catalog, service.component, start, service.release, policy)
        if not route.found:
            text = "; ".join(f"{r.start} to {r.goal}: {r.reason.text}" for r in route.refused)
            return replace(intent, blocks=(block(Reason.NO_ROUTE, f"{service.name}: {text}"),))
        stops = legs_of(route.stops, procedure, declared)[0]
    order = [each.release.id for each in scene.catalog.service(service.component).releases]
    new = serving_at(declared, stops[-1], order)
    moved = replace(intent, procedure=procedure, stops=stops, new=new if new.deployment != service.deployment else None)
    return replace(moved, blocks=tuple(_in_the_way(moved, procedure)))


def _in_the_way(intent: _Intent, procedure: Procedure) -> Iterator[Block]:
    """Block a hop in place of one that was begun, a takeover that cannot be, and a stop of hosts that stay behind."""
    service, new = intent.service, intent.new
    for database in intent.position.databases:
        if database.expanded and not set(database.expanded) & set(intent.stops[1:2]):
            begun, next_ = " or ".join(database.expanded), intent.stops[1]
            text = f"database {database.name} is half-way to {begun}, and the next hop would end at {next_}"
            hint = f"Let git ask for the hop to {begun} until it has ended; or restore the database."
            yield Block(str(Reason.DATABASE_BETWEEN), f"{service.name}: {text}", hint)
    if service.deployment and new is None and procedure.has(Phase.CUTOVER):
        text = f"no deployment takes over at {intent.stops[-1]}, so {procedure.name} has nothing to replace"
        yield block(Reason.REPLACEMENT_DONE, f"{service.name}: {text}")
    if new is not None:
        yield from (each.unknown for each in intent.position.second if each.unknown and each.host in new.hosts)
    behind = held_back(service)
    if behind and procedure.has(Phase.QUIESCE):
        text = f"{service.name}: {', '.join(behind)} would be stopped and never started again"
        yield block(Reason.OVERRIDE_IN_THE_WAY, text)


def _ahead(position: Position, service: Service, order: Sequence[str]) -> Iterable[Block]:
    """Block hosts that run more than their override allows: it holds a host back, and never takes one back."""
    for host in position.drifted:
        goal = goal_of(service, host.host)
        if goal != service.release and host.release and order.index(host.release) > order.index(goal):
            text = f"{service.name}: {host.host} runs {host.release}, past its override to {goal}"
            yield block(Reason.OVERRIDE_IN_THE_WAY, text)


def _routes(intents: Iterable[_Intent]) -> tuple[ServiceRoute, ...]:
    return tuple(
        ServiceRoute(
            service=intent.service.name,
            start=intent.position.release,
            goal=intent.stops[-1] if intent.stops else intent.service.release,
            route=intent.stops,
            onto=intent.new.hosts if intent.new else (),
            off=intent.service.hosts if intent.new else (),
        )
        for intent in intents
    )


def _forward(group: str, inputs: str, intents: Sequence[_Intent], scene: Scene, *, reopens: Run | None = None) -> Plan:
    """Plan the next leg, or what is left of an open one; `reopens` is the leg to whose savepoint it goes."""
    draft = Plan(id="", group=group, inputs=inputs, services=_routes(intents))
    try:
        legs = [_leg(intent, scene) for intent in intents]
        if pinned := tuple(each for leg in legs for each in _fought(leg, group, scene)):
            return finished(replace(draft, blocked=pinned))
        live_ones = {name: live(each, scene.history) for name, each in scene.desired.services.items()}
        one_by_one = group in scene.desired.one_by_one
        steps = build_steps(legs, scene.desired, scene.catalog, live_ones, one_by_one=one_by_one)
        checks = tuple(step for leg in legs for step in checks_back(leg, scene))
    except MissingBuildError as error:
        return finished(replace(draft, blocked=(block(Reason.NO_BUILD, str(error)),)))
    except UnfitError as error:
        return finished(replace(draft, blocked=(block(Reason.PROCEDURE_UNFIT, str(error)),)))
    open_leg = reopens or scene.history.superseded(group)
    if open_leg is None:
        return finished(replace(draft, steps=steps, checks_back=checks))
    if reopens is not None:
        steps = savepoint.reopened(steps, reopens, scene)
    return finished(_taking_over(replace(draft, steps=steps), open_leg, scene))


def _fought(leg: Leg, group: str, scene: Scene) -> Iterator[Block]:
    """Yield what in the desired state or on hosts is against a leg."""
    yield from pins_of(leg, scene)
    yield from _unfit(leg, open_leg=scene.history.superseded(group) is not None)


def _unfit(leg: Leg, *, open_leg: bool) -> Iterator[Block]:
    """Block a leg that cannot have the canary that git asks for: another one would be somebody else's choice."""
    if leg.hops and not open_leg and (why := unfit_canary(leg.service, leg.moving, leg.there)):
        yield block(Reason.CANARY_UNFIT, f"{leg.service.name}: {why}")


def _taking_over(plan: Plan, open_leg: Run, scene: Scene) -> Plan:
    """Let a plan go on with an open leg: back is where that leg began, and proved as it wanted.

    Where no hop is left, it ends what that leg had still to end.
    """
    steps = inherit(plan.steps, scene.history.chain(open_leg))
    reopened = open_leg.ended == "done"
    starts = {route.service: route.start for route in open_leg.plan.services}
    return replace(
        plan,
        inherits=open_leg.id,
        services=tuple(replace(route, start=starts.get(route.service, route.start)) for route in plan.services),
        steps=steps if reopened else with_rest(steps, _left_over(open_leg, scene, walks=plan.hops)),
        checks_back=open_leg.plan.checks_back,
    )


def _leg(intent: _Intent, scene: Scene) -> Leg:
    assert intent.procedure is not None
    return Leg(
        service=intent.new or intent.service,
        position=intent.position,
        stops=intent.stops,
        moving=tuple(scene.desired.hosts[name] for name in _moving(intent)),
        procedure=intent.procedure,
        old=intent.service if intent.new else None,
        there=_there(intent, scene),
        walked=_walked(intent, scene),
    )


def _walked(intent: _Intent, scene: Scene) -> bool:
    """Tell whether an open leg has brought a service's databases to where it stands, from somewhere else."""
    routes = [route for run in _open_legs(intent, scene) for route in run.plan.services]
    return any(route.service == intent.service.name and route.start != intent.position.release for route in routes)


def _open_legs(intent: _Intent, scene: Scene) -> tuple[Run, ...]:
    groups = groups_of(scene.desired).items()
    legs = (scene.history.superseded(group) for group, names in groups if intent.service.name in names)
    return tuple(leg for leg in legs if leg is not None)


def _there(intent: _Intent, scene: Scene) -> frozenset[str]:
    """Return the hosts that somebody moved before; those that an open leg has moved go first once more."""
    if len(intent.stops) < 2 or _open_legs(intent, scene):
        return frozenset()
    return frozenset(host.host for host in intent.position.hosts if host.release == intent.stops[-1])


def _moving(intent: _Intent) -> tuple[str, ...]:
    """Return the hosts whose code moves: all that follow the service, or in a refresh those that drifted."""
    if intent.new is not None:
        return intent.new.hosts
    if len(intent.stops) == 1 and not intent.back:
        behind = held_back(intent.service)  # last, for the canary must run what the others are to run
        return tuple(sorted((host.host for host in intent.position.drifted), key=lambda name: name in behind))
    return tuple(name for name in intent.service.hosts if goal_of(intent.service, name) == intent.service.release)
