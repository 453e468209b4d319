"""A plan as a tree, for a terminal."""

from __future__ import annotations

from rich.tree import Tree

from reconciler.cli.outline import Part, Section, heading, no_return, sections, stopped
from reconciler.cli.output import plain
from reconciler.domain.plan import Plan
from reconciler.domain.route import Route
from reconciler.planning.preview import Preview


def tree_of(each: Preview) -> Tree:
    """Draw one group's plan: route, pause, point of no return, phases down to steps."""
    if each.plan is None:
        return Tree(plain(f"{each.group}: nothing to do"), style="green")
    top = Tree(f"[bold]{plain(heading(each.plan))}[/]")
    _add_blocks(top, each.plan)
    for route in each.routes:
        _add_route(top, route)
    if each.plan.steps:
        if pause := stopped(each.plan):
            top.add(plain(f"stopped from quiesce until moved: {pause}"))
        top.add(plain(f"point of no return: {no_return(each.plan)}"))
    for section in sections(each.plan):
        _add_section(top, section)
    return top


def _add_blocks(top: Tree, plan: Plan) -> None:
    for block in plan.blocked:
        top.add(f"[yellow]blocked, {plain(block.reason)}[/]: {plain(block.text)}").add(plain(f"hint: {block.hint}"))


def _add_route(top: Tree, route: Route) -> None:
    branch = top.add(plain(f"route of {route.service}, policy {route.policy}: {' → '.join(route.stops) or 'none'}"))
    for hop in route.hops:
        below = branch.add(plain(f"{hop.start} → {hop.goal}, {hop.kind}"))
        for reason in hop.reasons:
            below.add(plain(f"{reason.text} [{reason.rule}]"), style="dim")
        for gate in hop.gates:
            below.add(plain(f"before it: {gate.text} [{gate.id}]"), style="yellow")


def _add_section(top: Tree, section: Section) -> None:
    branch = top.add(f"[bold]{section.phase}[/]: {plain(section.text)}")
    for part in section.parts:
        _add_steps(branch.add(plain(part.title)) if part.title else branch, part)


def _add_steps(branch: Tree, part: Part) -> None:
    for line, step in part.lines:
        mark = " [bold red]« point of no return[/]" if step.point_of_no_return else ""
        branch.add(f"{plain(line)}{mark}")
