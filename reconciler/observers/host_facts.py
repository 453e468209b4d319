"""Boot id and free space of a host."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import HostFacts, Known
from reconciler.observers import ParseError, Seen
from reconciler.observers._text import END, HEAD, fields_of, matched, odd
from reconciler.ports import Answer, Question

FIELD = "facts"

SCRIPT = (
    HEAD
    + r"""
printf 'boot\t%s\n' "$(cat /proc/sys/kernel/random/boot_id)"
for path; do
  at=$path
  until [ -d "$at" ]; do at=$(dirname -- "$at"); done
  printf 'free\t%s\t%s\n' "$(df -Pk -- "$at" | awk 'NR == 2 { print $4 }')" "$path"
done
"""
    + END
)


def questions(host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for the space of our own folder, of backup folders (also before they are made), and where git wants some."""
    borne = tuple(services)
    paths = {host.state_dir, *(service.backup_dir for service in borne)}
    paths |= {path for service in borne for path in service.disk_space}
    return (Question("host_facts", SCRIPT, tuple(sorted(path for path in paths if path.startswith("/")))),)


def subjects(_question: Question) -> tuple[str, ...]:
    """Name the host."""
    return ("host",)


def parse(answer: Answer, at: datetime) -> Seen:
    """Read boot id and free bytes by path."""
    boots: list[str] = []
    free: dict[str, int] = {}
    for fields in fields_of(answer):
        match fields:
            case ["boot", boot]:
                boots.append(matched(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", boot, "the boot id"))
            case ["free", kib, path] if path.startswith("/") and path not in free:
                free[path] = int(matched(r"[0-9]{1,15}", kib, f"the space of {path}")) * 1024
            case _:
                raise odd(fields)
    if len(boots) != 1:
        raise ParseError(f"{len(boots)} boot ids")
    return {"host": Known(HostFacts(boots[0], free), at)}
