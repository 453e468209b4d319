"""One file per step kind: renders effects and judges results; pure. The folder is the registry."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Literal, Protocol, cast

from pydantic import BaseModel, ConfigDict

from reconciler.domain.comparison import Comparison
from reconciler.domain.effect import Ask, Effect
from reconciler.domain.observation import HostReport, Observed
from reconciler.domain.outcome import Exited, Outcome, Sample
from reconciler.domain.plan import Undo
from reconciler.domain.row_probe import Rows
from reconciler.domain.schema import SchemaMarker


@dataclass(frozen=True, slots=True)
class Timed:
    """A sample and the seconds that had passed since the first question of its probe when it came."""

    elapsed_s: float
    sample: Sample


Answered = (
    Observed[SchemaMarker]
    | Observed[Comparison]
    | Observed[str]
    | Observed[Rows]
    | Observed[HostReport]
    | Observed[tuple[str, ...]]
    | tuple[Timed, ...]
    | tuple[tuple[Timed, ...], ...]
)


class Args(BaseModel):
    """The arguments of a step kind, as they stand in a pinned plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when a step is judged: how it exited on its host, what the daemon's own act met, and its proofs."""

    exited: Exited | None = None
    acted: Sample | None = None
    answers: Mapping[Ask, Answered] = field(default_factory=dict)


class StepKind(Protocol):
    """What a module of this room offers. `TIMEOUT_S` is the default; a repeatable step may run twice unharmed.

    It may also have `proved(args) -> tuple[str, ...]`: what proves it, in words. Else its questions are named.
    """

    KIND: str
    TIMEOUT_S: float
    REPEATABLE: bool
    INTERRUPTIBLE: bool
    Model: type[Args]

    def effect(self, args: Args) -> Effect | None:
        """Render what is to be done; None when looking is all (then `proofs` are asked)."""
        ...

    def proofs(self, args: Args) -> tuple[Ask, ...]:
        """Name the questions whose answers prove that it was done, asked after the effect ended well."""
        ...

    def judge(self, args: Args, evidence: Evidence) -> Outcome:
        """Say how it ended."""
        ...

    def shows(self, args: Args) -> tuple[str, ...]:
        """Say what exactly will run, as a person would type it, one line each; secrets as `{secret:NAME}`."""
        ...


Where = Literal["host", "daemon", "person"]
"""Where a direct kind may stand: on a host, asked from the daemon's machine, or a person's work."""


class DirectKind(StepKind, Protocol):
    """A kind that procedures name as an action, with the fields of its Model as arguments.

    It may also have `no_return(args) -> bool`: whether nothing leads back over it; else something does. `PROBES`:
    the arguments that may be the name of a probe. `Form`: what procedures write, where the planner makes more of it.
    """

    WHERE: Where

    def title(self, args: Args) -> str:
        """Say in the imperative, and briefly, what it does."""
        ...

    def undo(self, args: Args) -> Undo | None:
        """Return the step that takes it back on the same host; None when nothing is left to take back."""
        ...


@cache
def kinds() -> Mapping[str, StepKind]:
    """Return every step kind by name, sorted."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    return {name: cast("StepKind", import_module(f"{__name__}.{name}")) for name in names}


@cache
def direct_kinds() -> Mapping[str, DirectKind]:
    """Return the kinds that a procedure may name as an action, by name, sorted: those that have a title."""
    return {name: cast("DirectKind", kind) for name, kind in kinds().items() if hasattr(kind, "title")}
