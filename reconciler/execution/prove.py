"""Asks the questions that prove a step, from the daemon's machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from reconciler.catalog.structure import expected_structure
from reconciler.domain.comparison import Comparison
from reconciler.domain.desired import Database, Desired
from reconciler.domain.effect import (
    Ask,
    AskDns,
    AskFingerprint,
    AskHost,
    AskHttp,
    AskMarker,
    AskProbe,
    AskRows,
    AskSoak,
    AskStructure,
)
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.errors import SecretError
from reconciler.execution.look import asked_of, look_at_host, password_of, read_marker
from reconciler.execution.sampling import sampled, soaked
from reconciler.planning.structure import compare, uncompared
from reconciler.ports import Ports
from reconciler.steps import Answered

T = TypeVar("T")


async def ask(question: Ask, desired: Desired, ports: Ports) -> Answered:
    """Ask one question; what cannot be answered comes back as Unknown."""
    match question:
        case AskMarker() | AskStructure() | AskFingerprint() | AskRows():
            return await _of_database(question, ports)
        case AskHost():
            return await look_at_host(desired.hosts[question.host], (asked_of(question),), ports)
        case AskDns(records):
            return await ports.dns.values(records)
        case AskHttp() | AskProbe():
            return await sampled(question, desired, ports)
        case AskSoak():
            return await soaked(question, desired, ports)


async def _of_database(question: AskMarker | AskStructure | AskFingerprint | AskRows, ports: Ports) -> Answered:
    match question:
        case AskMarker(database):
            return await read_marker(database, ports)
        case AskStructure():
            return await _compared(question, ports)
        case AskFingerprint(database):
            return await _by_sql(database, ports, ports.databases.fingerprint)
        case AskRows(database, probe):
            return await _by_sql(database, ports, lambda db, password: ports.databases.rows(db, password, probe))


async def _by_sql(
    database: Database, ports: Ports, read: Callable[[Database, str | None], Awaitable[Observed[T]]]
) -> Observed[T]:
    try:
        password = password_of(database, ports)
    except SecretError as error:
        return Unknown(str(Reason.SECRET_MISSING), str(error), ports.clock.now())
    return await read(database, password)


async def _compared(question: AskStructure, ports: Ports) -> Observed[Comparison]:
    """Compare a structure with the packaged one of a release; without one the database is not asked."""
    expected = expected_structure(question.component, question.database.name, question.release)
    if expected is None:
        return Known(uncompared(), ports.clock.now())
    seen = await _by_sql(question.database, ports, ports.databases.structure)
    return Known(compare(expected, seen.value), seen.at) if isinstance(seen, Known) else seen
