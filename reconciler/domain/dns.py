"""Names in the DNS, as the server that has the word on them tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecords:
    """All records of one type under one name, on the authoritative `server`; `zone` and `name` are absolute."""

    server: str
    port: int
    zone: str
    name: str
    type: str  # A | AAAA | CNAME

    def __str__(self) -> str:
        """Name them for people."""
        return f"{self.type} {self.name}"
