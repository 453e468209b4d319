"""The deployments of a service: one as a rule, more where others take its place, and which of them is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.domain.desired import OWN, REHEARSAL, Canary, Deployment, Service
from reconciler.domain.memo import memo
from reconciler.domain.plan import ServiceRoute
from reconciler.domain.procedure import PREPARING, Phase
from reconciler.domain.run import History, Run


def all_of(service: Service) -> tuple[Service, ...]:
    """Return each deployment of a service as a service of its own, in the order in which they take over."""
    return (service, *(taking_over(service, release) for release in service.replacements))


def taking_over(service: Service, release: str) -> Service:
    """Return the deployment that takes over at a release."""
    return _as(service, release, service.replacements[release])


def rehearsing(service: Service) -> Service:
    """Return the deployment on which a service's walk is rehearsed."""
    assert service.rehearsal is not None
    return _as(service, REHEARSAL, service.rehearsal)


@memo  # so that what was worked out for a deployment is found again by its identity
def _as(service: Service, name: str, second: Deployment) -> Service:
    return replace(
        service,
        deployment=name,
        hosts=second.hosts,
        bootstrap=second.bootstrap,
        databases=second.databases,
        units=second.units,
        builds=second.builds,
        config=second.config,
        commands=second.commands,
        vars=second.vars,
        backup_dir=second.backup_dir,
        canary=Canary(),
        overrides={},
        override_terms={},
    )


def serving_at(service: Service, release: str, order: Sequence[str]) -> Service:
    """Return the deployment that serves at a release: the newest that takes over there or before."""
    due = [each for each in service.replacements if order.index(each) <= order.index(release)]
    return taking_over(service, due[-1]) if due else service


def bearing(service: Service, host: str) -> Service | None:
    """Return the deployment that a host bears."""
    return next((each for each in all_of(service) if host in each.hosts), None)


def seen_as(service: Service) -> str:
    """Return the name under which the databases of a deployment are seen."""
    return service.name if service.deployment in {"", OWN} else f"{service.name}@{service.deployment}"


def live(service: Service, history: History) -> Service:
    """Return the deployment that serves: the own one until a run that stands has cut over to another."""
    route = next(iter(_cut_over(service.name, history)), None)
    onto = set(route.onto) if route else set()
    return next((each for each in all_of(service) if set(each.hosts) == onto), service)


def to_come(service: Service, history: History, order: Sequence[str]) -> tuple[Service, ...]:
    """Return the deployments that take over between the live one and the goal, the first of them first."""
    serving = live(service, history).deployment
    others = [each for each in service.replacements if order.index(each) <= order.index(service.release)]
    ahead = others[others.index(serving) + 1 :] if serving in others else others if serving in {"", OWN} else []
    return tuple(taking_over(service, release) for release in ahead)


def taken_back(service: Service, history: History, order: Sequence[str]) -> bool:
    """Tell whether a commit names a deployment that was replaced as the one that should serve.

    It does so too by letting the live one take over only beyond the goal. After a run was abandoned a commit that
    leaves out the live one only says which one does: what people did then is in no journal.
    """
    places = [each.deployment for each in all_of(service)]
    if places.index(serving_at(service, service.release, order).deployment) < places.index(
        live(service, history).deployment
    ):
        return True
    routes = _cut_over(service.name, _since_abandoned(service.name, history))
    known = any(set(each.hosts) == set(routes[0].onto) for each in all_of(service)) if routes else True
    return not known and any(set(service.hosts) == set(route.off) for route in routes)


def cut_over(run: Run, service: str) -> bool:
    """Tell whether a run has made the new deployment of a service the live one."""
    steps = [step for step in run.plan.steps if step.service == service and step.phase is Phase.CUTOVER]
    return bool(steps) and all(run.done(step.id) for step in steps)


def any_cut_over(run: Run) -> bool:
    """Tell whether a run has made a new deployment of any service the live one: from then on people write to it."""
    return any(route.onto and cut_over(run, route.service) for route in run.plan.services)


def half_way(run: Run) -> bool:
    """Tell whether a new deployment is being filled that is not live yet: nobody but this run can go on with it."""
    begun = {step.service for step in run.plan.steps if step.phase not in PREPARING and run.attempted(step.id)}
    return any(
        route.onto and route.service in begun and not cut_over(run, route.service) for route in run.plan.services
    )


def _cut_over(service: str, history: History) -> tuple[ServiceRoute, ...]:
    """Return the routes by which a service was cut over, newest first, of all runs that stand."""
    standing = cutovers(history)
    return tuple(
        route
        for run in reversed(history.runs)
        for route in run.plan.services
        if run.id in standing and route.service == service and route.onto and cut_over(run, service)
    )


def cutovers(history: History) -> frozenset[str]:
    """Return the runs in which a service was cut over and that nothing has taken back since.

    One whose leg a later run took over is among them, and so is one with a run after it that was abandoned: people
    write to the new deployment whatever became of that.
    """
    backs = {run.plan.undoes for run in history.runs if run.plan.direction == "back" and run.ended == "done"}
    legs = (run for run in history.runs if run.id in backs or run.ended == "backed_out")
    undone = {each.id for leg in legs for each in history.chain(leg)}
    ended = (run for run in history.runs if run.ended in {"done", "superseded", "abandoned"} and run.id not in undone)
    return frozenset(run.id for run in ended if any_cut_over(run))


def _since_abandoned(service: str, history: History) -> History:
    """Return the runs after the newest one of a service that was abandoned."""
    runs = history.runs
    walls = [n for n, run in enumerate(runs, start=1) if run.ended == "abandoned" and _concerns(run, service)]
    return replace(history, runs=runs[walls[-1] :]) if walls else history


def _concerns(run: Run, service: str) -> bool:
    return any(route.service == service for route in run.plan.services)
