"""Gives an account of a step to people: where it is done, what exactly runs, what proves it, how it is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from reconciler.domain.dburl import shown_url
from reconciler.domain.effect import Ask, AskFingerprint, AskHost, AskHttp, AskMarker, HostScript
from reconciler.domain.plan import Json, Step
from reconciler.steps import Args, StepKind, kinds

LATER = "what runs depends on values that earlier steps leave"
"""Said of a step whose arguments cannot be read yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a person wants to know of a step. `where` is host, daemon or person.

    `runs` and `undo_runs` are lines as a person would type them; `undone_by` is empty for what leaves nothing behind.
    """

    where: str
    runs: tuple[str, ...]
    proved_by: tuple[str, ...]
    undone_by: str = ""
    undo_runs: tuple[str, ...] = ()


def account_of(step: Step) -> Account:
    """Give an account of one step."""
    kind = kinds().get(step.kind)
    undo = step.undo
    back = _read(kinds().get(undo.kind), undo.args) if undo is not None else None
    common = {"undone_by": undo.title if undo else "", "undo_runs": back[0].shows(back[1]) if back else ()}
    found = _read(kind, step.args)
    if found is None:
        where = "host" if step.host else "daemon"
        return Account(where=where, runs=(LATER,), proved_by=(), **common)
    _, args = found
'''
