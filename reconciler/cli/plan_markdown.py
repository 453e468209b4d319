"""A plan as Markdown, for a comment under a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.cli.outline import heading, no_return, sections, stopped
from reconciler.cli.output import MAX_TEXT
from reconciler.domain.plan import Plan
from reconciler.domain.route import Route
from reconciler.domain.text import clean_text
from reconciler.planning.preview import Preview

MARKER = "<!-- reconciler-plan -->"
"""By this line a bot finds its own comment again and edits it."""


def markdown_of(previews: Sequence[Preview]) -> str:
    """Write all plans, the short of it first and the steps folded away."""
    lines = [MARKER, "## What this would do", ""]
    if all(each.plan is None for each in previews):
        lines += ["Nothing: everything runs as desired.", ""]
    for each in previews:
        lines += _group(each)
    return "\n".join(lines).rstrip() + "\n"


def _group(each: Preview) -> Iterator[str]:
    if each.plan is None:
        return
    yield from (f"### {_text(heading(each.plan))}", "")
    for block in each.plan.blocked:
        yield f"- **Blocked, {_text(block.reason)}**: {_text(block.text)} *{_text(block.hint)}*"
    if each.plan.steps:
        yield f"- Stopped from quiesce until moved: {_text(stopped(each.plan)) or 'nothing'}"
        yield f"- Point of no return: {_text(no_return(each.plan))}"
    yield ""
    for route in each.routes:
        yield from _route(route)
    yield from _steps(each.plan)


def _route(route: Route) -> Iterator[str]:
    if not route.hops:
        return
    yield f"Route of {_text(route.service)}, policy {route.policy}: {_text(' → '.join(route.stops))}"
    yield from ("", "| hop | kind | why |", "| --- | --- | --- |")
    for hop in route.hops:
        why = [f"{reason.text} `{reason.rule}`" for reason in hop.reasons]
        why += [f"**before it**: {gate.text} `{gate.id}`" for gate in hop.gates]
        yield f"| {hop.start} → {hop.goal} | {hop.kind} | {'<br>'.join(_text(each) for each in why)} |"
    yield ""


def _steps(plan: Plan) -> Iterator[str]:
    if not plan.steps:
        return
    yield from (f"<details><summary>{len(plan.steps)} steps</summary>", "")
    for section in sections(plan):
        yield f"- **{section.phase}**: {section.text}"
        for part in section.parts:
            indent = "  "
            if part.title:
                yield f"  - {_text(part.title)}"
                indent = "    "
            for line, step in part.lines:
                mark = " **← point of no return**" if step.point_of_no_return else ""
                yield f"{indent}- {_text(line)}{mark}"
    yield from ("", "</details>", "")


def _text(text: str) -> str:
    """Keep texts of others from becoming markup: no tags, no table cells, no mentions, no lines of their own."""
    one_line = " ".join(clean_text(text.encode(errors="replace"), MAX_TEXT).split())
    safe = one_line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return re.sub(r"([@#])(?=\w)", "\\1\N{ZERO WIDTH SPACE}", safe)
