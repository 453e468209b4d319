"""One pass: look, decide, act, report. It never waits for a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from reconciler.domain.journal import Kind
from reconciler.domain.observation import Unknown
from reconciler.domain.position import Position
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.rehearsal import group_of
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Decision, Report, State
from reconciler.execution.defects import judged
from reconciler.execution.intake import take_commands, take_revision
from reconciler.execution.memory import Memory, Read
from reconciler.planning.availability import free_of
from reconciler.planning.exposure import bound
from reconciler.planning.journeys import order_of, related
from reconciler.planning.judge import judge
from reconciler.planning.quarantine import aside_of, in_force
from reconciler.planning.rehearsal import begin, wanted
from reconciler.planning.relations import Order
from reconciler.planning.scene import NO_ORDER, Scene, groups_of
from reconciler.planning.stall import stalls_of
from reconciler.planning.unheard import behind, unheard

MAX_ROUNDS = 8
"""How often one pass decides anew after it wrote to the journal; a bound, not an expectation."""


async def reconcile(memory: Memory) -> Report:
    """Bring the fleet as much closer to its desired state as may be done now, or say why not."""
    # Look. What ran since the last pass, what people want, where the fleet stands.
    memory.remember()
    memory.write(memory.executor.settle(memory.groups_of_runs()))
    read = await take_revision(memory)
    take_commands(memory, read.desired if read else None)
    if read is None or read.desired is None:
        return _report(memory, read, ())

    desired = in_force(read.desired, memory.ports.clock.now().date())
    read = replace(read, desired=desired)

    # Decide. Pure, but for the journal, which holds every decision before it has an effect.
    decisions: tuple[Decision, ...] = ()
    for _ in range(MAX_ROUNDS):
        decisions = decide(memory, read)
        drafts = tuple(draft for decision in decisions for draft in decision.drafts)
        if not drafts:
            break
        memory.write(drafts)

    # Act. Durable intent first, then the effect; steps run on behind the pass.
    for decision in decisions:
        still = {State.SUSPENDED, State.HALTED, State.BLOCKED}
        may_start = decision.verdict.state not in still
        memory.executor.begin(decision.ready, decision.verdict.group, desired, may_start=may_start)
    memory.remember()
    memory.look_if_old(read)  # now, for a run that ended in this pass made it old
    return _report(memory, read, tuple(_troubled(decision, memory) for decision in decisions))


def decide(memory: Memory, read: Read) -> tuple[Decision, ...]:
    """Judge every group, and every open leg and halt whose group a commit has taken away."""
    assert read.desired is not None
    assert read.catalog is not None
    scene = Scene(desired=read.desired, catalog=read.catalog, history=memory.history, now=memory.ports.clock.now())
    scene = bound(scene, memory.observations)
    unseen = frozenset(name for name, seen in memory.observations.hosts.items() if isinstance(seen, Unknown))
    order = _order(memory, read, scene)
    scene = replace(scene, order=order, alerts=memory.observations.alerts, unseen=unseen)
    scene = replace(scene, followed_s=memory.executor.followed_s())
    scene = replace(scene, free=free_of(memory.observations), aside=aside_of(read.desired, memory.observations))
    scene = replace(scene, unheard=unheard(memory.observations.runs, memory.history))
    decisions: list[Decision] = []
    known = groups_of(read.desired)
    runs, halts = memory.history.open_legs(), memory.history.halts
    gone = dict.fromkeys([*(run.group for run in runs), *(halt.group for halt in halts)], ())
    for group, services in (gone | known).items():
        run = memory.history.open_run(group)
        settled = (run is None or run.prepared or run.rolled_with) and memory.fresh_for(group, read.commit)
        positions = [memory.position_of(name, read) for name in services] if settled else None
        decision = judged(group, partial(judge, group, positions, scene))
        begins = any(draft.kind == Kind.PLAN_PINNED for draft in decision.drafts) or (run and run.prepared)
        if decision.plan is not None and begins and decision.verdict.state in {State.PROGRESSING, State.BACKING_OUT}:
            scene = replace(scene, pinned=(*scene.pinned, decision.plan))
        decisions.append(decision)
    return (*decisions, *rehearsals(memory, read, scene))


def rehearsals(memory: Memory, read: Read, scene: Scene) -> Iterator[Decision]:
    """Begin the rehearsals that somebody, or policy, wants, once it is known where their services stand."""
    owners = {name: group for group, names in groups_of(scene.desired).items() for name in names}
    for name in wanted(scene):
        if memory.history.open_run(group_of(name)) or behind(owners[name], None, scene):
            continue
        if memory.fresh_for(owners[name], read.commit):
            yield judged(group_of(name), partial(begin, name, memory.position_of(name, read), scene))


def _order(memory: Memory, read: Read, scene: Scene) -> Order | None:
    """Order the legs of all groups; None while one of them was not looked at since its last run ended."""
    if not related(scene):
        return NO_ORDER
    idle = [group for group in groups_of(scene.desired) if memory.history.open_run(group) is None]
    if not all(memory.fresh_for(group, read.commit) for group in idle):
        return None
    return order_of(tuple(memory.position_of(name, read) for name in scene.desired.services), scene)


def _troubled(decision: Decision, memory: Memory) -> Decision:
    """Say that a group waits for hosts when none of its steps can be followed."""
    troubles = [memory.executor.troubles.get(StepKey(r.run, r.step.id, r.attempt)) for r in decision.ready]
    first = next(filter(None, troubles), None)
    if first is None or not all(troubles):
        return decision
    hint = TEXTS[Reason(first.reason)][1]
    verdict = replace(decision.verdict, state=State.WAITING, reason=first.reason, text=first.text, hint=hint)
    return replace(decision, verdict=verdict)


def _report(memory: Memory, read: Read | None, decisions: tuple[Decision, ...]) -> Report:
    desired = read.desired if read else None
    positions: tuple[Position, ...] = ()
    if read and desired and read.catalog and memory.looked_at is not None:
        positions = tuple(memory.position_of(name, read) for name in desired.services)
    report = Report(
        at=memory.ports.clock.now(),
        source=memory.source,
        revision=read.commit if read and desired else "",
        desired=desired,
        observations=memory.observations,
        positions=positions,
        decisions=decisions,
        history=memory.history,
        problems=read.problems if read else (),
    )
    return replace(report, stalls=stalls_of(report)) if desired else report
