"""Asks the fleet's Prometheus."""

from __future__ import annotations

import asyncio

from reconciler.domain.alert import Alert
from reconciler.domain.desired import Desired
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.errors import SecretError
from reconciler.ports import Ports

Samples = tuple[MetricSample, ...]


async def ask_metrics(promql: str, desired: Desired, ports: Ports) -> Observed[Samples]:
    """Ask one query; without a server, its token or its answer nobody can tell."""
    server = desired.prometheus
    if server is None:
        text = "the desired state names no Prometheus (fleet.prometheus)"
        return Unknown(str(Reason.METRICS_UNREACHABLE), text, ports.clock.now())
    try:
        token = None if server.token is None else ports.secrets.resolve(server.token)
    except SecretError as error:
        return Unknown(str(Reason.SECRET_MISSING), str(error), ports.clock.now())
    return await ports.metrics.query(server, token, promql)


async def look_at_alerts(desired: Desired, ports: Ports) -> dict[str, Observed[Samples]]:
    """Ask for the alerts that close gates, all at once; by their name in git."""
    answers = await asyncio.gather(*(_fires(each, desired, ports) for each in desired.alerts))
    return {each.name: answer for each, answer in zip(desired.alerts, answers, strict=True)}


async def _fires(alert: Alert, desired: Desired, ports: Ports) -> Observed[Samples]:
    """Ask first whether the server knows of it at all: one that has just begun, or lost its rules, is quiet too."""
    if alert.present:
        there = await ask_metrics(alert.present, desired, ports)
        if not isinstance(there, Known):
            return there
        if not there.value:
            return Unknown(str(Reason.ALERT_UNKNOWN), f"{alert.present} has no samples", there.at)
    return await ask_metrics(alert.promql, desired, ports)
