"""Lets a leg begin only while the hosts that it touches have the space that git asks for."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.domain.desired import Service
from reconciler.domain.gate import Closed, Holds
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.gates import Case

NAME = "disk_space"

GIB = 1 << 30
SHOWN = 5


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for each path with too little on some hosts, and where nobody can tell; a leg that has begun goes on."""
    if case.begun:
        return ()
    services = [case.desired.services[name] for name in case.services if name in case.desired.services]
    return tuple(closed for service in services for closed in _of(service, case))


def _of(service: Service, case: Case) -> Iterator[Closed]:
    for path, wanted_gib in sorted(service.disk_space.items()):
        enough = {host: _known(case, host, path, wanted_gib) for host in case.hosts.get(service.name, ())}
        short = {host: case.free[host][path] for host, known in enough.items() if known is False}
        untold = [host for host, known in enough.items() if known is None]
        if short:
            names = [f"{host} ({free / GIB:.1f} GiB)" for host, free in sorted(short.items(), key=lambda each: each[1])]
            yield _closed(f"{service.name} wants {wanted_gib:g} GiB free at {path}, and less is on {_few(names)}")
        if untold:
            yield _closed(f"nobody can tell how much is free at {path} on {_few(untold)}")


def _known(case: Case, host: str, path: str, wanted_gib: float) -> bool | None:
    """Tell whether there is enough; None where it was not seen."""
    free = case.free.get(host, {}).get(path)
    return None if free is None else free >= wanted_gib * GIB


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _closed(text: str) -> Closed:
    reason = Reason.DISK_SPACE_SHORT
    return Closed(gate=NAME, reason=str(reason), text=text, hint=TEXTS[reason][1], holds=Holds.EVERYTHING)
