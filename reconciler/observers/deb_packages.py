"""Deb packages as installed: version, hold, and when they were unpacked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, Known, Package, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.version import DEB
from reconciler.observers import Seen
from reconciler.observers._packages import asked
from reconciler.observers._text import END, HEAD, fields_of, matched, moment, odd
from reconciler.ports import Answer, Question

FIELD = "packages"
NAME = r"[a-z0-9][a-z0-9+.-]{1,200}"

# dpkg-query ends with 1 when a package is unknown to it, with 2 when it cannot tell.
SCRIPT = (
    HEAD
    + r"""
info=/var/lib/dpkg/info
for name; do printf 'asked\t%s\n' "$name"; done
seen=$(dpkg-query -W -f '${Package}\t${Status}\t${Version}\n' -- "$@" 2>/dev/null) || [ $? -eq 1 ] || exit 3
[ -z "$seen" ] || printf '%s\n' "$seen" | while IFS="$(printf '\t')" read -r name status version; do
  times=$(stat -c %Y -- "$info/$name.list" "$info/$name:"*.list 2>/dev/null)
  printf 'package\t%s\t%s\t%s\t%s\n' "$name" "$status" "$(printf '%s' "$times" | sort -n | tail -n 1)" "$version"
done
"""
    + END
)


def questions(_host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for every package that a build of deb packages names."""
    return asked("deb_packages", SCRIPT, "packages", services)


def subjects(question: Question) -> tuple[str, ...]:
    """Name the packages."""
    return question.args


def parse(answer: Answer, at: datetime) -> Seen:
    """Read packages: one that dpkg does not know is Absent, one between states is Unknown."""
    seen: dict[str, Known[Package] | Absent | Unknown] = {}
    for fields in fields_of(answer):
        match fields:
            case ["asked", name]:
                seen[matched(NAME, name, "a package's name")] = Absent(at)
            case ["package", name, status, unpacked, version] if name in seen:
                seen[name] = _merge(name, seen[name], _package(status, unpacked, version, at), at)
            case _:
                raise odd(fields)
    return seen


def _package(status: str, unpacked: str, version: str, at: datetime) -> Known[Package] | Absent | Unknown:
    """Read dpkg's status: what is wanted, whether it is broken, and the state."""
    words = matched(r"(unknown|install|hold|deinstall|purge) (ok|reinstreq) [a-z-]{1,40}", status, "a status").split()
    match words:
        case [want, "ok", "installed" | "triggers-pending" | "triggers-awaited"]:
            when = moment(unpacked) if unpacked else None
            return Known(Package(matched(DEB, version, "a version"), want == "hold", when), at)
        case [_, "ok", "not-installed" | "config-files"]:
            return Absent(at)
        case _:
            text = f"dpkg left it {words[2]}; `dpkg --configure -a` on the host may mend it"
            return Unknown(Reason.HOST_OUTPUT_INVALID, text, at)


def _merge(
    name: str, before: Known[Package] | Absent | Unknown, now: Known[Package] | Absent | Unknown, at: datetime
) -> Known[Package] | Absent | Unknown:
    """Take one package of several architectures for one, as long as they agree."""
    if isinstance(before, Absent) or before == now:
        return now
    if isinstance(now, Absent):
        return before
    return Unknown(Reason.HOST_OUTPUT_INVALID, f"{name} differs between architectures", at)
