"""Rpm packages as installed: version, lock, and when they were installed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, Known, Package, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.version import RPM
from reconciler.observers import Seen
from reconciler.observers._packages import asked
from reconciler.observers._text import END, HEAD, fields_of, matched, moment, odd
from reconciler.ports import Answer, Question

FIELD = "packages"
NAME = r"[A-Za-z0-9][A-Za-z0-9+._-]{0,200}"

# `rpm -qa` ends well when it finds nothing, and badly when it cannot read its database. A lock is name-epoch:version-
# release.* or epoch:name-version-release.*, and that of nova-api is none of nova.
SCRIPT = (
    HEAD
    + r"""
for name; do printf 'asked\t%s\n' "$name"; done
seen=$(rpm -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\n' -- "$@" 2>/dev/null) ||
  exit 3
locks=$(cat /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list 2>/dev/null | sed 's/^[0-9]*://')
[ -z "$seen" ] || printf '%s\n' "$seen" | while IFS="$(printf '\t')" read -r name version installed; do
  held=$(printf '%s\n' "$locks" | awk -v start="$name-" '
    index($0, start) == 1 && substr($0, length(start) + 1) ~ /^([0-9]+:)?[^-]+-[^-]+$/ { print "held"; exit }')
  printf 'package\t%s\t%s\t%s\t%s\n' "$name" "$version" "$installed" "${held:-free}"
done
"""
    + END
)


def questions(_host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for every package that a build of rpm packages names."""
    return asked("rpm_packages", SCRIPT, "rpm", services)


def subjects(question: Question) -> tuple[str, ...]:
    """Name the packages."""
    return question.args


def parse(answer: Answer, at: datetime) -> Seen:
    """Read packages: one that is not installed is Absent, one that is there twice is Unknown. Epoch 0 is left out."""
    seen: dict[str, Known[Package] | Absent | Unknown] = {}
    for fields in fields_of(answer):
        match fields:
            case ["asked", name]:
                seen[matched(NAME, name, "a package's name")] = Absent(at)
            case ["package", name, version, installed, "held" | "free" as lock] if name in seen:
                text = matched(RPM, version.removeprefix("0:"), "a version")
                now = Known(Package(text, lock == "held", moment(installed)), at)
                twice = Unknown(Reason.HOST_OUTPUT_INVALID, f"{name} is installed in several versions", at)
                seen[name] = now if isinstance(seen[name], Absent) or seen[name] == now else twice
            case _:
                raise odd(fields)
    return seen
