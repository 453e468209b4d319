"""What a merge would do: the plans of two desired states side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.cli.outline import label, way
from reconciler.cli.output import say
from reconciler.cli.words import few, on
from reconciler.domain.plan import Plan, Step
from reconciler.planning.merge import Change, Fate, hosts_of

STYLES = {Fate.APPEARS: "green", Fate.VANISHES: "yellow", Fate.CHANGES: "cyan"}


def show_changes(found: Sequence[Change]) -> None:
    """Write what differs, plan by plan."""
    if not found:
        say("no difference: the same plans, byte for byte")
    for each in found:
        leg = f", leg {each.leg}" if each.leg > 1 else ""
        say(f"{each.group}{leg}: the plan {each.fate}", STYLES[each.fate])
        for line in _lines(each):
            say(f"  {line}")


def _lines(each: Change) -> Iterator[str]:
    before, after = each.before, each.after
    yield from _becomes("way", _way(before), _way(after))
    yield from _becomes("steps", _count(before), _count(after))
    yield from _becomes("blocked", _blocked(before), _blocked(after))
    yield from _becomes("point of no return", _no_return(before), _no_return(after))
    yield from _hosts(each)
    if each.fate is Fate.CHANGES:
        yield from _steps("more", each.added)
        yield from _steps("fewer", each.removed)
        yield from _steps("otherwise", each.altered)
        if not (each.added or each.removed or each.altered):
            yield "the steps are the same; what they are made from, or their order, differs"


def _becomes(what: str, old: str, new: str) -> Iterator[str]:
    if old and new and old != new:
        yield f"{what}: {old}  becomes  {new}"
    elif old != new:
        yield f"{what}: {new or f'no longer {old}'}"


def _way(plan: Plan | None) -> str:
    return ", ".join(way(each.service, each.route, each.goal) for each in plan.services) if plan else ""


def _count(plan: Plan | None) -> str:
    return f"{len(plan.steps)} on {len(hosts_of(plan))} hosts" if plan and plan.steps else ""


def _blocked(plan: Plan | None) -> str:
    return "; ".join(f"{each.reason}: {each.text}" for each in plan.blocked) if plan else ""


def _no_return(plan: Plan | None) -> str:
    return next((label(step) for step in plan.steps if step.point_of_no_return), "") if plan else ""


def _hosts(each: Change) -> Iterator[str]:
    old, new = hosts_of(each.before), hosts_of(each.after)
    if more := [name for name in new if name not in set(old)]:
        yield f"hosts that it would touch: {few(more)}"
    if fewer := [name for name in old if name not in set(new)]:
        yield f"hosts that it would leave alone: {few(fewer)}"


def _steps(word: str, steps: Sequence[Step]) -> Iterator[str]:
    if not steps:
        return
    yield f"{len(steps)} step{'s' if len(steps) != 1 else ''} {word}:"
    hosts: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        hosts.setdefault((str(step.phase), step.title), []).append(step.host)
    for (phase, title), names in hosts.items():
        yield f"  {phase}: {title}{on([name for name in names if name])}"
