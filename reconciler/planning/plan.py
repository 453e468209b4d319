"""Makes the plan of a group: what its next leg will do, or why it may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.domain.build import Build
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Service
from reconciler.domain.plan import Block, Plan, ServiceRoute, Step, digest_of, digest_of_all
from reconciler.domain.position import Position
from reconciler.domain.procedure import Phase, Procedure
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.route import RoutePolicy
from reconciler.domain.run import History, Run
from reconciler.planning.actions import probe_drafts, verify_host
from reconciler.planning.dependency import unmet
from reconciler.planning.graph import Leg, Place, build_graph, make_step
from reconciler.planning.inherit import inherit
from reconciler.planning.position import goal_of, held_back
from reconciler.planning.relations import Order
from reconciler.planning.route import find_route
from reconciler.planning.setting import MissingBuildError, Setting, UnfitError
from reconciler.planning.way_back import undo_steps

NO_ORDER = Order()
"""The order of a fleet in which no rule relates one component to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that planning looks at; `pinned` are plans of other groups that this very pass pins.

    `order` is that of the legs of all groups, None while it cannot be told because part of the fleet was not looked at.
    `now` bears on timeouts and on what has expired, never on what a plan says otherwise.
    """

    desired: Desired
    catalog: Catalog
    history: History
    now: datetime
    pinned: tuple[Plan, ...] = ()
    order: Order | None = NO_ORDER


def groups_of(desired: Desired) -> dict[str, tuple[str, ...]]:
    """Return every group with its services; a service that no group names is a group of its own."""
    grouped = {service for members in desired.groups.values() for service in members}
    alone = {name: (name,) for name in desired.services if name not in grouped}
    return dict(sorted({**desired.groups, **alone}.items()))


def inputs_of(group: str, desired: Desired) -> str:
    """Digest what the desired state says of a group: its services, procedures, hosts and accepted risks."""
    services = [desired.services[name] for name in groups_of(desired)[group]]
    accepts = [a for a in desired.accepts if a.what.partition(":")[2] in {s.name for s in services}]
    value = (
        [replace(service, suspended="") for service in services],
        [desired.procedures.get(service.procedure) for service in services],
        [desired.hosts[name] for service in services for name in _hosts_of(service)],
        [desired.probes[name] for name in _probes_of(services, desired)],
        accepts,
    )
    return digest_of(value)


def _hosts_of(service: Service) -> tuple[str, ...]:
    return (*service.hosts, *(service.replacement.hosts if service.replacement else ()))


def _probes_of(services: Sequence[Service], desired: Desired) -> tuple[str, ...]:
    """Return the probes that the services' procedures name."""
    procedures = [desired.procedures.get(service.procedure) for service in services]
    phases = [phase for procedure in procedures if procedure for phase in procedure.phases]
    named = {each for phase in phases for spec in phase.steps for each in spec.args.values() if isinstance(each, str)}
    return tuple(sorted(named & set(desired.probes)))


def make_plan(group: str, positions: Sequence[Position], scene: Scene) -> Plan | None:
    """Return the next leg's plan, blocked or with steps; None when nothing is to be done, or not by us."""
    inputs = inputs_of(group, scene.desired)
    ours = [position for position in positions if scene.desired.services[position.service].moved_by == "us"]
    intents = [_intent(position, scene) for position in ours]
    blocks = tuple(block for intent in intents for block in intent.blocks)
    if blocks:
        return _finished(Plan(id="", group=group, inputs=inputs, services=_routes(intents), blocked=blocks))
    if any(intent.back for intent in intents):
        return plan_back(group, inputs, {i.service.name: i.position.release for i in intents}, scene)
    moved = [intent for intent in intents if len(intent.stops) > 1 or intent.position.drifted]
    if not moved:
        return None
    plan = _forward(group, inputs, moved, scene)
    blocked = () if plan.blocked or not plan.hops else unmet(group, scene.order or NO_ORDER)
    return _finished(replace(plan, steps=(), blocked=blocked)) if blocked else plan


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """What is to become of one service: the stops of its next leg; `back` when its goal is older."""

    service: Service
    position: Position
    procedure: Procedure | None = None
    stops: tuple[str, ...] = ()
    back: bool = False
    blocks: tuple[Block, ...] = ()


def _intent(position: Position, scene: Scene) -> _Intent:
    service = scene.desired.services[position.service]
    if position.blocks:
        return _Intent(service=service, position=position, blocks=position.blocks)
    start, goal = position.release, service.release
    order = [each.release.id for each in scene.catalog.service(service.component).releases]
    if start == goal:
        refresh = scene.desired.procedures["refresh"]
        blocks = tuple(_ahead(position, service, order))
        return _Intent(service=service, position=position, procedure=refresh, stops=(goal,), blocks=blocks)
    if order.index(goal) < order.index(start):
        return _Intent(service=service, position=position, back=True)
    route = find_route(scene.catalog, service.component, start, goal, RoutePolicy(service.policy))
    if not route.found:
        text = "; ".join(f"{r.start} to {r.goal}: {r.reason.text}" for r in route.refused)
        return _Intent(service=service, position=position, blocks=(_block(Reason.NO_ROUTE, f"{service.name}: {text}"),))
    procedure = scene.desired.procedures[service.procedure]
    stops = route.stops if procedure.leg == "route" else route.stops[:2]
    intent = _Intent(service=service, position=position, procedure=procedure, stops=stops)
    behind = held_back(service)
    if behind and any(phase.phase is Phase.QUIESCE for phase in procedure.phases):
        text = f"{service.name}: {', '.join(behind)} would be stopped and never started again"
        return replace(intent, blocks=(_block(Reason.OVERRIDE_IN_THE_WAY, text),))
    return intent


def _ahead(position: Position, service: Service, order: Sequence[str]) -> Iterable[Block]:
    """Block hosts that run more than their override allows: it holds a host back, and never takes one back."""
    for host in position.drifted:
        goal = goal_of(service, host.host)
        if goal != service.release and host.release and order.index(host.release) > order.index(goal):
            text = f"{service.name}: {host.host} runs {host.release}, past its override to {goal}"
            yield _block(Reason.OVERRIDE_IN_THE_WAY, text)


def _routes(intents: Iterable[_Intent]) -> tuple[ServiceRoute, ...]:
    return tuple(
        ServiceRoute(
            service=intent.service.name,
            start=intent.position.release,
            goal=intent.stops[-1] if intent.stops else intent.service.release,
            route=intent.stops,
        )
        for intent in intents
    )


def _forward(group: str, inputs: str, intents: Sequence[_Intent], scene: Scene) -> Plan:
    draft = Plan(id="", group=group, inputs=inputs, services=_routes(intents))
    try:
        steps = _legs(intents, scene)
        checks = tuple(step for intent in intents for step in _checks_back(intent, scene))
    except MissingBuildError as error:
        return _finished(replace(draft, blocked=(_block(Reason.NO_BUILD, str(error)),)))
    except UnfitError as error:
        return _finished(replace(draft, blocked=(_block(Reason.PROCEDURE_UNFIT, str(error)),)))
    open_leg = scene.history.superseded(group)
    if open_leg is None:
        return _finished(replace(draft, steps=steps, checks_back=checks))
    return _finished(_taking_over(replace(draft, steps=steps), open_leg, scene))


def _taking_over(plan: Plan, open_leg: Run, scene: Scene) -> Plan:
    """Let a plan go on with an open leg: back is where that leg began, and proved as it wanted."""
    starts = {route.service: route.start for route in open_leg.plan.services}
    return replace(
        plan,
        inherits=open_leg.id,
        services=tuple(replace(route, start=starts.get(route.service, route.start)) for route in plan.services),
        steps=inherit(plan.steps, scene.history.chain(open_leg)),
        checks_back=open_leg.plan.checks_back,
    )


def _legs(intents: Sequence[_Intent], scene: Scene) -> tuple[Step, ...]:
    """Build one graph when all services share a procedure, else one after the other in the group's order."""
    legs = [
        Leg(
            service=i.service,
            position=i.position,
            stops=i.stops,
            moving=tuple(scene.desired.hosts[name] for name in _moving(i)),
        )
        for i in intents
    ]
    procedures = [intent.procedure for intent in intents]
    assert all(procedures)
    if len({procedure.name for procedure in procedures if procedure}) == 1:
        assert procedures[0] is not None
        return build_graph(procedures[0], legs, scene.desired, scene.catalog)
    steps: tuple[Step, ...] = ()
    for procedure, leg in zip(procedures, legs, strict=True):
        assert procedure is not None
        waited_for = {each for step in steps for each in step.after}
        ends = tuple(step.id for step in steps if step.id not in waited_for)
        more = build_graph(procedure, [leg], scene.desired, scene.catalog)
        steps += tuple(replace(step, after=step.after or ends) for step in more)
    return steps


def _moving(intent: _Intent) -> tuple[str, ...]:
    """Return the hosts whose code moves: all that follow the service, or in a refresh those that drifted."""
    if len(intent.stops) == 1:
        behind = held_back(intent.service)  # last, for the canary must run what the others are to run
        return tuple(sorted((host.host for host in intent.position.drifted), key=lambda name: name in behind))
    return tuple(name for name in intent.service.hosts if goal_of(intent.service, name) == intent.service.release)


def _checks_back(intent: _Intent, scene: Scene) -> Iterable[Step]:
    standing = {host.host: host for host in intent.position.hosts}
    for name in _moving(intent):
        position = standing[name]
        if not position.release:
            continue
        setting = Setting(
            service=intent.service,
            desired=scene.desired,
            catalog=scene.catalog,
            host=scene.desired.hosts[name],
            position=position,
            start=intent.stops[0],
            goal=position.release,
        )
        build = setting.build(position.release)
        if build is None:
            continue
        place = Place(phase=Phase.BACK_OUT, service=intent.service.name, host=name)
        drafts = (verify_host(setting, _as_was(build, intent), "verify-build"), *probe_drafts(setting))
        yield from (make_step(draft, place) for draft in drafts)


def _as_was(build: Build, intent: _Intent) -> Build:
    """Leave the configuration out of the check: what it was before is known to the host alone."""
    return replace(build, files=())


def plan_back(group: str, inputs: str, at: Mapping[str, str], scene: Scene) -> Plan:
    """Plan the way back over the newest run that stands, or say why there is none.

    `at` is where each service stands. Several runs may lie between there and the goal; each pass takes one.
    """
    services = groups_of(scene.desired)[group]
    goals = {name: scene.desired.services[name].release for name in services}
    runs = scene.history.completed(group)
    begins = {(route.service, route.start) for run in runs for route in run.plan.services}
    if not runs or any((name, goal) not in begins for name, goal in goals.items() if goal != at[name]):
        start = ", ".join(f"{name} to {goal}" for name, goal in goals.items())
        block = _block(Reason.NO_WAY_BACK, f"no completed run in the journal leads back: {start}")
        return _finished(Plan(id="", group=group, inputs=inputs, services=(), blocked=(block,), direction="back"))
    return _back_over(runs[-1], group, inputs, scene)


def _back_over(run: Run, group: str, inputs: str, scene: Scene) -> Plan:
    routes = tuple(
        ServiceRoute(service=r.service, start=r.goal, goal=r.start, route=tuple(reversed(r.route)))
        for r in run.plan.services
    )
    plan = Plan(id="", group=group, inputs=inputs, services=routes, direction="back", undoes=run.id)
    chain = scene.history.chain(run)
    beyond = [step for each in chain for step in each.plan.steps if step.point_of_no_return and each.attempted(step.id)]
    if beyond:
        text = f"{beyond[0].title} was done in run {run.id}"
        return _finished(replace(plan, blocked=(_block(Reason.BEYOND_NO_RETURN, text),)))
    steps = undo_steps(chain, under="", accept_loss=accepted_losses(scene))
    return _finished(replace(plan, steps=steps))


def accepted_losses(scene: Scene) -> frozenset[str]:
    """Return the services whose data somebody agreed to lose; an acceptance holds to the end of its last day, UTC."""
    today = scene.now.date()
    losses = [a.what for a in scene.desired.accepts if a.what.startswith("data-loss:") and today <= a.until]
    return frozenset(what.partition(":")[2] for what in losses)


def _finished(plan: Plan) -> Plan:
    """Name a plan by the digest of all that it says."""
    head = (plan.group, plan.inputs, plan.direction, plan.undoes, plan.inherits, plan.services, plan.blocked)
    return replace(plan, id=digest_of_all((head, *plan.steps))[:12])


def _block(reason: Reason, text: str) -> Block:
    return Block(str(reason), text, TEXTS[reason][1])
