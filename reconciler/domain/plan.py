"""Plans: graphs of steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from reconciler.domain.procedure import Phase

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def digest_of(value: object) -> str:
    """Digest a JSON value: sha256 over its canonical text, 64 hex digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Undo:
    """How a step is taken back: a step of `kind` with `args` on the same host."""

    kind: str
    args: Mapping[str, Json]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, once per attempt. `id` matches ``[A-Za-z0-9._@+-]+`` and is stable over replanning.

    `hop` is "from>to" or empty; `host` is empty for what the daemon does itself; `wave` counts from 0, the canary.
    """

    id: str
    kind: str
    phase: Phase
    service: str
    title: str
    hop: str = ""
    host: str = ""
    wave: int | None = None
    args: Mapping[str, Json] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    undo: Undo | None = None
    timeout_s: float = 600.0
    repeatable: bool = False
    interruptible: bool = False
    point_of_no_return: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Why something may not go on until facts change."""

    reason: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoute:
    """The releases one service passes through in a plan; one element when only its build changes (a refresh)."""

    service: str
    start: str
    goal: str
    route: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one leg of one group will do. `inputs` is the digest of what made it; `id` names that digest.

    `checks_back` prove, after the leg was taken back, that each host runs what it ran before. `direction` is forward,
    or back when it undoes run `undoes`. `inherits` names the superseded run whose open leg it takes over.
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
