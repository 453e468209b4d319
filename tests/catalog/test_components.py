"""The packaged components beyond OpenStack: their routes, and what they ask of each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.route import RoutePolicy
from reconciler.planning.relations import Order, order_legs
from reconciler.planning.route import find_route
from reconciler.planning.ways import Way

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("service", "stops"),
    [
        ("ceph-mon", "hammer jewel"),
        ("ceph-osd", "hammer jewel luminous nautilus"),
        ("ceph-mon", "quincy squid umbrella"),
        ("ceph-mgr", "luminous nautilus pacific reef tentacle"),
        ("ceph-client", "hammer umbrella"),
        ("rabbitmq", "3.8 3.9 3.10 3.11 3.12 3.13 4.2 4.3"),
        ("openvswitch", "2.3 3.7"),
        ("libvirt", "1.2.1 10.0.0"),
        ("qemu", "1.5.3 2.1.0"),
    ],
)
def test_upstream_supports(service: str, stops: str) -> None:
    start, *_, goal = stops.split()

    assert list(find_route(CATALOG, service, start, goal).stops) == stops.split()


def test_series_of_rabbitmq_before_3_8_are_walked_with_the_cluster_stopped() -> None:
    assert not find_route(CATALOG, "rabbitmq", "3.6", "3.7").found
    assert find_route(CATALOG, "rabbitmq", "3.5", "3.8", RoutePolicy.OFFLINE).stops == ("3.5", "3.6", "3.7", "3.8")


def ways(**goals: str) -> list[Way]:
    """Each service from its first to its last release, a hop a leg."""
    found = []
    for name, said in goals.items():
        service = name.replace("_", "-")
        component = CATALOG.service(service)
        start, goal = said.split()
        stops = [component.at(stop).release.index for stop in find_route(CATALOG, service, start, goal).stops]
        legs = tuple(pairwise(stops))
        found.append(Way(service=service, component=component, group=service, start=stops[0], legs=legs))
    return found


def shown(order: Order) -> list[str]:
    assert order.found, (order.knots, order.obstacles)
    return [order.ways[node.group].words(node.number) for node in order.legs]


def test_ceph_moves_its_monitors_first_and_its_clients_last() -> None:
    order = order_legs(ways(ceph_client="hammer jewel", ceph_osd="hammer jewel", ceph_mon="hammer jewel"))

    assert shown(order) == [
        "ceph-mon hammer to jewel",
        "ceph-osd hammer to jewel",
        "ceph-client hammer to jewel",
    ]


def test_managers_stand_between_monitors_and_osds() -> None:
    walk = dict.fromkeys(("ceph_osd", "ceph_mgr", "ceph_mon"), "luminous pacific")
    order = shown(order_legs(ways(**walk)))

    assert order.index("ceph-mon luminous to nautilus") < order.index("ceph-osd luminous to nautilus")
    assert order.index("ceph-osd luminous to nautilus") < order.index("ceph-mon nautilus to pacific")


def test_rabbitmq_and_erlang_climb_together() -> None:
    rabbitmq, erlang = ways(rabbitmq="3.12 4.3", erlang="25 27")
    stops = [CATALOG.service("erlang").at(name).release.index for name in ("25", "26", "27")]
    by_one = replace(erlang, legs=((stops[0], stops[1]), (stops[1], stops[2])))
    order = shown(order_legs([rabbitmq, by_one]))

    assert order.index("erlang 25 to 26") < order.index("rabbitmq 3.12 to 3.13")
    assert order.index("rabbitmq 3.13 to 4.2") < order.index("erlang 26 to 27") < order.index("rabbitmq 4.2 to 4.3")
    assert order_legs([rabbitmq, erlang]).knots  # in one leg it would pass what RabbitMQ of its day runs on


def test_computes_follow_nova_within_their_budget_and_want_their_hypervisor_first() -> None:
    fleet = ways(nova="yoga 2025.1", nova_compute="yoga 2025.1", libvirt="6.0.0 8.0.0", qemu="4.2.0 6.2.0")
    order = shown(order_legs(fleet))

    def place(leg: str) -> int:
        return order.index(leg)

    assert place("nova yoga to 2023.1") < place("nova-compute yoga to 2023.1") < place("nova 2023.1 to 2024.1")
    assert place("libvirt 6.0.0 to 8.0.0") < place("nova-compute 2023.1 to 2024.1")
    assert place("qemu 4.2.0 to 6.2.0") < place("nova-compute 2023.1 to 2024.1")


def test_computes_of_kilo_are_moved_with_control_services_when_all_of_it_is_one_leg() -> None:
    (nova,) = ways(nova="kilo kilo")
    stops = [CATALOG.service("nova").at(name).release.index for name in ("kilo", "mitaka", "newton", "pike")]
    control = replace(nova, group="cloud", legs=(tuple(stops),), procedure="replace")
    compute = replace(
        control, service="nova-compute", component=CATALOG.service("nova-compute"), rank=1,
        legs=((stops[0], stops[-1]),), procedure="containerise",
    )  # fmt: skip

    assert order_legs([control, compute]).found
    assert order_legs([replace(control, group="control"), replace(compute, group="computes")]).knots
    assert find_route(CATALOG, "nova-compute", "kilo", "pike", RoutePolicy.OFFLINE).stops == ("kilo", "pike")
