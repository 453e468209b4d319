"""Instant queries to a Prometheus server, over its HTTP API."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.adapters.http import cause
from reconciler.domain.desired import Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.quiet import AlertRule, MetricsServer
from reconciler.domain.reasons import Reason
from reconciler.domain.text import one_line
from reconciler.ports import Clock

T = TypeVar("T")
_NO_RULES = b'{"data": {"groups": []}}'

QUERY_S = 20.0
"""How long a query may take."""

ANSWER_BYTES = 4 << 20
"""A longer answer is none: whoever asks wants to know whether there are samples, not all of them."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Sample(_Form):
    """One of a vector: its labels, and the time and the text of its value."""

    metric: dict[str, str]
    value: tuple[float, str]


class _Vector(_Form):
    resultType: Literal["vector"]  # noqa: N815 - the API's name
    result: tuple[_Sample, ...]


class _Scalar(_Form):
    resultType: Literal["scalar"]  # noqa: N815 - the API's name
    result: tuple[float, str]


class _Other(_Form):
    resultType: Literal["matrix", "string"]  # noqa: N815 - the API's name


class _Answer(_Form):
    """What the API answers."""

    status: Literal["success", "error"]
    error: str = ""
    data: _Vector | _Scalar | _Other | None = Field(default=None, discriminator="resultType")


class _Runtime(_Form):
    startTime: datetime  # noqa: N815 - the API's name


class _RuntimeAnswer(_Form):
    data: _Runtime


class _Rule(_Form):
    """A rule; recording rules are left out by the question."""

    name: str
    health: str
    lastEvaluation: datetime  # noqa: N815 - the API's name


class _Group(_Form):
    rules: tuple[_Rule, ...]


class _Groups(_Form):
    groups: tuple[_Group, ...]


class _RulesAnswer(_Form):
    data: _Groups


class PrometheusMetrics:
    """Each query has a connection of its own, goes to nobody but the named server, and follows no redirect."""

    def __init__(self, clock: Clock, ca_file: Path | None = None) -> None:
        self._clock = clock
        self._trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)

    async def query(self, server: Prometheus, token: str | None, promql: str) -> Observed[tuple[MetricSample, ...]]:
        """Ask once; an answer that is not one, an error of the query too, is Unknown."""

        async def asked() -> tuple[MetricSample, ...]:
            body = await self._ask(server, token, "query", {"query": promql})
            return tuple(_samples(_Answer.model_validate_json(body)))

        return await self._told(server, asked)

    async def standing(self, server: Prometheus, token: str | None, *, rules: bool) -> Observed[MetricsServer]:
        """Ask once; a server that does not tell is Unknown."""

        async def asked() -> MetricsServer:
            runtime = _RuntimeAnswer.model_validate_json(await self._ask(server, token, "status/runtimeinfo"))
            listed = await self._ask(server, token, "rules?type=alert&exclude_alerts=true") if rules else _NO_RULES
            groups = _RulesAnswer.model_validate_json(listed).data.groups
            return MetricsServer(
                started_at=_aware(runtime.data.startTime),
                rules=tuple(_rule(each) for group in groups for each in group.rules),
            )

        return await self._told(server, asked)

    async def _told(self, server: Prometheus, asked: Callable[[], Awaitable[T]]) -> Observed[T]:
        try:
            async with asyncio.timeout(QUERY_S):
                return Known(await asked(), self._clock.now())
        except TimeoutError:
            return self._unknown(f"{server.url}: no answer within {QUERY_S:g} s")
        except httpx.HTTPError as error:
            return self._unknown(f"{server.url}: {cause(error)}")
        except (ValidationError, ValueError) as error:
            said = "it is not what Prometheus answers" if isinstance(error, ValidationError) else str(error)
            return self._unknown(f"{server.url}: {said}")

    async def _ask(
        self, server: Prometheus, token: str | None, path: str, data: Mapping[str, str] | None = None
    ) -> bytes:
        headers = {"User-Agent": "reconciler", "Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        url, method = f"{server.url.rstrip('/')}/api/v1/{path}", "GET" if data is None else "POST"
        body = b""
        async with (
            httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=QUERY_S) as client,
            client.stream(method, url, data=data, headers=headers) as response,
        ):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    raise ValueError(f"the answer is longer than {ANSWER_BYTES} bytes")
        return body

    def _unknown(self, text: str) -> Unknown:
        return Unknown(str(Reason.METRICS_UNREACHABLE), one_line(text, 500), self._clock.now())


def _rule(each: _Rule) -> AlertRule:
    name, health = one_line(each.name, 100), one_line(each.health, 20)
    return AlertRule(name=name, health=health, evaluated_at=_aware(each.lastEvaluation))


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _samples(answer: _Answer) -> Iterator[MetricSample]:
    """Read a vector or a scalar; raises ValueError for everything else."""
    match answer.data:
        case _Vector(result=result):
            for each in result:
                labels = {one_line(name, 100): one_line(value, 100) for name, value in each.metric.items()}
                yield MetricSample(value=float(each.value[1]), labels=labels)
        case _Scalar(result=(_, value)):
            yield MetricSample(value=float(value))
        case _Other(resultType=kind):
            raise ValueError(f"the query gives no vector and no scalar, but a {kind}")
        case None:
            raise ValueError(f"it refuses the query: {answer.error[:200] or 'without saying why'}")
