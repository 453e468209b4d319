"""A plan as a tree, for a terminal."""

from __future__ import annotations

from rich.tree import Tree

from reconciler.cli.outline import (
    Part,
    Section,
    going_back,
    heading,
    no_return,
    noticed,
    sections,
    stopped,
    waves_text,
)
from reconciler.cli.output import plain
from reconciler.cli.words import on
from reconciler.domain.plan import Plan, Step
from reconciler.domain.route import Route
from reconciler.planning.account import account_of
from reconciler.planning.durations import Durations
from reconciler.planning.notice import Notice
from reconciler.planning.preview import Preview
from reconciler.planning.telling import Telling, tell

NOTICED = {
    Notice.NONE: "users: do not notice",
    Notice.DEGRADED: "users: fewer hosts serve them",
    Notice.PAUSE: "users: have to wait",
}
RULE = "━━━ point of no return: from here on nothing is taken back ━━━"


def tree_of(each: Preview, durations: Durations = Durations(), *, which: str = "", steps: bool = False) -> Tree:
    """Draw one leg of a group: route, what users notice, point of no return, way back, and the steps.

    `which` says which leg of several it is. With `steps` every step stands by itself, with what runs, what proves it
    and how it is undone.
    """
    if each.plan is None:
        return Tree(plain(heading(each)), style="green")
    top = Tree(f"[bold]{plain(f'{which}, ' if which else '')}{plain(heading(each))}[/]")
    _add_blocks(top, each.plan)
    for route in each.routes:
        _add_route(top, route)
    if each.plan.steps:
        told = tell(each.plan, each.hosts, durations)
        _add_telling(top, told, each.plan)
        for section in sections(each.plan):
            _add_section(top, section, told if steps else None)
    return top


def _add_blocks(top: Tree, plan: Plan) -> None:
    for block in plan.blocked:
        top.add(f"[yellow]blocked, {plain(block.reason)}[/]: {plain(block.text)}").add(plain(f"hint: {block.hint}"))
    for wait in plan.waits_for:
        top.add(f"[yellow]waits for leg {wait.leg} of {plain(wait.group)}[/]: {plain(f'{wait.text} [{wait.rule}]')}")


def _add_route(top: Tree, route: Route) -> None:
    branch = top.add(plain(f"route of {route.service}, policy {route.policy}: {' → '.join(route.stops) or 'none'}"))
    for hop in route.hops:
        below = branch.add(plain(f"{hop.start} → {hop.goal}, {hop.kind}"))
        for reason in hop.reasons:
            below.add(plain(f"{reason.text} [{reason.rule}]"), style="dim")
        for gate in hop.gates:
            below.add(plain(f"before it: {gate.text} [{gate.id}]"), style="yellow")


def _add_telling(top: Tree, told: Telling, plan: Plan) -> None:
    if found := list(noticed(told, plan)):
        branch = top.add("what users notice")
        if names := stopped(plan):
            branch.add(plain(f"stopped from quiesce until moved: {names}"))
        for line in found:
            branch.add(plain(line))
    for line in waves_text(told):
        top.add(plain(f"waves of {line}"))
    top.add(plain(f"point of no return: {no_return(told)}"), style="bold red" if told.no_return else "")
    if told.stretches:
        branch = top.add("going back")
        for until, text, undo in going_back(told):
            below = branch.add(plain(f"up to {until}: {text}"))
            if undo:
                below.add(plain(undo), style="dim")


def _add_section(top: Tree, section: Section, told: Telling | None) -> None:
    branch = top.add(f"[bold]{section.phase}[/]: {plain(section.text)}")
    for part in section.parts:
        below = branch.add(plain(part.title)) if part.title else branch
        if told is None:
            _add_lines(below, part)
        else:
            for step in part.steps:
                _add_step(below, step, told)


def _add_lines(branch: Tree, part: Part) -> None:
    for line in part.lines:
        if line.point_of_no_return:
            branch.add(f"[bold red]{RULE}[/]")
        branch.add(plain(line.title if part.named else f"{line.title}{on(line.hosts)}"))


def _add_step(branch: Tree, step: Step, told: Telling) -> None:
    if step.point_of_no_return:
        branch.add(f"[bold red]{RULE}[/]")
    account = account_of(step)
    advisory = " (advisory)" if step.advisory else ""
    below = branch.add(plain(f"{step.title}{advisory}{on([step.host] if step.host else [])}"))
    for line in account.runs:
        below.add(f"[cyan]{plain(line)}[/]")
    below.add(plain(f"{_where(account.where)}; proved by: {'; '.join(account.proved_by)}"), style="dim")
    if account.undone_by:
        below.add(plain(f"undone by: {account.undone_by}"), style="dim")
    below.add(plain(NOTICED[told.notice[step.id]]), style="dim")


def _where(where: str) -> str:
    return {"host": "runs on the host", "daemon": "asked by the daemon", "person": "done by a person"}[where]
