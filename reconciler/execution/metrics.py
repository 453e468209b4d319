"""Asks the fleet's Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reconciler.domain.desired import Desired, Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.quiet import judge_quiet, of_alerts
from reconciler.domain.reasons import Reason
from reconciler.errors import SecretError
from reconciler.execution.defects import seen
from reconciler.ports import Ports

T = TypeVar("T")
Samples = tuple[MetricSample, ...]


async def ask_metrics(promql: str, present: str, desired: Desired, ports: Ports) -> Observed[Samples]:
    """Ask one query; without a server, its token or its answer nobody can tell, nor by a silence that says nothing.

    Where `present` is given and has no samples, what the query asks about is not there. Else an empty answer counts
    only of a server that would know better.
    """
    if present:
        there = await _query(present, desired, ports)
        if not isinstance(there, Known):
            return there
        if not there.value:
            return Unknown(str(Reason.ALERT_UNKNOWN), f"{present} has no samples", there.at)
    found = await _query(promql, desired, ports)
    if present or not isinstance(found, Known) or found.value:
        return found
    server = await _of_server(
        desired, ports, lambda at, token: ports.metrics.standing(at, token, rules=of_alerts(promql))
    )
    if not isinstance(server, Known):
        return server
    why = judge_quiet(promql, server.value, server.at)
    return Unknown(str(Reason.ALERT_UNKNOWN), why, server.at) if why else found


async def _query(promql: str, desired: Desired, ports: Ports) -> Observed[Samples]:
    return await _of_server(desired, ports, lambda at, token: ports.metrics.query(at, token, promql))


async def _of_server(
    desired: Desired, ports: Ports, ask: Callable[[Prometheus, str | None], Awaitable[Observed[T]]]
) -> Observed[T]:
    server = desired.prometheus
    if server is None:
        text = "the desired state names no Prometheus (fleet.prometheus)"
        return Unknown(str(Reason.METRICS_UNREACHABLE), text, ports.clock.now())
    try:
        token = None if server.token is None else ports.secrets.resolve(server.token)
    except SecretError as error:
        return Unknown(str(Reason.SECRET_MISSING), str(error), ports.clock.now())
    return await ask(server, token)


async def look_at_alerts(desired: Desired, ports: Ports) -> dict[str, Observed[Samples]]:
    """Ask for the alerts that close gates, all at once; by their name in git."""
    asked = (seen(ask_metrics(each.promql, each.present, desired, ports), ports.clock) for each in desired.alerts)
    return {each.name: found for each, found in zip(desired.alerts, await asyncio.gather(*asked), strict=True)}
