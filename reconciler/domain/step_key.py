"""What one attempt at a step is called, by the journal and by the hosts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepKey:
    """By what a host knows a step; each part matches ``[A-Za-z0-9._@+-]+`` or is a positive number."""

    run: str
    step: str
    attempt: int
