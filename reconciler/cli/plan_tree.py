"""A plan as a tree, for a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.tree import Tree

from reconciler.cli.outline import Part, Section, heading, no_return, sections, stopped
from reconciler.domain.plan import Plan
from reconciler.domain.route import Route
from reconciler.planning.preview import Preview


def tree_of(each: Preview) -> Tree:
    """Draw one group's plan: route, pause, point of no return, phases down to steps."""
    if each.plan is None:
        return Tree(escape(f"{each.group}: nothing to do"), style="green")
    top = Tree(f"[bold]{escape(heading(each.plan))}[/]")
    _add_blocks(top, each.plan)
    for route in each.routes:
        _add_route(top, route)
    if each.plan.steps:
        if pause := stopped(each.plan):
            top.add(escape(f"stopped from quiesce until moved: {pause}"))
        top.add(escape(f"point of no return: {no_return(each.plan)}"))
    for section in sections(each.plan):
        _add_section(top, section)
    return top


def _add_blocks(top: Tree, plan: Plan) -> None:
    for block in plan.blocked:
        top.add(f"[yellow]blocked, {escape(block.reason)}[/]: {escape(block.text)}").add(escape(f"hint: {block.hint}"))


def _add_route(top: Tree, route: Route) -> None:
    branch = top.add(escape(f"route of {route.service}, policy {route.policy}: {' → '.join(route.stops) or 'none'}"))
    for hop in route.hops:
        below = branch.add(escape(f"{hop.start} → {hop.goal}, {hop.kind}"))
        for reason in hop.reasons:
            below.add(escape(f"{reason.text} [{reason.rule}]"), style="dim")
        for gate in hop.gates:
            below.add(escape(f"before it: {gate.text} [{gate.id}]"), style="yellow")


def _add_section(top: Tree, section: Section) -> None:
    branch = top.add(f"[bold]{section.phase}[/]: {escape(section.text)}")
    for part in section.parts:
        _add_steps(branch.add(escape(part.title)) if part.title else branch, part)


def _add_steps(branch: Tree, part: Part) -> None:
    for line, step in part.lines:
        mark = " [bold red]« point of no return[/]" if step.point_of_no_return else ""
        branch.add(f"{escape(line)}{mark}")
