"""The deployments of a service: one as a rule, two in a replacement, and which of them is live."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Canary, Service
from reconciler.domain.plan import ServiceRoute
from reconciler.domain.procedure import Phase
from reconciler.domain.run import History, Run

_BEFORE = frozenset({Phase.PREFLIGHT, Phase.PREPARE})


def all_of(service: Service) -> tuple[Service, ...]:
    """Return each deployment of a service as a service of its own."""
    return (service,) if service.replacement is None else (service, new_of(service))


def new_of(service: Service) -> Service:
    """Return the second deployment."""
    second = service.replacement
    assert second is not None
    return replace(
        service,
        deployment="new",
        replacement=None,
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


def bearing(service: Service, host: str) -> Service | None:
    """Return the deployment that a host bears."""
    return next((each for each in all_of(service) if host in each.hosts), None)


def seen_as(service: Service) -> str:
    """Return the name under which the databases of a deployment are seen."""
    return f"{service.name}@new" if service.deployment == "new" else service.name


def live(service: Service, history: History) -> Service:
    """Return the deployment that serves: the old one until a run that stands has cut over to the new one."""
    if service.replacement is None:
        return service
    route = _cut_over(service.name, history)
    return new_of(service) if route and set(route.onto) == set(service.replacement.hosts) else service


def other(service: Service, history: History) -> Service | None:
    """Return the deployment that does not serve."""
    serving = live(service, history).deployment
    return next((each for each in all_of(service) if each.deployment != serving), None)


def taken_back(service: Service, history: History) -> bool:
    """Tell whether a commit names the deployment that was replaced as the one that should serve."""
    route = _cut_over(service.name, history)
    return route is not None and live(service, history).deployment != "new" and set(service.hosts) == set(route.off)


def cut_over(run: Run, service: str) -> bool:
    """Tell whether a run has made the new deployment of a service the live one."""
    steps = [step for step in run.plan.steps if step.service == service and step.phase is Phase.CUTOVER]
    return bool(steps) and all(run.done(step.id) for step in steps)


def any_cut_over(run: Run) -> bool:
    """Tell whether a run has made a new deployment of any service the live one: from then on people write to it."""
    return any(route.onto and cut_over(run, route.service) for route in run.plan.services)


def half_way(run: Run) -> bool:
    """Tell whether a new deployment is being filled that is not live yet: nobody but this run can go on with it."""
    begun = {step.service for step in run.plan.steps if step.phase not in _BEFORE and run.attempted(step.id)}
    return any(
        route.onto and route.service in begun and not cut_over(run, route.service) for route in run.plan.services
    )


def _cut_over(service: str, history: History) -> ServiceRoute | None:
    """Return the route by which a service was last cut over, of all runs that stand."""
    for run in reversed(history.runs):
        for route in run.plan.services:
            if route.service == service and route.onto and _stands(run, history) and cut_over(run, service):
                return route
    return None


def _stands(run: Run, history: History) -> bool:
    return any(each.id == run.id for each in history.completed(run.group))
