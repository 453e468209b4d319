"""Puts the legs of a group into stages, and the stages one after the other into one graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import REHEARSAL, Desired, Service
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase, PhaseSpec, Procedure
from reconciler.planning.graph import Graph
from reconciler.planning.leg import Leg, Place
from reconciler.planning.retention import pruning
from reconciler.planning.watches import Watches
from reconciler.planning.words import host_words

Stage = tuple[Leg, ...]
"""Legs of one procedure, with barriers between its phases."""


def build_steps(
    legs: Sequence[Leg], desired: Desired, catalog: Catalog, services: Mapping[str, Service], *, one_by_one: bool
) -> tuple[Step, ...]:
    """Return the steps of all legs in an order in which every step comes after those it waits for.

    Stages follow each other in the group's order, but whatever comes before the first pause is done for all of them at
    once, first.
    """
    graph = Graph(desired, catalog, services, {leg.service.name: leg for leg in legs})
    stages = _stages(legs, one_by_one=one_by_one)
    prepared = [end for stage in stages for end in graph.prepare(_ahead(stage[0].procedure), stage)]
    graph.frontier = tuple(dict.fromkeys(prepared))
    for stage in stages:
        _carry_out(graph, stage)
    _prune(graph, legs)
    return tuple(graph.steps.values())


def _stages(legs: Sequence[Leg], *, one_by_one: bool) -> list[Stage]:
    """Return services one by one, or neighbours of the same procedure together."""
    if one_by_one:
        return [(leg,) for leg in legs]
    return [tuple(stage) for _, stage in groupby(legs, key=lambda leg: leg.procedure.name)]


def _carry_out(graph: Graph, stage: Stage) -> None:
    phases = tuple(_rest(stage[0].procedure))
    watches = Watches(graph, stage, phases)
    for place, phase in enumerate(phases):
        watches.before(place)
        graph.add_phase(phase, stage)
        watches.after(place)


def _ahead(procedure: Procedure) -> Iterator[PhaseSpec]:
    """Yield what comes before the pause: preparing, and the questions at the procedure's beginning."""
    asking = True
    for phase in procedure.phases:
        asking = asking and phase.phase in {Phase.PREFLIGHT, Phase.PREPARE}
        if phase.phase is Phase.PREPARE or asking:
            yield phase


def _rest(procedure: Procedure) -> Iterator[PhaseSpec]:
    ahead = {id(phase) for phase in _ahead(procedure)}
    yield from (phase for phase in procedure.phases if id(phase) not in ahead)


def _prune(graph: Graph, legs: Sequence[Leg]) -> None:
    """Remove backup sets that policy does not keep, when all else is done; a failure only advises."""
    for leg in legs:
        service = leg.service
        if not service.databases or service.deployment == REHEARSAL:
            continue
        folder = fill(service.backup_dir, host_words(service, graph.desired.hosts[service.bootstrap]))
        draft = pruning(service.name, folder, graph.desired.backups_of(service.name))
        if draft is not None:
            place = Place(phase=Phase.FINISH, service=service.name, host=service.bootstrap)
            graph.add(draft, place, graph.frontier)
