"""How plans speak of many hosts and of time."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.planning.pause import Pause

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
FEW = 6
"""So many names are read at a glance; of more the first and the count are told."""


def few(names: Sequence[str], most: int = FEW) -> str:
    """List names, or the first of them and how many there are."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more ({len(names)})"


def on(hosts: Sequence[str]) -> str:
    """Say where, with a space before it; nothing for what the daemon does."""
    return f" on {few(hosts)}" if hosts else ""


def lasting(seconds: float) -> str:
    """Say how long something takes: 850 ms are 1 s, 3700 s are 1 h 2 min, 100 hours are 4 d 4 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{max(whole, 1)} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def sized(count: int) -> str:
    """Say how many bytes: 2048 are 2 KiB."""
    power = min((count.bit_length() - 1) // 10, len(UNITS) - 1) if count else 0
    return f"{count / (1 << 10 * power):.3g} {UNITS[power]}" if power else f"{count} B"


def pause_text(pause: Pause) -> str:
    """Say how long a pause lasts as far as anybody can tell, and by which chain of steps."""
    path = f"critical path of {len(pause.chain)} steps"
    beside = f"; {pause.beside} more, beside it, were not measured either" if pause.beside else ""
    if not pause.measured:
        return f"not measured yet; {path}"
    if not pause.unmeasured:
        return f"about {lasting(pause.seconds)}; {path}{beside.replace(' either', '')}"
    names = few([f"{step.title}{on([step.host] if step.host else [])}" for step in pause.unmeasured], 3)
    return f"at least {lasting(pause.seconds)}, and what was not measured yet: {names}; {path}{beside}"
