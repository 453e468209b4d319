"""The solver against a brute-force oracle, on random small series."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.catalog import build_catalog
from reconciler.domain.route import RoutePolicy
from reconciler.planning.route import find_route, shortest_ways

PLACES = 7
EVERY_EDGE = list(combinations(range(PLACES), 2))
edges = st.sets(st.sampled_from(EVERY_EDGE))
slurps = st.sets(st.integers(0, PLACES - 1))


def oracle(allowed: set[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Every way of fewest hops, found by trying all subsets of stops, fewest first."""
    for count in range(PLACES - 1):
        ways = [(0, *between, PLACES - 1) for between in combinations(range(1, PLACES - 1), count)]
        good = [way for way in ways if all(edge in allowed for edge in pairwise(way))]
        if good:
            return good
    return []


def solve(allowed: set[tuple[int, int]], slurp: set[int]) -> tuple[tuple[int, ...], set[tuple[int, ...]]]:
    names = [f"r{place}" for place in range(PLACES)]
    common = {"kind": "direct", "reason": "It may.", "source": "a test", "verified": "read"}
    catalog = build_catalog(
        [
            {
                "series": "s",
                "releases": [
                    {"id": name, "codename": name, "slurp": place in slurp} for place, name in enumerate(names)
                ],
            },
            {
                "service": "x",
                "series": "s",
                "eras": [{"zero_downtime": False, "sync": ["x"]}],
                "releases": [{"id": name, "package": {"first": "1", "final": "1"}} for name in names],
                "rules": [
                    common | {"id": f"{low}-{high}", "pairs": [[names[low], names[high]]]}
                    for low, high in sorted(allowed)
                ],
            },
        ]
    )
    route = find_route(catalog, "x", names[0], names[-1], RoutePolicy.OFFLINE)
    assert route == find_route(catalog, "x", names[0], names[-1], RoutePolicy.OFFLINE)
    if not route.found:
        assert route.refused
    return (
        tuple(names.index(stop) for stop in route.stops),
        {tuple(names.index(stop) for stop in way) for way in route.equals},
    )


@given(edges)
def test_the_ways_are_all_the_shortest_ones(allowed: set[tuple[int, int]]) -> None:
    steps = {place: tuple(high for low, high in sorted(allowed) if low == place) for place in range(PLACES)}
    assert sorted(shortest_ways(steps, 0, PLACES - 1)) == sorted(oracle(allowed))


@given(edges, slurps)
def test_the_route_is_the_preferred_one_of_the_shortest(allowed: set[tuple[int, int]], slurp: set[int]) -> None:
    best, others = solve(allowed, slurp)
    every = oracle(allowed)
    assert ({best} | others if best else set()) == set(every)
    for other in others:
        more = sum(place in slurp for place in best) - sum(place in slurp for place in other)
        assert more > 0 or (more == 0 and best < other)


@given(edges, slurps)
def test_every_hop_is_an_allowed_edge(allowed: set[tuple[int, int]], slurp: set[int]) -> None:
    best, _ = solve(allowed, slurp)
    assert set(pairwise(best)) <= allowed
