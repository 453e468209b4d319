"""Plans as Markdown, for a comment under a pull request: the short of it first, steps folded away, its size capped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from reconciler.cli.outline import (
    Line,
    Part,
    going_back,
    heading,
    no_return,
    noticed,
    sections,
    stopped,
    waves_text,
)
from reconciler.cli.words import on
from reconciler.domain.plan import Plan
from reconciler.domain.route import Route
from reconciler.domain.text import MAX_LINE, indented
from reconciler.planning.account import account_of
from reconciler.planning.durations import Durations
from reconciler.planning.notice import Notice
from reconciler.planning.plan_json import legs
from reconciler.planning.preview import Preview
from reconciler.planning.telling import Telling, tell

MARKER = "<!-- reconciler-plan -->"
"""By this line a bot finds its own comment again and edits it."""

MAX_CHARACTERS = 60_000
"""A comment on GitHub holds 65,536 characters; a bot may want to say something before and after."""

MAX_COMMAND = 300
"""Characters of one command; `-o json` has it whole."""

_MARKUP = re.compile(r"[\\`*\[\]<>|~&#$]|(?<![^\W_])_|_(?![^\W_])|^\d*[-+.)](?=[-\s]|$)")
"""What makes markup of a text; an underscore within a word does not."""

_NAMED = re.compile(r"[@#](?=\w)|:(?=[a-z+-][\w+-]*:)")
"""What forges turn into mentions and emoji after they have read the Markdown."""


def markdown_of(previews: Sequence[Preview], durations: Durations = Durations(), most: int = MAX_CHARACTERS) -> str:
    """Write all plans; what does not fit into `most` characters is cut, and that is said."""
    lines = [MARKER, "## What this would do", ""]
    if all(each.plan is None for each in previews):
        lines += ["Nothing: everything runs as desired.", ""]
    parts = []
    for each, (leg, of) in legs(previews):
        if each.plan is not None:
            told = tell(each.plan, each.hosts, durations)
            which = f"leg {leg} of {of}, " if of > 1 else ""
            parts.append(
                (list(_head(each, each.plan, told, which)), list(_steps(each.plan, told)), len(each.plan.steps))
            )
    left = most - _size(lines) - sum(_size(head) + FOLD for head, _, _ in parts)
    for head, steps, count in parts:
        shown = _fitting(steps, left)
        left -= _size(shown)
        lines += [*head, *_folded(shown, len(steps), count)]
    return "\n".join(_within(lines, most)).rstrip() + "\n"


FOLD = 400
"""Room for what opens and closes a fold, and for the words of a cut."""


def _size(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    """Return the first lines, as many as have room."""
    for count, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return lines[:count]
    return lines


def _folded(shown: Sequence[str], lines: int, steps: int) -> Iterator[str]:
    if not steps:
        return
    if shown:
        yield from (f"<details><summary>{steps} steps</summary>", "", *shown, "", "</details>", "")
    if len(shown) < lines:
        yield from (f"**Cut here**: {len(shown)} of {lines} lines about its {steps} steps. {ALL}", "")


ALL = "`reconciler plan DIR --observed FILE --steps` shows all."


def _within(lines: Sequence[str], most: int) -> Sequence[str]:
    """Cut what is too much even without steps: a fleet of very many groups."""
    if _size(lines) <= most:
        return lines
    kept = _fitting(lines, most - FOLD)
    return [*kept, "", f"**Cut here**: {len(kept)} of {len(lines)} lines. {ALL}"]


def _head(each: Preview, plan: Plan, told: Telling, which: str) -> Iterator[str]:
    yield from (f"### {which}{_text(heading(each))}", "")
    for block in plan.blocked:
        yield f"- **Blocked, {_text(block.reason)}**: {_text(block.text)} *{_text(block.hint)}*"
    for wait in plan.waits_for:
        yield f"- **Waits for leg {wait.leg} of {_text(wait.group)}**: {_text(wait.text)} {_code(wait.rule)}"
    if plan.steps:
        yield f"- Stopped from quiesce until moved: {_text(stopped(plan)) or 'nothing'}"
        yield from (f"- Users: {_text(line)}" for line in noticed(told, plan))
        yield from (f"- Waves of {_text(line)}" for line in waves_text(told))
        bell = "**" if told.no_return else ""
        yield f"- {bell}Point of no return{bell}: {_text(no_return(told))}"
    yield ""
    for route in each.routes:
        yield from _route(route)
    yield from _going_back(told)


def _route(route: Route) -> Iterator[str]:
    if not route.hops:
        return
    yield f"Route of {_text(route.service)}, policy {route.policy}: {_text(' → '.join(route.stops))}"
    yield from ("", "| hop | kind | why |", "| --- | --- | --- |")
    for hop in route.hops:
        why = [f"{_text(reason.text)} {_code(reason.rule)}" for reason in hop.reasons]
        why += [f"**before it**: {_text(gate.text)} {_code(gate.id)}" for gate in hop.gates]
        yield f"| {_text(f'{hop.start} → {hop.goal}')} | {hop.kind} | {'<br>'.join(why)} |"
    yield ""


def _going_back(told: Telling) -> Iterator[str]:
    if not told.stretches:
        return
    yield from ("<details><summary>Going back</summary>", "", "| up to | what happens | how |", "| --- | --- | --- |")
    for until, text, undo in going_back(told):
        yield f"| {_text(until)} | {_text(text)} | {_text(undo)} |"
    yield from ("", "</details>", "")


def _steps(plan: Plan, told: Telling) -> Iterator[str]:
    for section in sections(plan):
        yield f"- **{section.phase}**: {_text(section.text)}"
        for part in section.parts:
            if part.title:
                yield f"  - {_text(part.title)}"
            yield from _part(part, told, "    " if part.title else "  ")


def _part(part: Part, told: Telling, indent: str) -> Iterator[str]:
    for line in part.lines:
        if line.point_of_no_return:
            yield f"{indent}- **━━━ point of no return: from here on nothing is taken back ━━━**"
        yield f"{indent}- {_text(line.title if part.named else f'{line.title}{on(line.hosts)}')}{_users(line, told)}"
        account = account_of(line.steps[0])
        differs = len(line.steps) > 1 and account_of(line.steps[-1]).runs != account.runs
        where = f" on {_text(line.hosts[0])}, and alike on the others" if differs and line.hosts else ""
        yield from (f"{indent}  - {_code(command)}{where}" for command in account.runs)
        undo = f"; undone by: {account.undone_by}" if account.undone_by else ""
        yield f"{indent}  - proved by: {_text('; '.join(account.proved_by) + undo)}"


def _users(line: Line, told: Telling) -> str:
    felt = {told.notice[step.id] for step in line.steps} - {Notice.NONE}
    return f" ({', '.join(sorted(felt))})" if felt else ""


def _code(command: str) -> str:
    """Put a command between backticks, of which it may hold some itself; nothing in there is markup."""
    text = " ".join(indented(command, MAX_COMMAND).split())
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _text(text: str) -> str:
    """Keep texts of others from becoming markup: no tags, cells, links or mentions, no lines of their own."""
    marked = _MARKUP.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", " ".join(indented(text, MAX_LINE).split()))
    return _NAMED.sub("\\g<0>\N{ZERO WIDTH SPACE}", marked)
