"""What an action of a procedure takes: the form of its arguments, and where it may stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionForm:
    """The form of an action's arguments.

    `given` are the arguments that the planner fills in, each with a value that fits. `where` says what it needs: host
    (it runs there), daemon (nothing) or person. `secrets` tells whether its texts may hold `{secret:NAME}`.
    `probes` are the arguments that may be the name of a probe.
    """

    model: type[BaseModel]
    given: Mapping[str, object] = field(default_factory=dict)
    where: str = "host"
    secrets: bool = False
    probes: frozenset[str] = frozenset()
