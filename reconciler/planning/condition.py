"""Says whether an action of a procedure is there at all, for a hop and a host."""

from __future__ import annotations

from reconciler.domain.procedure import ActionSpec, When
from reconciler.planning.setting import Setting


def holds(spec: ActionSpec, setting: Setting) -> bool:
    """Judge the `when` of an action."""
    match spec.condition.when:
        case When.ALWAYS:
            return True
        case When.ONTO:
            return bool(setting.onto)
        case When.FIRST_HOP:
            return setting.start == setting.stops[0]
        case When.LAST_HOP:
            return setting.goal == setting.stops[-1]
        case When.TO:
            release = setting.catalog.service(setting.service.component).at(setting.goal).release
            return spec.condition.release in release.names
        case When.APPEARS:
            return _appears(spec, setting)


def _appears(spec: ActionSpec, setting: Setting) -> bool:
    """Tell whether the goal has the action's database, by default any of the service's, and the start has not."""
    component = setting.catalog.service(setting.service.component)
    before, after = component.at(setting.start).schema, component.at(setting.goal).schema
    named = str(spec.args.get("database", "")).rpartition(".")[2]
    names = [named] if named else [*setting.service.databases]
    return any(name in after and name not in before for name in names)
