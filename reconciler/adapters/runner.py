"""What the runner on a host is told, and how its answer is read."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from math import ceil

from reconciler.adapters.script import quote, render_script, render_secrets
from reconciler.domain.desired import Host
from reconciler.domain.outcome import Exited
from reconciler.domain.step_key import StepKey
from reconciler.domain.text import clean_text
from reconciler.ports import Answer, Died, Fenced, HostStep, NeverStarted, Order, Question, Reverted, Running

RUNNER = files("reconciler.adapters").joinpath("runner.sh").read_text()
OUTPUT_LIMIT = 65536  # bytes of a step's output, as in runner.sh
VALUES_LIMIT = 16384  # bytes of a step's values, as in runner.sh
SHELL = "/bin/sh"

_CUT = 4096  # bytes

_PART = re.compile(r"(?!\.)[A-Za-z0-9._@+-]+")
_VALUE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_GREETING = b"reconciler 1"
_END = b"end of answer"


def command(host: Host, shell: str = SHELL) -> str:
    """Return the constant command line that reads a request from its input and carries it out."""
    return f"exec {'sudo -n -- ' if host.login.become == 'sudo' else ''}{shell} -s"


def start(host: Host, order: Order, *, stay: bool = True) -> str:
    """Tell the runner to start a step or to attach to it, and to `stay` for its end."""
    words = [host.state_dir, path(order.key), str(order.epoch), "stay" if stay else "leave"]
    words += [render_script(order.script), render_secrets(order.secrets)]
    if guard := order.guard:
        words += [render_script(guard.revert), str(ceil(guard.limit_s)), str(ceil(guard.within_s))]
    return f"start {quote(words)}"


def disarm(host: Host, key: StepKey, epoch: int) -> str:
    """Tell the runner to say how a guarded step stands, and that its guard is done with when it has ended."""
    return f"disarm {quote([host.state_dir, path(key), str(epoch)])}"


def ask(host: Host, keys: Sequence[StepKey]) -> str:
    """Tell the runner to say how steps stand; the answer counts them from 0."""
    return f"ask {quote([host.state_dir, *map(path, keys)])}"


def watch(host: Host, key: StepKey) -> str:
    """Tell the runner to say when a step has ended."""
    return f"watch {quote([host.state_dir, path(key)])}"


def forget(host: Host, runs: Sequence[str]) -> str:
    """Tell the runner to remove the ended steps of runs."""
    return f"forget {quote([host.state_dir, *map(_part, runs)])}"


def look(questions: Sequence[Question], seconds: int, limit: int) -> str:
    """Tell the runner to ask questions, each at most `seconds` long and its answer at most `limit` bytes."""
    return "\n".join(
        f"question {quote([str(number), str(seconds), str(limit), question.script, *question.args])}"
        for number, question in enumerate(questions)
    )


def request(orders: str, shell: str = SHELL, *, stays: bool = False) -> bytes:
    """Put the runner before its orders, and braces around both; where the shell stays, they are for a child of it.

    A shell carries out a compound command when it has read all of it: a request that arrived only partly is a syntax
    error, and nothing of it is done.
    """
    begin, end = "()" if stays else "{}"
    return f"{begin}\nshell={quote([shell])}\n{RUNNER}{orders}\nfinish\n{end}\n".encode()


def path(key: StepKey) -> str:
    """Return a step's folder below `steps`; raises ValueError for a key that is no path of three plain names."""
    if key.attempt < 1:
        raise ValueError(f"attempts are counted from 1: {key}")
    return f"{_part(key.run)}/{_part(key.step)}/{key.attempt}"


def _part(part: str) -> str:
    if not _PART.fullmatch(part):
        raise ValueError(f"not a plain name: {part!r}")
    return part


@dataclass(slots=True)
class Reply:
    """A runner's answer, read as it comes in; what stands before its greeting (banners, a chatty profile) is ignored.

    `broken` says why an answer cannot be read; `refused` why the runner did nothing.
    """

    steps: dict[int, HostStep] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    greeted: bool = False
    ended: bool = False
    refused: str = ""
    broken: str = ""
    _rest: bytes = b""
    _data: bytearray = field(default_factory=bytearray)
    _values: dict[str, str] = field(default_factory=dict)

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if self.ended or self.broken:
                return
            if not self.greeted:
                self.greeted = line == _GREETING
                continue
            try:
                self._line(line)
            except (ValueError, LookupError):
                self.broken = f"cannot read the line {clean_text(line, 80)!r}"

    def _line(self, line: bytes) -> None:
        if b" " not in line:
            self._data += line
            return
        head, _, rest = line.partition(b" ")
        if head == b"value":
            self._value(rest)
        elif head == b"refused":
            self.refused = clean_text(rest, 400)
        elif line == _END:
            self.ended = True
        else:
            self._state(int(head), rest.decode("ascii").split(" "))

    def _value(self, raw: bytes) -> None:
        name, equals, value = clean_text(raw, VALUES_LIMIT).partition("=")
        if equals and _VALUE_NAME.fullmatch(name):
            self._values[name] = value

    def _state(self, number: int, words: list[str]) -> None:
        output, self._data = b64decode(bytes(self._data), validate=True), bytearray()
        values, self._values = self._values, {}
        match words:
            case ["answered", code]:
                self.answers[number] = Answer(int(code), output)
            case ["exited", code]:
                self.steps[number] = Exited(int(code), clean_text(_whole(output), OUTPUT_LIMIT), values)
            case ["reverted", code]:
                self.steps[number] = Reverted(int(code), clean_text(_whole(output), OUTPUT_LIMIT))
            case ["fenced", epoch]:
                self.steps[number] = Fenced(int(epoch))
            case [word]:
                self.steps[number] = _STATES[word]
            case _:
                raise ValueError(words)


def _whole(output: bytes) -> bytes:
    """Begin a capped output with a whole line, if one begins soon: half a secret would not be known as one."""
    if len(output) < OUTPUT_LIMIT:
        return output
    end = output.find(b"\n", 0, _CUT)
    return output[end + 1 if end >= 0 else _CUT :]


_STATES: Mapping[str, HostStep] = {
    "running": Running(),
    "never": NeverStarted(),
    "died": Died(rebooted=False),
    "rebooted": Died(rebooted=True),
}
