"""The forms of all actions' arguments, own words and direct step kinds, for whoever reads procedures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from pydantic import Field

from reconciler.domain.action import ActionForm
from reconciler.planning.actions import ACTIONS
from reconciler.planning.direct import form_of
from reconciler.steps import Args, command, direct_kinds


class Nothing(Args):
    """No arguments."""


class Schema(Args):
    """Which of the release's schema commands."""

    mode: Literal["sync", "expand", "migrate", "contract"] = "sync"


class Load(Args):
    """Which database of the service; by default all that were backed up."""

    database: str = Field(default="", min_length=1)


class Backfill(Args):
    """With which release's code: that of the hop's goal, or of where it starts."""

    code: Literal["goal", "start"] = "goal"


class UpgradeCheck(Args):
    """Of which builds: those whose code is prepared before the pause, or those whose packages were just installed."""

    code: Literal["prepared", "installed"] = "prepared"


class Units(Args):
    """Which units; by default all of the service."""

    units: tuple[str, ...] = Field(default=(), min_length=1)


class Command(command.Model):
    """A command, and the argv that takes it back."""

    back: tuple[str, ...] = Field(default=(), min_length=1)


OWN: Mapping[str, ActionForm] = {
    "schema": ActionForm(model=Schema),
    "load": ActionForm(model=Load),
    "unload": ActionForm(model=Load),
    "row_gates": ActionForm(model=Nothing, where="daemon"),
    "backfill": ActionForm(model=Backfill),
    "upgrade_check": ActionForm(model=UpgradeCheck),
    "stop": ActionForm(model=Units),
    "start": ActionForm(model=Units),
    "restart": ActionForm(model=Units),
    "seal": ActionForm(model=Nothing, where="daemon"),
    "smoke": ActionForm(model=Nothing, where="daemon"),
    "command": ActionForm(model=Command),
    "wait_until": form_of(direct_kinds()["wait_until"]),
}


@cache
def action_forms() -> Mapping[str, ActionForm]:
    """Return every action's form by its word: own words first, which win over step kinds of the same name."""
    own = {word: OWN.get(word, ActionForm(model=Nothing)) for word in ACTIONS}
    return {
        **own,
        **{name: form_of(kind) for name, kind in direct_kinds().items() if name not in own},
    }
