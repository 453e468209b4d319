"""Asks a fleet whether it is exposed to what rules of the catalog are about. Asks, and never touches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Service
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.relation import Exposure, Finding
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.domain.text import clean_text
from reconciler.errors import SecretError
from reconciler.execution.defects import seen
from reconciler.execution.look import HOST_DEADLINE_S, database_of, password_of
from reconciler.execution.metrics import ask_metrics
from reconciler.planning.deployments import all_of
from reconciler.planning.exposure import Asked, questions, together
from reconciler.ports import Ports, Question, Unreachable

SCRIPT = 'LC_ALL=C\nexport LC_ALL\n"$@" </dev/null 2>&1\n'
TELLING = {0: True, 1: False}
"""What exit codes say of the fleet; every other one, of a signal or of a shell without the command, says nothing."""

SHOWN_CHARS = 200

Answered = dict[tuple[str, str], Observed[Finding]]


async def look_at_exposures(desired: Desired, catalog: Catalog, ports: Ports) -> Answered:
    """Ask every question of the catalog that bears on the fleet, all at once; by service and rule."""
    asked = questions(desired, catalog)
    found = await asyncio.gather(*(seen(_of_service(each, desired, ports), ports.clock) for each in asked))
    return {(each.service, each.rule.id): answer for each, answer in zip(asked, found, strict=True)}


async def _of_service(asked: Asked, desired: Desired, ports: Ports) -> Observed[Finding]:
    """Ask each deployment: which of them serves is not for looking to know."""
    exposure, service = asked.rule.exposure, desired.services[asked.service]
    assert exposure is not None
    if exposure.promql:
        return await _by_promql(exposure, desired, ports)
    ask = _by_sql if exposure.sql else _by_command
    answers = await asyncio.gather(*(ask(exposure, asked.rule.id, each, desired, ports) for each in all_of(service)))
    answer = together(answers)
    if isinstance(answer, Finding):
        return Known(answer, ports.clock.now())
    return answer or _unknown(Reason.HOST_NOT_ASKED, f"{asked.service} has nowhere to ask", ports)


async def _by_promql(exposure: Exposure, desired: Desired, ports: Ports) -> Observed[Finding]:
    seen = await ask_metrics(exposure.promql, "", desired, ports)
    return Known(_of_samples(exposure, seen.value), seen.at) if isinstance(seen, Known) else _lost(seen, ports)


def _of_samples(exposure: Exposure, samples: tuple[MetricSample, ...]) -> Finding:
    shown = ", ".join(each.text for each in samples[:3])
    return Finding(bool(samples), f"{exposure.promql} gives {shown or 'no sample'}")


async def _by_sql(exposure: Exposure, rule: str, service: Service, desired: Desired, ports: Ports) -> Observed[Finding]:
    if exposure.database not in service.databases:
        return _unknown(Reason.DATABASE_UNREACHABLE, f"{service.name} has no database {exposure.database}", ports)
    database = database_of(desired, service, exposure.database)
    try:
        password = password_of(database, ports)
    except SecretError as error:
        return _unknown(Reason.SECRET_MISSING, str(error), ports)
    probe = RowProbe(database=exposure.database, sql=exposure.sql, key=rule)
    seen = await ports.databases.rows(database, password, probe)
    return Known(_of_rows(seen.value, service), seen.at) if isinstance(seen, Known) else _lost(seen, ports)


def _of_rows(rows: Rows, service: Service) -> Finding:
    keys = f": {', '.join(rows.sample)}" if rows.sample else ""
    return Finding(rows.count > 0, f"{rows.count} such rows in {service.name}{keys}")


async def _by_command(
    exposure: Exposure, rule: str, service: Service, desired: Desired, ports: Ports
) -> Observed[Finding]:
    """Ask the hosts in their order until one can tell."""
    last: Observed[Finding] = _unknown(Reason.HOST_NOT_ASKED, f"{service.name} has no host to ask", ports)
    for name in _askable(service):
        last = await _on_host(exposure, rule, name, desired, ports)
        if isinstance(last, Known):
            return last
    return last


def _askable(service: Service) -> Iterator[str]:
    """Yield the bootstrap host, then the others."""
    yield from dict.fromkeys((*filter(None, (service.bootstrap,)), *service.hosts))


async def _on_host(exposure: Exposure, rule: str, name: str, desired: Desired, ports: Ports) -> Observed[Finding]:
    question = Question(key=f"exposure:{rule}", script=SCRIPT, args=exposure.command)
    try:
        answers = await asyncio.wait_for(ports.hosts.look(desired.hosts[name], [question]), HOST_DEADLINE_S)
    except TimeoutError:
        return _unknown(Reason.HOST_UNREACHABLE, f"{name}: no answer within {HOST_DEADLINE_S:.0f} s", ports)
    if isinstance(answers, Unreachable):
        return _unknown(Reason(answers.reason), f"{name}: {answers.text}", ports)
    answer = answers.get(question.key)
    if answer is None:
        return _unknown(Reason.HOST_NOT_ASKED, f"{name} was not reached by the question", ports)
    said = " ".join(clean_text(answer.output, SHOWN_CHARS).split())
    text = f"{exposure.command[0]} on {name}: exit code {answer.code}{f', {said}' if said else ''}"
    if answer.code not in TELLING:
        return _unknown(Reason.HOST_OUTPUT_INVALID, text, ports)
    return Known(Finding(TELLING[answer.code], text), ports.clock.now())


def _lost(seen: Absent | Unknown, ports: Ports) -> Unknown:
    return seen if isinstance(seen, Unknown) else _unknown(Reason.DATABASE_UNREACHABLE, "it does not exist", ports)


def _unknown(reason: Reason, text: str, ports: Ports) -> Unknown:
    return Unknown(str(reason), text, ports.clock.now())
