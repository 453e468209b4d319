"""One read-only question asked on a host: a command, a TCP port, a URL, a unit's state or a ping.

Whoever asks again and again shares the question and its script.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from pydantic import Field, model_validator

from reconciler.steps import Args
from reconciler.steps._show import typed

# ask HOW TARGET EXPECT SECONDS PATTERN [ARGV...]: asks once and sets `said`, what was answered, on one line; fails when
# that is not what was expected. A command that hangs is killed: what only asks may be.
ASK = r"""
newline='
'
bounded() { if command -v timeout >/dev/null; then timeout -s KILL "$limit" "$@"; else "$@"; fi; }
ask() {
  how=$1 target=$2 expect=$3 limit=$4 pattern=$5
  shift 5
  said=$({ answer "$@" </dev/null 2>&1 && code=0 || code=$?; printf '\n%s' "$code"; } | tail -c 65536 | tr -d '\000')
  code=${said##*"$newline"} said=${said%"$newline"*}
  said=${said%"$newline"}
  as_expected=no
  case $how in
  command) case " $expect " in *" $code "*) as_expected=yes ;; esac ;;
  tcp | ping) [ "$code" != 0 ] || as_expected=yes ;;
  http | unit) [ "$said" != "$expect" ] || as_expected=yes ;;
  esac
  [ -z "$pattern" ] || printf '%s\n' "$said" | grep -Eq -e "$pattern" || as_expected=no
  said=$(printf '%s' "${said:-nothing}" | tail -n 3 | tr '\000-\037' ' ' | cut -c 1-300)
  case $how in command) said="exit code $code: $said" ;; esac
  [ "$as_expected" = yes ]
}
answer() {
  case $how in
  command) bounded "$@" ;;
  tcp) connect "${target%:*}" "${target##*:}" && echo connected ;;
  http) request ;;
  unit) systemctl show -p ActiveState -- "$target" | sed -n 's/^ActiveState=//p' ;;
  ping) bounded ping -c 1 -W "$limit" "$target" ;;
  esac
}
connect() {
  if command -v bash >/dev/null; then
    bounded bash -c 'exec 3<>"/dev/tcp/$1/$2"' connect "$@"
  else
    bounded python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2]))).close()' "$@"
  fi
}
request() {
  if command -v curl >/dev/null; then
    bounded curl -s -o /dev/null -w '%{http_code}' "$target" || :
  else
    bounded python3 -c 'import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as error:
    print(error.code)' "$target"
  fi
}
"""


class Question(Args):
    """Exactly one of `argv`, `tcp` (HOST:PORT), `url`, `unit` and `ping` (an address), and what a good answer is.

    `ok` are the good exit codes of `argv`, `output` an extended regular expression for one line of what it says,
    `status` the good one of `url`, `state` that of `unit`. Nothing that is asked may change anything.
    """

    argv: tuple[str, ...] = ()
    ok: tuple[int, ...] = Field(default=(0,), min_length=1)
    output: str = ""
    tcp: str = Field(default="", pattern=r"^([A-Za-z0-9.:_-]+:[0-9]{1,5})?$")
    url: str = Field(default="", pattern=r"^(https?://[^\s\x00-\x1f]+)?$")
    status: int = Field(default=200, ge=100, le=599)
    unit: str = Field(default="", pattern=r"^([^-\s][^\s]*)?$")
    state: str = "active"
    ping: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9.:-]*)?$")
    timeout_s: int = Field(default=10, ge=1, le=3600)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, self.asked)) != 1:
            raise ValueError("exactly one of argv, tcp, url, unit and ping is asked")
        return self

    @property
    def asked(self) -> tuple[object, ...]:
        """Return all that may be asked; one of them is not empty."""
        return self.argv, self.tcp, self.url, self.unit, self.ping


def one_of(question: Question, probe: str, beside: Collection[str]) -> None:
    """Raise ValueError unless either a question or a probe is named, and with a probe nothing but what is `beside`."""
    if sum(map(bool, (*question.asked, probe))) != 1:
        raise ValueError("must ask exactly one of probe, argv, tcp, url, unit and ping")
    more = sorted(question.model_fields_set - {"probe", *beside})
    if probe and more:
        raise ValueError(f"must leave out {', '.join(more)}: the probe says itself how it is asked")


def words(question: Question) -> tuple[str, ...]:
    """Render a question as the arguments of `ask`."""
    how, target, expect = _how(question)
    return how, target, expect, str(question.timeout_s), question.output, *question.argv


def _how(question: Question) -> tuple[str, str, str]:
    if question.tcp:
        return "tcp", question.tcp, ""
    if question.url:
        return "http", question.url, str(question.status)
    if question.unit:
        return "unit", question.unit, question.state
    if question.ping:
        return "ping", question.ping, ""
    return "command", "", " ".join(map(str, question.ok))


def asked(question: Question, note: str) -> str:
    """Show a question as a person would type it, with a note behind it."""
    how, target, expect = _how(question)
    host, _, port = target.rpartition(":")
    matching = f" | {typed(('grep', '-E', question.output))}" if question.output else ""
    line = {
        "tcp": typed(("nc", "-z", host, port)),
        "http": typed(("curl", "-s", target)),
        "unit": typed(("systemctl", "is-active", target)),
        "ping": typed(("ping", "-c", "1", target)),
    }.get(how, typed(question.argv))
    return f"{line}{matching}  # {f'{expect} expected, ' if how in {'http', 'unit'} else ''}{note}"


def briefly(question: Question) -> str:
    """Name a question in a few words."""
    how, target, expect = _how(question)
    return {
        "tcp": f"{target} accepts connections",
        "http": f"{target} answers {expect}",
        "unit": f"{target} is {expect}",
        "ping": f"{target} answers pings",
    }.get(how, f"{' '.join(question.argv)[:60]} is good")
