"""How a step kind undoes itself: by the same kind, with other arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reconciler.domain.plan import Undo
from reconciler.steps import Args

Model = TypeVar("Model", bound=Args)


def by_itself(kind: str, args: Model, title: Callable[[Model], str], **changed: object) -> Undo:
    """Make the undo of a step by its own kind: the arguments with some changed, and the title that these give."""
    back = args.model_copy(update=changed)
    return Undo(kind, back.model_dump(mode="json"), title(back))
