"""Takes one sample of a probe other than HTTP: asks, and never touches."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from reconciler.domain.desired import Database, Desired, Host
from reconciler.domain.effect import AskHost, AskProbe
from reconciler.domain.health import judge_container, judge_unit
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.outcome import Sample
from reconciler.domain.probe import (
    CommandProbe,
    ContainerProbe,
    Good,
    MetricProbe,
    RowsProbe,
    TcpProbe,
    UnitProbe,
)
from reconciler.domain.row_probe import RowProbe
from reconciler.domain.text import clean_text
from reconciler.errors import SecretError
from reconciler.execution.look import asked_of, look_at_host, password_of
from reconciler.execution.metrics import ask_metrics
from reconciler.ports import Ports, Question, Unreachable

SCRIPT = 'LC_ALL=C\nexport LC_ALL\n"$@" </dev/null 2>&1\n'
SHOWN_CHARS = 200
OUTPUT_CHARS = 20_000


async def take_sample(question: AskProbe, desired: Desired, ports: Ports) -> Sample:
    """Ask once; what nobody could tell within the probe's time is neither good nor bad."""
    try:
        async with asyncio.timeout(question.probe.timeout_s):
            return await _take(question, desired, ports)
    except TimeoutError:
        return Sample(None, f"no answer within {question.probe.timeout_s:g} s")


async def _take(question: AskProbe, desired: Desired, ports: Ports) -> Sample:
    match question.probe:
        case TcpProbe(host=host, port=port):
            return await ports.http.connect(host, port)
        case MetricProbe() as probe:
            return await _by_metrics(probe, desired, ports)
        case RowsProbe() as probe:
            return await _by_sql(probe, question.database, ports)
        case CommandProbe() as probe:
            return await _by_command(probe, desired.hosts[question.host], ports)
        case UnitProbe() | ContainerProbe() as probe:
            return await _by_report(probe, desired.hosts[question.host], ports)


async def _by_metrics(probe: MetricProbe, desired: Desired, ports: Ports) -> Sample:
    seen = await ask_metrics(probe.promql, probe.present, desired, ports)
    found = tuple(each.text for each in seen.value) if isinstance(seen, Known) else ()
    return _judged(seen, len(found), found, probe.good)


def _judged(seen: Observed[Any], count: int, found: tuple[str, ...], good: Good) -> Sample:
    match seen:
        case Known():
            shown = f"{count}: {', '.join(found[:3])}" if found else str(count)
            return Sample((count > 0) == (good == "some"), shown[:SHOWN_CHARS])
        case Unknown(text=text):
            return Sample(None, text[:SHOWN_CHARS])
        case Absent():
            return Sample(None, "it does not exist")


async def _by_sql(probe: RowsProbe, database: Database | None, ports: Ports) -> Sample:
    if database is None:
        return Sample(None, f"there is no database {probe.database}")
    try:
        password = password_of(database, ports)
    except SecretError as error:
        return Sample(None, str(error))
    rows = RowProbe(database=probe.database, sql=probe.sql, key=probe.name)
    seen = await ports.databases.rows(database, password, rows)
    count, found = (seen.value.count, seen.value.sample) if isinstance(seen, Known) else (0, ())
    return _judged(seen, count, found, probe.good)


async def _by_command(probe: CommandProbe, host: Host, ports: Ports) -> Sample:
    question = Question(key=f"probe:{probe.name}", script=SCRIPT, args=probe.argv)
    answers = await ports.hosts.look(host, [question])
    if isinstance(answers, Unreachable):
        return Sample(None, f"{host.name}: {answers.text}")
    answer = answers.get(question.key)
    if answer is None:
        return Sample(None, f"{host.name} was not reached by the question")
    said = ports.secrets.redact(clean_text(answer.output, OUTPUT_CHARS))
    shown = " ".join(said.split())[:SHOWN_CHARS]
    good = answer.code in probe.ok and re.search(probe.output, said, re.MULTILINE) is not None
    return Sample(good, f"exit code {answer.code}{f': {shown}' if shown else ''}")


async def _by_report(probe: UnitProbe | ContainerProbe, host: Host, ports: Ports) -> Sample:
    """Ask by the observers, whose answers are read strictly."""
    units = (probe.unit,) if isinstance(probe, UnitProbe) else ()
    engine = "" if isinstance(probe, UnitProbe) else probe.engine
    form = "" if isinstance(probe, UnitProbe) else "container"
    asked = AskHost(host=host.name, service="probe", form=form, engine=engine, units=units)
    report = await look_at_host(host, (asked_of(asked),), ports)
    if not isinstance(report, Known):
        return _judged(report, 0, (), "some")
    return judge_unit(probe, report.value) if isinstance(probe, UnitProbe) else judge_container(probe, report.value)
