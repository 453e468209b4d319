"""Keeps a defect of the product to the group, host or database in which it shows: others go on, and it is told."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import TypeVar

from reconciler.domain.observation import Observed, Unknown
from reconciler.domain.plan import Block
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.text import one_line
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import ruling
from reconciler.ports import Clock

T = TypeVar("T")

FRAMES = 4
"""How many of the innermost calls are told."""

MAX_TOLD = 500
"""Characters of what an error says."""


async def seen(look: Awaitable[Observed[T]], clock: Clock) -> Observed[T]:
    """Look; where that fails nobody can tell, of this one, and all others are seen."""
    try:
        return await look
    except Exception as error:  # noqa: BLE001 - whatever it is, one answer must not blind the daemon to the fleet
        return Unknown(str(Reason.DEFECT), told(error), clock.now())


def placed(service: str, place: Callable[[], Position]) -> Position:
    """Place a service; where that fails it stands nowhere, and that blocks it."""
    try:
        return place()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the watch over all other services
        block = Block(str(Reason.DEFECT), told(error), hint_of(Reason.DEFECT))
        return Position(service=service, release="", databases=(), hosts=(), blocks=(block,))


def judged(group: str, judge: Callable[[], Decision]) -> Decision:
    """Judge a group; where that fails nothing of it is begun."""
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the watch over all other groups
        return ruling(group, State.BLOCKED, Reason.DEFECT, told(error))


def told(error: Exception) -> str:
    """Say in one line what failed, and where in the product, the innermost call first."""
    frames = reversed(traceback.extract_tb(error.__traceback__, limit=-FRAMES))
    where = " < ".join(f"{PurePath(each.filename).name}:{each.lineno} {each.name}" for each in frames)
    return f"{one_line(f'{type(error).__name__}: {error}', MAX_TOLD)} ({where})"
