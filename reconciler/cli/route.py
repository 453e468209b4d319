"""`reconciler route`: the hops from one release to another, with the reasons of every stop and refusal."""

from __future__ import annotations

import typer

from reconciler.catalog.load import load_catalog
from reconciler.cli.output import Format, Output, add_row, print_lines, say, table, write_data
from reconciler.domain.route import Route, RoutePolicy
from reconciler.planning.route import find_route


def route(
    service: str = typer.Argument(help="A service of the catalog, such as keystone."),
    start: str = typer.Argument(metavar="FROM", help="The release to start from: id, codename or alias."),
    goal: str = typer.Argument(metavar="TO", help="The release to reach."),
    policy: RoutePolicy = typer.Option(RoutePolicy.SUPPORTED, help="What upstream supports, or what the code accepts."),
    output: Format = Output,
) -> None:
    """Show the safe route between two releases.

    Exit 1 when there is none.
    """
    found = find_route(load_catalog(), service, start, goal, policy)
    if output is Format.TABLE:
        show(found)
    else:
        write_data(found.as_json(), output)
    raise typer.Exit(0 if found.found else 1)


def show(found: Route) -> None:
    """Write a route for people."""
    if not found.found:
        say(f"{found.service}: no way from {found.start} to {found.goal} with policy {found.policy}", "bold red")
    elif not found.hops:
        say(f"{found.service} is at {found.goal}: nothing to do")
    else:
        count = f"{len(found.hops)} hop{'s' if len(found.hops) > 1 else ''}"
        say(f"{found.service} with policy {found.policy}, {count}: {' → '.join(found.stops)}", "bold")
    _show_hops(found)
    _show_refused(found)
    for stops in found.equals:
        say(f"as short: {' → '.join(stops)}")


def _show_hops(found: Route) -> None:
    if not found.hops:
        return
    rows = table("from", "to", "kind", "why")
    for hop in found.hops:
        why = [f"{reason.text} [{reason.rule}]" for reason in hop.reasons]
        why += [f"before it: {gate.text} [{gate.id}]" for gate in hop.gates]
        add_row(rows, (hop.start, hop.goal, hop.kind, why))
    print_lines(rows)


def _show_refused(found: Route) -> None:
    if not found.refused:
        return
    say("")
    say("refused:" if not found.found else "straighter edges avoided:", "bold")
    rows = table("from", "to", "verdict", "why")
    for refusal in found.refused:
        why = f"{refusal.reason.text} [{refusal.reason.rule}]"
        add_row(rows, (refusal.start, refusal.goal, refusal.verdict or "-", why))
    print_lines(rows)
