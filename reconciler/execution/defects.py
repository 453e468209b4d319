"""Keeps a defect of the product to the group in which it shows: others go on, and it is told like any block."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import PurePath

from reconciler.domain.plan import Block
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.text import one_line
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import ruling

FRAMES = 4
"""How many of the innermost calls are told."""

MAX_TOLD = 500
"""Characters of what an error says."""


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
