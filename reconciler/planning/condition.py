"""Says whether an action of a procedure is there at all, for a hop and a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.domain.procedure import ActionSpec, When
from reconciler.planning.setting import Setting


def holds(spec: ActionSpec, setting: Setting) -> bool:
    """Judge the `when` of an action."""
    if spec.condition.when is When.ALWAYS:  # as a rule, and for every host of thousands
        return True
    found: Mapping[When, Callable[[], bool]] = {
        When.ONTO: lambda: bool(setting.onto),
        When.FIRST_HOP: lambda: setting.start == setting.stops[0],
        When.LAST_HOP: lambda: setting.goal == setting.stops[-1],
        When.TO: lambda: spec.condition.subject in _names(setting),
        When.SERVICE: lambda: spec.condition.subject == setting.service.name,
        When.APPEARS: lambda: _appears(spec, setting),
    }
    return found[spec.condition.when]()


def _names(setting: Setting) -> tuple[str, ...]:
    """Return every name of the goal."""
    return setting.catalog.service(setting.service.component).at(setting.goal).release.names


def _appears(spec: ActionSpec, setting: Setting) -> bool:
    """Tell whether the goal has the action's database, by default any of the service's, and the start has not."""
    component = setting.catalog.service(setting.service.component)
    before, after = component.at(setting.start).schema, component.at(setting.goal).schema
    named = str(spec.args.get("database", "")).rpartition(".")[2]
    names = [named] if named else [*setting.service.databases]
    return any(name in after and name not in before for name in names)
