"""How often hosts were brought back already to the build that they have left again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile

from reconciler.domain.plan import Plan
from reconciler.domain.procedure import PREPARING
from reconciler.domain.run import History, Run


def moved(plan: Plan, history: History) -> Mapping[str, tuple[datetime, ...]]:
    """Return when each host that a refresh would move was moved by refreshes that ended well, under the same inputs.

    A run with other inputs in between, a way back above all, begins the count anew; so does a hop, which nothing undid.
    """
    if plan.hops:
        return {}
    newest = [run for run in reversed(history.runs) if run.group == plan.group and run.ended != "dropped"]
    same = takewhile(lambda run: _same(run, plan), newest)
    ends = {run.ended_at: _hosts(run.plan) for run in same if run.ended_at is not None}
    return {host: tuple(at for at, hosts in ends.items() if host in hosts) for host in sorted(_hosts(plan))}


def _same(run: Run, plan: Plan) -> bool:
    return run.plan.inputs == plan.inputs and run.ended == "done" and not run.plan.hops


def _hosts(plan: Plan) -> frozenset[str]:
    return frozenset(step.host for step in plan.steps if step.host and step.phase not in PREPARING)
