"""What an open run has still to do, as commands that a person could run by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.domain.run import History, Run
from reconciler.planning.account import account_of


def remaining_of(history: History) -> list[dict[str, Any]]:
    """Return the steps that are not done yet of every open run, in their order."""
    return [each for run in history.runs if not run.ended for each in _steps(run)]


def _steps(run: Run) -> Iterator[dict[str, Any]]:
    for step in run.steps:
        if run.done(step.id):
            continue
        account = account_of(step)
        last = run.last(step.id)
        yield {
            "group": run.group,
            "run": run.id,
            "step": step.id,
            "phase": str(step.phase),
            "title": step.title,
            "host": step.host,
            "where": account.where,
            "begun": last is not None,
            "runs": list(account.runs),
        }


def lines_of(remaining: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write the steps as a script that is read before it is run: a comment per step, then its commands."""
    group = ""
    for each in remaining:
        if each["group"] != group:
            group = each["group"]
            count = sum(step["group"] == group for step in remaining)
            yield f"{group}, run {each['run']}: {count} steps remain"
        place = f"on {each['host']}" if each["host"] else f"by the {each['where']}"
        begun = ", begun" if each["begun"] else ""
        yield f"  # {each['phase']}: {each['title']}, {place}{begun}"
        yield from (f"  {line}" for text in each["runs"] for line in text.splitlines())
