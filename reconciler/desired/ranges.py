"""Ranges in names: `compute-[01-40]` stands for forty hosts."""

from __future__ import annotations

import re

RANGE = re.compile(r"\[([0-9]{1,6})-([0-9]{1,6})\]")
MAX_HOSTS = 10_000


def expand(pattern: str) -> tuple[str, ...]:
    """Write out the range of a pattern, or return the pattern alone; leading zeros give the width.

    Raises:
        ValueError: there are two ranges, a bracket that is none, or the range is empty or too long.
    """
    found = RANGE.search(pattern)
    rest = pattern[: found.start()] + pattern[found.end() :] if found else pattern
    if "[" in rest or "]" in rest:
        raise ValueError("may hold one range like [01-40] and no other brackets")
    if not found:
        return (pattern,)
    low, high = found.group(1), found.group(2)
    numbers = range(int(low), int(high) + 1)
    if not 0 < len(numbers) <= MAX_HOSTS:
        raise ValueError(f"has a range of {max(len(numbers), 0)} numbers; 1 to {MAX_HOSTS} are possible")
    width = len(low) if low.startswith("0") else 0
    return tuple(f"{pattern[: found.start()]}{number:0{width}}{pattern[found.end() :]}" for number in numbers)
