"""Plans: graphs of steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

from reconciler.domain.procedure import CutsLink, Phase

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def digest_of(value: object) -> str:
    """Digest JSON values, dataclasses and sets: sha256 over their canonical text, 64 hex digits."""
    return sha256(_CANONICAL.encode(value).encode()).hexdigest()


def digest_of_all(values: Iterable[object]) -> str:
    """Digest many values without holding the text of all of them at once."""
    digest = sha256()
    for value in values:
        digest.update(_CANONICAL.encode(value).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _content(value: object) -> object:
    """Render what JSON does not know; a dataclass as its values, in the order of its fields."""
    kind: Any = type(value)
    values = _values(kind)
    if values is not None:
        return values(value)
    return sorted(value, key=str) if isinstance(value, frozenset | set) else str(value)


@cache
def _values(kind: type[Any]) -> Callable[[object], object] | None:
    """Return what takes the values out of a dataclass; plans have a hundred thousand of them."""
    names = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    return attrgetter(*names) if names else None


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_content)


@dataclass(frozen=True, slots=True)
class Undo:
    """How a step is taken back: a step of `kind` with `args` on the same host, after those of `also`."""

    kind: str
    args: Mapping[str, Json]
    title: str
    also: tuple[Undo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, once per attempt. `id` matches ``[A-Za-z0-9._@+-]+`` and is stable over replanning.

    `hop` is "from>to" or empty; `host` is empty for what the daemon does itself; `wave` counts from 0, the canary.
    `leads` is the role that its host is the canary of, where a service goes over several.
    `name` is what `{value:NAME.KEY}` in the arguments of others refers to; what is `advisory` only advises: its
    failure is told and stops nothing.
    """

    id: str
    kind: str
    phase: Phase
    service: str
    title: str
    hop: str = ""
    host: str = ""
    wave: int | None = None
    leads: str = ""
    args: Mapping[str, Json] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    undo: Undo | None = None
    timeout_s: float = 600.0
    repeatable: bool = False
    interruptible: bool = False
    point_of_no_return: bool = False
    name: str = ""
    advisory: bool = False
    cuts_link: CutsLink | None = None

    @property
    def of_canary(self) -> bool:
        """Tell whether it is done on a canary, so that others of its role wait for what becomes of it."""
        return self.phase is Phase.ROLL and (self.wave == 0 or bool(self.leads))


@dataclass(frozen=True, slots=True)
class Block:
    """Why something may not go on until facts change; `gate` names the gate that says so, where one does."""

    reason: str
    text: str
    hint: str = ""
    gate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A leg of another group that comes first, and the rule that says so; `others` tells that they move it."""

    group: str
    leg: int
    rule: str
    text: str
    others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoute:
    """The releases one service passes through in a plan; one element when only its build changes (a refresh).

    In a replacement `onto` are the hosts of the deployment that becomes live, and `off` those of the one before.
    """

    service: str
    start: str
    goal: str
    route: tuple[str, ...]
    onto: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one leg of one group will do. `inputs` is the digest of what made it; `id` names that digest.

    `checks_back` prove, after the leg was taken back, that each host runs what it ran before. `direction` is forward,
    or back when it undoes run `undoes`. `inherits` names the superseded run whose open leg it takes over.
    `waits_for` are legs of other groups that must have ended; they are no part of what the plan does, nor of its id.
    """

    id: str
    group: str
    inputs: str
    services: tuple[ServiceRoute, ...]
    steps: tuple[Step, ...] = ()
    blocked: tuple[Block, ...] = ()
    checks_back: tuple[Step, ...] = ()
    direction: str = "forward"
    undoes: str = ""
    inherits: str = ""
    waits_for: tuple[Wait, ...] = ()

    @property
    def hops(self) -> bool:
        """Tell whether a service gets on to another release; a refresh does not."""
        return any(len(each.route) > 1 for each in self.services)
