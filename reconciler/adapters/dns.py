"""Dynamic updates of the DNS, from the daemon's machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
from dns.rdatatype import RdataType

from reconciler.domain.dns import DnsRecords
from reconciler.domain.effect import UpdateDns
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.outcome import Sample
from reconciler.domain.reasons import Reason

TIMEOUT_S = 10.0
_SILENT = (dns.exception.Timeout, OSError, EOFError)  # nothing that says whether it was heard


class _RefusedError(Exception):
    """The server answered, and not what was asked."""


class DnspythonDns:
    """Every request has a TCP connection of its own and goes to the one server named, never through a resolver."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, now: Callable[[], datetime] | None = None) -> None:
        self._timeout_s = timeout_s
        self._now = now or (lambda: datetime.now(UTC))

    async def update(self, change: UpdateDns, key: str | None) -> Sample:
        """Replace records under the condition that they are the ones expected; RFC 2136, signed as in RFC 8945."""
        try:
            answer = await self._asked(_update(change, key), change.records)
        except _SILENT as error:
            return Sample(None, f"no answer: {_cause(error)}")
        except (dns.exception.DNSException, ValueError) as error:  # a bad key, a bad signature, a name too long
            return Sample(False, _cause(error))
        code = answer.rcode()
        if code == dns.rcode.NOERROR:
            return Sample(True, f"{change.records} changed")
        if code in {dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN}:
            return Sample(False, f"{change.records} is not {', '.join(change.was) or 'absent'} as expected")
        return Sample(False, f"the server answers {dns.rcode.to_text(code)}")

    async def values(self, records: DnsRecords) -> Observed[tuple[str, ...]]:
        """Ask the server for what it has the word on."""
        wanted = dns.rdatatype.from_text(records.type)
        try:
            query = dns.message.make_query(records.name, wanted, flags=0)
            found = _read(await self._asked(query, records), dns.name.from_text(records.name), wanted)
        except _SILENT as error:
            return self._unknown(records, f"no answer: {_cause(error)}")
        except (_RefusedError, dns.exception.DNSException) as error:
            return self._unknown(records, _cause(error))
        return Known(found, self._now()) if found else Absent(self._now())

    def _unknown(self, records: DnsRecords, text: str) -> Unknown:
        return Unknown(Reason.STEP_LOST, f"{records} on {records.server}: {text}", self._now())

    async def _asked(self, message: dns.message.Message, records: DnsRecords) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(records.server, records.port)
        return await dns.asyncquery.tcp(message, str(found[0][4][0]), timeout=self._timeout_s, port=records.port)


def _update(change: UpdateDns, key: str | None) -> dns.message.Message:
    records = change.records
    message = dns.update.UpdateMessage(records.zone)
    if change.key_name and key is not None:
        name = dns.name.from_text(change.key_name)
        message.use_tsig(dns.tsig.Key(name, key, change.key_algorithm))
    if change.was:
        message.present(records.name, records.type, *change.was)
    else:
        message.absent(records.name, records.type)
    message.delete(records.name, records.type)
    if change.values:
        message.add(records.name, change.ttl, records.type, *change.values)
    return message


def _read(answer: dns.message.Message, name: dns.name.Name, wanted: RdataType) -> tuple[str, ...]:
    if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise _RefusedError(f"the server answers {dns.rcode.to_text(answer.rcode())}")
    if not answer.flags & dns.flags.AA:
        raise _RefusedError("the server has not the word on that zone")
    rows = [row for row in answer.answer if row.name == name and row.rdtype == wanted]
    return tuple(sorted(value.to_text().lower() for row in rows for value in row))


def _cause(error: BaseException) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "it took too long"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
