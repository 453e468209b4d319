"""Small plans in literals: a step is named `phase.what@host`, and stands after those that are named."""

from __future__ import annotations

from reconciler.domain.plan import Plan, ServiceRoute, Step, Undo
from reconciler.domain.procedure import Phase

STATES = {"stop": "stopped", "start": "started", "restart": "restarted"}


def step(name: str, *after: str, wave: int | None = None, service: str = "s", **changes: object) -> Step:
    """Make a step; what is `stop`, `start` or `restart` is a step on units, and is undone by its opposite."""
    place, _, host = name.partition("@")
    phase, _, what = place.partition(".")
    undo = Undo("units", {}, f"undo {what}") if what in STATES else None
    fields: dict[str, object] = {
        "id": name,
        "kind": "units" if what in STATES else "command",
        "phase": Phase(phase),
        "service": service,
        "title": what,
        "host": host,
        "wave": wave,
        "args": {"state": STATES[what]} if what in STATES else {},
        "after": after,
        "undo": undo,
    }
    return Step(**{**fields, **changes})


def plan(*steps: Step, **changes: object) -> Plan:
    """Make a plan of one group over these steps, one route per service."""
    services = dict.fromkeys(each.service for each in steps)
    routes = tuple(ServiceRoute(service=name, start="a", goal="b", route=("a", "b")) for name in services)
    return Plan(**{"id": "p", "group": "g", "inputs": "i", "services": routes, "steps": steps, **changes})


ALL_STOPPED = plan(
    step("prepare.fetch@a"),
    step("prepare.fetch@b"),
    step("quiesce.stop@a", "prepare.fetch@a", "prepare.fetch@b"),
    step("quiesce.stop@b", "prepare.fetch@a", "prepare.fetch@b"),
    step("migrate.sync@a", "quiesce.stop@a", "quiesce.stop@b"),
    step("roll.install@a", "migrate.sync@a", wave=0),
    step("roll.start@a", "roll.install@a", wave=0),
    step("roll.check@a", "roll.start@a", wave=0),
    step("roll.start@b", "roll.check@a", wave=1),
    step("finish.smoke", "roll.start@b"),
)
"""Two hosts, both stopped, then moved one after the other."""
