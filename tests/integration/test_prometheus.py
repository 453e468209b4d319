"""Queries to a real Prometheus, and its own tools on what is shipped for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import ANY

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.prometheus import PrometheusMetrics
from reconciler.domain.alert import Alert
from reconciler.domain.desired import Prometheus
from reconciler.domain.effect import AskProbe
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.probe import Good, MetricProbe
from reconciler.domain.quiet import MetricsServer
from reconciler.domain.reasons import Reason
from reconciler.execution.metrics import look_at_alerts
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


class Later(SystemClock):
    """A clock that is ahead of the server's, as if that had run for so long."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=10)


async def standing(url: str) -> MetricsServer:
    """Ask until all rules were evaluated, which they are once a second."""
    while True:
        seen = await PrometheusMetrics(SystemClock()).standing(Prometheus(url=url), None, rules=True)
        assert isinstance(seen, Known)
        if "unknown" not in {each.health for each in seen.value.rules}:
            return seen.value


async def test_a_server_tells_since_when_it_runs_and_which_rules_it_has_evaluated(url: str):
    found = await standing(url)
    assert timedelta(0) < datetime.now(UTC) - found.started_at < timedelta(minutes=3)
    assert [each.name for each in found.rules] == ["FleetIsIll", "Watchdog"]
    assert {each.health for each in found.rules} == {"ok"}
    assert all(each.evaluated_at > found.started_at for each in found.rules)


def _asking(clock: SystemClock) -> Ports:
    nobody: Any = None
    return Ports(
        hosts=nobody,
        databases=nobody,
        http=nobody,
        dns=nobody,
        metrics=PrometheusMetrics(clock),
        secrets=nobody,
        source=nobody,
        journal=nobody,
        clock=clock,
    )


async def fires(url: str, promql: str, clock: SystemClock) -> Observed[tuple[MetricSample, ...]]:
    alert = Alert(name="critical", promql=promql)
    return (await look_at_alerts(replace(DESIRED, alerts=(alert,), prometheus=Prometheus(url=url)), _asking(clock)))[
        "critical"
    ]


async def test_silence_is_quiet_only_of_a_server_that_would_know_better(url: str):
    await standing(url)
    quiet = 'ALERTS{alertstate="firing", alertname="FleetIsIll"}'
    fresh = await fires(url, quiet, SystemClock())
    assert isinstance(fresh, Unknown)
    assert "its silence counts after 300 s" in fresh.text
    assert await fires(url, quiet, Later()) == Known((), ANY)
    lost = await fires(url, quiet.replace("FleetIsIll", "Gone"), Later())
    assert isinstance(lost, Unknown)
    assert lost.text == "Prometheus has no alerting rule Gone"


async def analysed(url: str, promql: str, good: Good) -> Outcome:
    """Ask a probe of the daemon's to its verdict, by the real server and the real clock."""
    asked = MetricProbe(name="p", promql=promql, good=good, count=3, interval_s=0.05, warmup_s=0.2, timeout_s=5)
    ports = _asking(Later())
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


async def test_a_server_that_does_not_tell_of_itself_is_unknown():
    class Odd(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        Thread(target=server.handle_request, daemon=True).start()
        named = Prometheus(url=f"http://127.0.0.1:{server.server_port}")
        seen = await PrometheusMetrics(SystemClock()).standing(named, None, rules=False)
    assert isinstance(seen, Unknown)
    assert "not what Prometheus answers" in seen.text


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
