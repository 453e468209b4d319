"""Python virtual environments behind their links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, Environment, Known
from reconciler.observers import ParseError, Seen
from reconciler.observers._text import END, HEAD, fields_of, matched, moment, odd
from reconciler.ports import Answer, Question

FIELD = "environments"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}"
VERSION = r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,200}"  # PEP 440, loosely
PATH = r"[^\t\n]{1,4000}"

# A rename sets the change time of the link: whatever was moved there, then it came. The names and versions stand in
# the head of METADATA, before the first empty line; names are equal as PEP 503 says.
SCRIPT = (
    HEAD
    + r"""
link=$1
shift
printf 'link\t%s\n' "$link"
if [ -L "$link" ]; then
  printf 'path\t%s\n' "$(readlink -- "$link")"
  printf 'switched\t%s\n' "$(stat -c %Z -- "$link")"
  [ ! -f "$link/.reconciler-complete" ] || printf 'made\t%s\n' "$(cat "$link/.reconciler-complete")"
  asked=$*
  export asked
  set -- "$link"/lib/python*/site-packages/*.dist-info/METADATA
  [ ! -e "$1" ] || awk '
    function same(name) { name = tolower(name); gsub(/[-_.]+/, "-", name); return name }
    BEGIN { for (i = split(ENVIRON["asked"], names, " "); i > 0; i--) wanted[same(names[i])] = names[i] }
    { sub(/\r$/, "") }
    FNR == 1 { head = 1; name = "" }
    $0 == "" { head = 0 }
    head && /^Name: / { name = same(substr($0, 7)) }
    head && /^Version: / && name in wanted { print "dist\t" wanted[name] "\t" substr($0, 10); head = 0 }
  ' "$@"
elif [ -e "$link" ]; then
  echo 'odd'
fi
"""
    + END
)


def questions(_host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for every link that a build names, and for the distributions that its requirements name."""
    asked: dict[str, set[str]] = {}
    for build in (build for service in services for build in service.builds.values() if build.form == "environment"):
        asked.setdefault(build.link, set()).update(_names(build.requirements))
    return tuple(Question(f"environments:{link}", SCRIPT, (link, *sorted(asked[link]))) for link in sorted(asked))


def subjects(question: Question) -> tuple[str, ...]:
    """Name the link."""
    return question.args[:1]


def parse(answer: Answer, at: datetime) -> Seen:
    """Read one link: no link is Absent, something else in its place cannot be read."""
    match fields_of(answer):
        case [["link", link]]:
            return {matched(PATH, link, "a link"): Absent(at)}
        case [["link", link], ["path", path], ["switched", switched], *rest]:
            made = rest.pop(0) if rest and rest[0][0] == "made" else None
            return {link: Known(_environment(path, switched, made, rest), at)}
        case [["link", link], ["odd"]]:
            raise ParseError(f"{link} is not a link")
        case lines:
            raise odd(lines[0] if lines else [])


def _environment(path: str, switched: str, made: list[str] | None, rest: list[list[str]]) -> Environment:
    digest = None if made is None else matched(r"made [0-9a-f]{64}", " ".join(made), "the marker")[5:]
    versions: dict[str, str] = {}
    for fields in rest:
        match fields:
            case ["dist", name, version] if name not in versions:
                versions[matched(NAME, name, "a distribution's name")] = matched(VERSION, version, "a version")
            case _:
                raise odd(fields)
    return Environment(matched(PATH, path, "a path"), moment(switched), versions, digest)


def _names(requirements: Iterable[str]) -> Iterable[str]:
    """Take the names out of lines of a requirements file; options and paths have none."""
    heads = (re.match(rf"({NAME})\s*(\[[^\]]*\])?\s*([=<>!~;@ ]|$)", line) for line in requirements)
    return (head[1] for head in heads if head)
