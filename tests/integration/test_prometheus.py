"""Queries to a real Prometheus, and its own tools on what is shipped for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.prometheus import PrometheusMetrics
from reconciler.domain.desired import Prometheus
from reconciler.domain.effect import AskProbe
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.probe import Good, MetricProbe
from reconciler.domain.reasons import Reason
from reconciler.execution.sampling import sampled
from reconciler.ports import Ports
from reconciler.steps import Evidence, probe
from tests.support.debian import program
from tests.support.net import free_port
from tests.support.prometheus import running_prometheus
from tests.support.sample import DESIRED

pytestmark = pytest.mark.integration
RULES = Path(__file__).parents[2] / "deploy/prometheus"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


async def ask(url: str, promql: str, token: str | None = None) -> Observed[tuple[MetricSample, ...]]:
    return await PrometheusMetrics(SystemClock()).query(Prometheus(url=url), token, promql)


async def test_samples_of_a_vector(url: str):
    seen = await ask(url, 'up{job="self"}')
    assert isinstance(seen, Known)
    (sample,) = seen.value
    assert (sample.value, sample.labels["job"]) == (1.0, "self")
    assert sample.text.startswith('up{instance="127.0.0.1:')


async def test_nothing_and_a_scalar(url: str):
    for promql, value in (("nowhere_to_be_found", ()), ("scalar(vector(3))", (MetricSample(value=3.0),))):
        seen = await ask(f"{url}/", promql)
        assert isinstance(seen, Known)
        assert seen.value == value


@pytest.mark.parametrize(("promql", "said"), [("up{", "refuses the query"), ("up[1m]", "no vector and no scalar")])
async def test_what_is_no_answer_is_unknown(url: str, promql: str, said: str):
    seen = await ask(url, promql)
    assert isinstance(seen, Unknown)
    assert said in seen.text


async def analysed(url: str, promql: str, good: Good) -> Outcome:
    """Ask a probe of the daemon's to its verdict, by the real server and the real clock."""
    asked = MetricProbe(name="p", promql=promql, good=good, count=3, interval_s=0.05, warmup_s=0.2, timeout_s=5)
    nobody: Any = None
    ports = Ports(
        hosts=nobody,
        databases=nobody,
        http=nobody,
        dns=nobody,
        metrics=PrometheusMetrics(SystemClock()),
        secrets=nobody,
        source=nobody,
        journal=nobody,
        clock=SystemClock(),
    )
    desired = replace(DESIRED, prometheus=Prometheus(url=url))
    question = AskProbe(probe=asked)
    samples = await sampled(question, desired, ports)
    return probe.judge(probe.Model(probe=asked), Evidence(answers={question: samples}))


async def test_a_probe_is_good_bad_or_inconclusive_by_what_the_server_says(url: str):
    assert isinstance(await analysed(url, 'up{job="self"} == 1', "some"), Done)
    assert isinstance(await analysed(url, 'up{job="self"} == 0', "none"), Done)
    failed = await analysed(url, 'up{job="self"} == 1', "none")
    assert isinstance(failed, Failed)
    silent = await analysed(f"http://127.0.0.1:{free_port()}", "up", "none")
    assert isinstance(silent, Lost)
    assert silent.reason == Reason.PROBE_INCONCLUSIVE


async def test_nobody_there():
    seen = await ask(f"http://127.0.0.1:{free_port()}", "up")
    assert isinstance(seen, Unknown)
    assert seen.reason == Reason.METRICS_UNREACHABLE


ODD = [
    b"<html>login</html>",
    b'{"status": "success"}',
    b'{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1]}]}}',
    b'{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "many"]}]}}',
    b'{"status": "success", "data": {"resultType": "vector", "result": ["x"]}}',
    b'{"status": "success", "data": {"resultType": "vector", "result": [{"metric": 3, "value": [1, "2"]}]}}',
    b'{"status": "error", "error": "\\u001b]0;gone\\u0007"}',
    b" " * ((4 << 20) + 1),
]


async def answered(body: bytes) -> tuple[Observed[tuple[MetricSample, ...]], list[str | None]]:
    """Ask a server that answers with these bytes, whatever it is asked; and say by which token it was."""
    asked: list[str | None] = []

    class Odd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        Thread(target=server.handle_request, daemon=True).start()
        return await ask(f"http://127.0.0.1:{server.server_port}", "up", token="t0ken"), asked


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
async def test_an_odd_answer_is_unknown_and_never_a_crash(body: bytes):
    seen, asked = await answered(body)
    assert isinstance(seen, Unknown)
    assert seen.text.isprintable()
    assert asked == ["Bearer t0ken"]


async def test_the_labels_of_an_alert_are_told_in_one_line():
    metric = {"__name__": "ALERTS", "alertname": 'a\nb\u202e\x1b[31m", severity="none', "long": "x" * 200}
    result = {"resultType": "vector", "result": [{"metric": metric, "value": [1, "1"]}]}
    seen, _ = await answered(json.dumps({"status": "success", "data": result}).encode())
    assert isinstance(seen, Known)
    (sample,) = seen.value
    told = r'ALERTS{alertname="a\\nb\", severity=\"none", long="' + "x" * 100 + '... (100 more characters)"} 1'
    assert sample.text == told


def test_the_alerts_hold_before_the_tool_of_prometheus():
    for argv in (("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")):
        done = subprocess.run(
            [program("promtool", "prometheus"), *argv], cwd=RULES, capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
