"""Gives an account of a step to people: where it is done, what exactly runs, what proves it, how it is taken back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from reconciler.domain.effect import (
    Ask,
    AskDns,
    AskFingerprint,
    AskHost,
    AskHttp,
    AskMarker,
    AskProbe,
    AskRows,
    AskSoak,
    AskStructure,
    HostScript,
)
from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import CutsLink
from reconciler.steps import Args, StepKind, kinds

LATER = "(what runs depends on values that earlier steps leave)"
"""Shown of a step whose arguments are not complete yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a person wants to know of a step. `where` is host, daemon (which asks from its own machine) or person.

    `runs` and `undo_runs` are lines as a person would type them; `undone_by` is empty for what leaves nothing behind.
    """

    where: str
    runs: tuple[str, ...]
    proved_by: tuple[str, ...]
    undone_by: str = ""
    undo_runs: tuple[str, ...] = ()


def account_of(step: Step) -> Account:
    """Give an account of one step."""
    undos = () if step.undo is None else (*step.undo.also, step.undo)
    undone_by = "; ".join(filter(None, (", then ".join(undo.title for undo in undos), _guard_back(step))))
    undo_runs = tuple(line for undo in undos for line in _runs(undo.kind, undo.args))
    kind, args = _read(step.kind, step.args)
    if kind is None or args is None:
        where = "host" if step.host else "daemon"
        return Account(where=where, runs=(LATER,), proved_by=(), undone_by=undone_by, undo_runs=undo_runs)
    return Account(
        where=_where(kind, args),
        runs=kind.shows(args),
        proved_by=(*_proofs(kind, args), *_guard(step)),
        undone_by=undone_by,
        undo_runs=undo_runs,
    )


def _read(name: str, args: Mapping[str, Json]) -> tuple[StepKind | None, Args | None]:
    """Read a step's arguments; None for a kind of another version of ours, and for values that are still to come."""
    kind = kinds().get(name)
    try:
        return kind, kind.Model.model_validate(args) if kind is not None else None
    except ValidationError:
        return kind, None


def _runs(name: str, args: Mapping[str, Json]) -> tuple[str, ...]:
    kind, read = _read(name, args)
    return (LATER,) if kind is None or read is None else kind.shows(read)


def _where(kind: StepKind, args: Args) -> str:
    if getattr(kind, "WHERE", "") == "person":
        return "person"
    return "host" if isinstance(kind.effect(args), HostScript) else "daemon"


def _proofs(kind: StepKind, args: Args) -> tuple[str, ...]:
    """Let the kind say what proves it, else name its questions, else the exit code is all."""
    proved = getattr(kind, "proved", None)
    if proved is not None:
        said: tuple[str, ...] = proved(args)
        return said
    return tuple(_words(ask) for ask in kind.proofs(args)) or ("exit code 0",)


def _guard(step: Step) -> tuple[str, ...]:
    """Say what happens when a step has cut its host off."""
    if step.cuts_link is None:
        return ()
    return (_guarded(step.host, step.cuts_link),)


def _guard_back(step: Step) -> str:
    """Say the same of what takes the step back."""
    if step.cuts_link is None or step.undo is None:
        return ""
    return _guarded(step.host, step.cuts_link.undone(done=True))


def _guarded(host: str, guard: CutsLink) -> str:
    revert = " ".join(map(shlex.quote, guard.revert))
    return f"{host} takes a new connection within {guard.within_s:g} s, else it runs by itself: {revert}"


def _words(ask: Ask) -> str:
    """Name a question whose kind does not say itself what its answer proves."""
    match ask:
        case AskHttp(probe=probe):
            return f"{probe.method} {probe.url} answers {probe.status}"
        case AskSoak(asks=asks):
            return f"{len(asks)} probes are good side by side"
        case AskProbe(probe=probe):
            return f"probe {probe.name} is good"
        case AskHost(host=host, service=service):
            return f"what {host} itself says of {service}"
        case AskDns(records=records):
            return f"what the name server answers for {records}"
    return f"{_OF_DATABASES[type(ask)]} {ask.database.name}"


_OF_DATABASES: Mapping[type[Ask], str] = {
    AskMarker: "the schema version, read by SQL, of",
    AskFingerprint: "a fingerprint over all rows of",
    AskRows: "no row in the way, asked by SQL of",
    AskStructure: "what differs in tables, columns and keys of",
}
