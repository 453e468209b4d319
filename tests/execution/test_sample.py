"""One sample of each kind of probe: good, bad, or nobody could tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.desired import Database, Host, Prometheus
from reconciler.domain.effect import AskProbe
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.outcome import Sample
from reconciler.domain.probe import (
    CommandProbe,
    ContainerProbe,
    MetricProbe,
    OtherProbe,
    RowsProbe,
    TcpProbe,
    UnitProbe,
)
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.execution.sample import take_sample
from reconciler.ports import Answer, Ports, Question, Unreachable
from tests.fakes.clock import VirtualClock
from tests.fakes.metrics import MemoryMetrics
from tests.scenarios.stage import NoSecrets
from tests.support.sample import DESIRED

AT = datetime(2026, 1, 1, tzinfo=UTC)
UP = MetricSample(value=1, labels={"__name__": "up"})
MAIN = Database(name="main", url="mysql+pymysql://x@db/x")


class World:
    """Hosts, databases and sockets that give the one answer which a test wants."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        if isinstance(self.answer, Unreachable):
            return self.answer
        return {question.key: self.answer for question in questions if isinstance(self.answer, Answer)}

    async def rows(self, database: Database, password: str | None, probe: RowProbe) -> Observed[Rows]:
        assert isinstance(self.answer, Known | Unknown)
        return self.answer

    async def connect(self, host: str, port: int) -> Sample:
        assert isinstance(self.answer, Sample)
        return self.answer


async def sample(probe: OtherProbe, answer: object = None, **metrics: tuple[MetricSample, ...]) -> bool | None:
    world = World(answer)
    ports = Ports(
        hosts=world,
        databases=world,
        http=world,
        dns=world,
        metrics=MemoryMetrics(metrics),
        secrets=NoSecrets(),
        source=world,
        journal=world,
        clock=VirtualClock(),
    )
    desired = replace(DESIRED, prometheus=Prometheus(url="http://p"))
    return (await take_sample(AskProbe(probe=probe, host="ks1", database=MAIN), desired, ports)).ok


async def test_a_series_that_nobody_scrapes_is_not_taken_for_quiet():
    probe = MetricProbe(name="p", promql="errors > 1", good="none", present="errors")
    assert await sample(probe, None, **{"errors > 1": (), "errors": (UP,)}) is True
    assert await sample(probe, None, **{"errors > 1": (), "errors": ()}) is None
    assert await sample(probe, None, **{"errors > 1": ()}) is None


@pytest.mark.parametrize(
    ("good", "answers", "ok"),
    [
        ("some", {"up": (UP,)}, True),
        ("some", {"up": ()}, False),
        ("none", {"up": ()}, True),
        ("none", {"up": (UP,)}, False),
        ("none", {}, None),
        ("some", {}, None),
    ],
)
async def test_metrics_are_good_by_samples_or_by_none_and_never_by_silence(good, answers, ok):
    assert await sample(MetricProbe(name="p", promql="up", good=good), **answers) is ok


@pytest.mark.parametrize(
    ("good", "answer", "ok"),
    [
        ("none", Known(Rows(count=0), AT), True),
        ("none", Known(Rows(count=2, sample=("a", "b")), AT), False),
        ("some", Known(Rows(count=2, sample=("a", "b")), AT), True),
        ("none", Unknown("DatabaseUnreachable", "no route", AT), None),
    ],
)
async def test_rows_are_good_by_their_count(good, answer, ok):
    assert await sample(RowsProbe(name="p", database="main", sql="SELECT 1", good=good), answer) is ok


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        (Answer(0, b"3 Running\n"), True),
        (Answer(0, b"3 stopped\n"), False),
        (Answer(1, b"3 Running\n"), False),
        (Unreachable("HostUnreachable", "no route"), None),
        (None, None),
    ],
)
async def test_a_command_is_good_by_its_code_and_output(answer, ok):
    assert await sample(CommandProbe(name="p", argv=("status",), output="Running$"), answer) is ok


UNIT = "unit\tkeystone\nLoadState=loaded\nActiveState={}\nExecMainStartTimestamp=\nActiveEnterTimestamp=\n.\n"


@pytest.mark.parametrize(
    ("answer", "ok"),
    [(Unreachable("HostUnreachable", "no route"), None), (Answer(0, b"what is this"), None), (Answer(3, b""), None)],
)
async def test_of_units_and_containers_that_cannot_be_read_nobody_can_tell(answer, ok):
    assert await sample(UnitProbe(name="p", unit="keystone"), answer) is ok
    assert await sample(ContainerProbe(name="p", container="keystone"), answer) is ok


@pytest.mark.parametrize("ok", [True, False])
async def test_a_connection_is_good_or_bad(ok):
    assert await sample(TcpProbe(name="p", host="10.0.0.1", port=80), Sample(ok, "x")) is ok
