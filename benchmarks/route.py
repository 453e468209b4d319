"""What routes and the order of legs cost: every service of the catalog, and twelve components with relations."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

from reconciler.catalog import build_catalog, load_catalog
from reconciler.domain.catalog import Catalog
from reconciler.domain.route import RoutePolicy
from reconciler.planning.relations import Order, order_legs
from reconciler.planning.route import find_route
from reconciler.planning.ways import Way

RELEASES = 24
COMPONENTS = 12
ROUNDS = 15
FACT = {"reason": "It is measured.", "source": "benchmarks/route.py", "verified": "run"}


def series() -> dict[str, object]:
    """Return a series as long as that of OpenStack."""
    return {
        "series": "s",
        "releases": [
            {"id": f"r{n:02}", "codename": f"r{n:02}", "slurp": n > 12 and n % 2 == 0} for n in range(RELEASES)
        ],
    }


def component(n: int) -> dict[str, object]:
    """Return a component with rules for hops, and for what it asks of its neighbours."""
    rules: list[dict[str, object]] = [
        {"id": "sequential", "kind": "sequential", **FACT},
        {"id": "slurp", "kind": "slurp", **FACT},
        *({"id": f"gate-{m}", "kind": "gate", "to": {"first": f"r{m:02}"}, **FACT} for m in range(2, RELEASES, 4)),
        *(
            {
                "id": f"gone-{m}",
                "kind": "collapsed",
                "from": {"last": f"r{m:02}"},
                "to": {"first": f"r{m + 5:02}"},
                **FACT,
            }
            for m in range(0, RELEASES - 5, 3)
        ),
    ]
    if n:
        before, lag = f"c{n - 1:02}", {f"r{m:02}": f"r{m - 2:02}" for m in range(16, RELEASES, 2)}
        rules += [
            {"id": "lag", "kind": "skew", "skew": {"service": before, "oldest": lag}, **FACT},
            {"id": "need", "kind": "requires", "to": {"first": "r06"},
             "needs": {"service": "c00", "release": "r04", "when": "before"}, **FACT},
            {"id": "apart", "kind": "excludes", "to": {"first": "r20"},
             "excludes": {"service": before, "last": "r10"}, **FACT},
        ]  # fmt: skip
    lines = [{"id": f"r{m:02}", "package": {"first": "1", "final": "1"}} for m in range(RELEASES)]
    return {"service": f"c{n:02}", "series": "s", "releases": lines, "rules": rules}


def solve(catalog: Catalog) -> Order:
    """Find the route of every component, a hop a leg, and the order of all legs."""
    ways = []
    for name in catalog.services:
        known = catalog.service(name)
        route = find_route(catalog, name, "r00", f"r{RELEASES - 1:02}")
        stops = [known.at(stop).release.index for stop in route.stops]
        ways.append(Way(service=name, component=known, group=name, start=0, legs=tuple(pairwise(stops))))
    order = order_legs(ways)
    assert order.found, order.knots or order.obstacles
    return order


def timed(work: Callable[[], object]) -> float:
    """Return the median of some rounds in ms of processor time, which a busy machine does not lengthen."""
    spent = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        spent.append((time.process_time() - begin) * 1000)
    return statistics.median(spent)


def main() -> None:
    """Print medians of one run, and how they relate."""
    catalog = build_catalog([series(), *(component(n) for n in range(COMPONENTS))])
    order = solve(catalog)
    arrows, legs = len(order.arrows), len(order.legs)
    whole = timed(lambda: solve(catalog))
    ways = list(order.ways.values())
    ordering = timed(lambda: order_legs(ways))
    print(f"{COMPONENTS} components, {RELEASES} releases, {legs} legs, {arrows} arrows between them")
    print(f"routes and order of legs: {whole:.1f} ms; the order alone {ordering:.1f} ms, {ordering / whole:.0%} of it")
    packaged = load_catalog()
    slowest: dict[str, float] = {}
    for name, known in packaged.services.items():
        first, last = known.releases[0].release.id, known.releases[-1].release.id
        for policy in RoutePolicy:
            spent = timed(lambda n=name, p=policy, f=first, t=last: find_route(packaged, n, f, t, p))
            slowest[name] = max(spent, slowest.get(name, 0.0))
    for name, spent in sorted(slowest.items(), key=lambda each: -each[1]):
        print(f"  {name}: from its first to its last release {spent:.1f} ms, {spent / whole:.2f} of the above")


if __name__ == "__main__":
    main()
