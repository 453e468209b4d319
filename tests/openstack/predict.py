"""What the catalog predicts of a hop: the rule that refuses it, the gate that is closed, and what the code will say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.catalog import load_catalog
from reconciler.domain.route import Hop, Refusal, RoutePolicy
from reconciler.domain.rule import Rule
from reconciler.planning.edges import Edge, gates_of, judge_hop
from reconciler.planning.route import find_route


def refusal(service: str, start: str, goal: str) -> Rule:
    """Return the rule by which the solver refuses a hop even offline; no route takes that hop."""
    catalog = load_catalog()
    verdict = judge_hop(_edge(service, start, goal), RoutePolicy.OFFLINE)
    assert isinstance(verdict, Refusal), verdict
    for policy in RoutePolicy:
        route = find_route(catalog, service, start, goal, policy)
        assert (start, goal) not in [(hop.start, hop.goal) for hop in route.hops]
        assert verdict in route.refused
    return rule(service, verdict.reason.rule)


def never_down(service: str, start: str, goal: str) -> None:
    """See that the solver takes no way back by migration."""
    route = find_route(load_catalog(), service, start, goal, RoutePolicy.OFFLINE)
    assert not route.hops
    assert [each.reason.rule for each in route.refused] == ["never-down"]


def gate(service: str, start: str, goal: str, name: str) -> Rule:
    """Return a gate that is asked for before a hop that may be taken."""
    edge = _edge(service, start, goal)
    assert isinstance(judge_hop(edge, RoutePolicy.OFFLINE), Hop)
    (found,) = (each for each in gates_of(edge, "sync") if each.id == name)
    return found


def rule(service: str, name: str) -> Rule:
    """Return a rule of the catalog."""
    return next(each for each in load_catalog().service(service).rules if each.id == name)


def heard(said: str, text: str) -> Mapping[str, str]:
    """Find in what a tool said the text that was predicted, and return what stands for its `{names}`."""
    parts = re.split(r"\{(\w+)\}", said)
    pattern = "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    found = re.search(pattern, " ".join(text.split()))
    assert found, f"not said: {said}\nbut: {text[-1500:]}"
    return found.groupdict()


def _edge(service: str, start: str, goal: str) -> Edge:
    component = load_catalog().service(service)
    return Edge(component, component.at(start), component.at(goal))
