"""Configuration files: whether they still are what was written, compared on the host."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, ConfigState, Known
from reconciler.observers import ParseError, Seen
from reconciler.observers._text import END, HEAD, fields_of, matched, moment, odd
from reconciler.ports import Answer, Question

FIELD = "configs"
NAME = r"[A-Za-z0-9._@+-]{1,200}"

# The stamp is that of the step kind config_files. A file that we may not read is not a changed one.
SCRIPT = (
    HEAD
    + r"""
stamp=$1
printf 'service\t%s\n' "$2"
if [ -f "$stamp" ]; then
  printf 'written\t%s\n' "$(stat -c %Y -- "$stamp")"
  while read -r word text path; do
    case $word in
    run) ;;
    digest) printf 'digest\t%s\n' "$text" ;;
    file)
      if [ ! -f "$path" ]; then
        echo changed
      elif [ "$(sha256sum <"$path" | cut -c 1-64)" = "$text" ]; then
        printf 'same\t%s\n' "$(stat -c %Y -- "$path")"
      elif [ -r "$path" ]; then
        echo changed
      else
        exit 3
      fi ;;
    *) exit 3 ;;
    esac
  done <"$stamp"
elif [ ! -x "$(dirname -- "$stamp")" ] && [ -d "$(dirname -- "$stamp")" ]; then
  exit 3
fi
"""
    + END
)


def questions(host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for every service that has configuration."""
    names = sorted(service.name for service in services if service.config)
    stamps = f"{host.state_dir}/config"
    return tuple(Question(f"config_digest:{name}", SCRIPT, (f"{stamps}/{name}", name)) for name in names)


def subjects(question: Question) -> tuple[str, ...]:
    """Name the service."""
    return question.args[1:]


def parse(answer: Answer, at: datetime) -> Seen:
    """Read one service's state; Absent when we never wrote its files."""
    match fields_of(answer):
        case [["service", name]]:
            return {matched(NAME, name, "a service's name"): Absent(at)}
        case [["service", name], ["written", written], ["digest", digest], *files]:
            stamped = matched(r"[0-9a-f]{1,128}", digest, "a digest")
            times = [_file(fields) for fields in files]
            known = [time for time in times if time is not None]
            whole = len(known) == len(times)
            return {name: Known(ConfigState(stamped if whole else None, max(known, default=moment(written))), at)}
        case lines if lines:
            raise odd(lines[-1])
        case _:
            raise ParseError("the answer is empty")


def _file(fields: list[str]) -> datetime | None:
    match fields:
        case ["same", written]:
            return moment(written)
        case ["changed"]:
            return None
    raise odd(fields)
