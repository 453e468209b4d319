"""Instant queries to a Prometheus server, over its HTTP API."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.adapters.http import cause
from reconciler.domain.desired import Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.text import one_line
from reconciler.ports import Clock

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


class PrometheusMetrics:
    """Each query has a connection of its own, goes to nobody but the named server, and follows no redirect."""

    def __init__(self, clock: Clock, ca_file: Path | None = None) -> None:
        self._clock = clock
        self._trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)

    async def query(self, server: Prometheus, token: str | None, promql: str) -> Observed[tuple[MetricSample, ...]]:
        """Ask once; an answer that is not one, an error of the query too, is Unknown."""
        try:
            async with asyncio.timeout(QUERY_S):
                body = await self._ask(server, token, promql)
            return Known(tuple(_samples(_Answer.model_validate_json(body))), self._clock.now())
        except TimeoutError:
            return self._unknown(f"{server.url}: no answer within {QUERY_S:g} s")
        except httpx.HTTPError as error:
            return self._unknown(f"{server.url}: {cause(error)}")
        except (ValidationError, ValueError) as error:
            said = "it is not what Prometheus answers" if isinstance(error, ValidationError) else str(error)
            return self._unknown(f"{server.url}: {said}")

    async def _ask(self, server: Prometheus, token: str | None, promql: str) -> bytes:
        headers = {"User-Agent": "reconciler", "Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{server.url.rstrip('/')}/api/v1/query"
        body = b""
        async with (
            httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=QUERY_S) as client,
            client.stream("POST", url, data={"query": promql}, headers=headers) as response,
        ):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    raise ValueError(f"the answer is longer than {ANSWER_BYTES} bytes")
        return body

    def _unknown(self, text: str) -> Unknown:
        return Unknown(str(Reason.METRICS_UNREACHABLE), one_line(text, 500), self._clock.now())


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
