"""What relations between components mean for plans: a Keystone, and an agent of its packages on other hosts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from reconciler.catalog import load_catalog
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Accept, BuildSpec, Desired, Override
from reconciler.domain.observation import Environment, HostFacts, HostReport, Known, Observations, Package, Unit
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Block, Plan
from reconciler.domain.position import HostPosition, Position
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, History, Run
from reconciler.domain.verdict import Decision, State
from reconciler.planning.ahead import legs_ahead
from reconciler.planning.exposure import bound
from reconciler.planning.journeys import order_of
from reconciler.planning.judge import judge
from reconciler.planning.position import position_of
from reconciler.planning.preview import preview
from reconciler.planning.scene import Scene
from tests.planning.test_plan import position
from tests.support.sample import DESIRED, HOSTS, KEYSTONE

NOTHING = History()
AT = datetime(2026, 1, 2, tzinfo=UTC)
FACT = {"reason": "so it is", "source": "a test", "verified": "read"}
OLDEST = {"2023.1": "yoga", "2023.2": "2023.1", "2024.1": "2023.1"}
LAG = {"id": "lag", "kind": "skew", "skew": {"service": "keystone", "oldest": OLDEST}, **FACT}
AGENT = {"service": "agent", "series": "openstack", "releases_of": {"service": "keystone"}, "rules": [LAG]}
CATALOG = load_catalog([AGENT])
HOST = replace(HOSTS["ks1"], name="c1", address="10.0.0.9")


def desired(control: str = "2023.2", agent: str = "2023.2", **changes: Any) -> Desired:
    """Return a Keystone and an agent that are to go a hop a leg."""
    keystone = replace(KEYSTONE, release=control, procedure="downtime", policy="supported")
    other = replace(
        keystone, name="agent", component="agent", release=agent, hosts=("c1",), bootstrap="c1",
        databases={}, units=("agent",), config={}, verify=(), smoke=(),
    )  # fmt: skip
    return replace(
        DESIRED,
        hosts={**HOSTS, "c1": HOST},
        services={"keystone": keystone, "agent": replace(other, **changes)},
    )


def at(control: str = "yoga", agent: str = "yoga", **host: Any) -> list[Position]:
    seen = HostPosition(**{"host": "c1", "release": agent, "drift": ("older",), "link_path": "/srv/x"} | host)
    return [position(control), Position(service="agent", release=agent, databases=(), hosts=(seen,))]


def scene(wanted: Desired, places: list[Position], history: History = NOTHING) -> Scene:
    bare = Scene(desired=wanted, catalog=CATALOG, history=history, now=AT)
    return replace(bare, order=order_of(places, bare))


def decide(group: str, wanted: Desired, places: list[Position], history: History = NOTHING) -> Decision:
    mine = [each for each in places if each.service == group]
    return judge(group, mine, scene(wanted, places, history))


def test_the_agent_waits_for_its_control() -> None:
    found = decide("agent", desired(), at())

    assert (found.verdict.state, found.verdict.reason) == (State.WAITING, Reason.DEPENDENCY)
    assert found.verdict.text == (
        "keystone yoga to 2023.1 comes before agent yoga to 2023.1, for agent is never ahead: so it is [lag]"
    )
    assert found.plan is not None
    assert [(each.group, each.leg) for each in found.plan.waits_for] == [("keystone", 1)]
    assert found.drafts == ()


def test_the_control_goes_first_and_then_waits_for_the_agent() -> None:
    assert decide("keystone", desired(), at()).verdict.state is State.PROGRESSING
    assert decide("agent", desired(), at("2023.1")).verdict.state is State.PROGRESSING
    assert decide("keystone", desired(), at("2023.1")).verdict.reason == Reason.DEPENDENCY


def test_a_control_in_mid_leg_counts_as_where_the_leg_began() -> None:
    plan = decide("keystone", desired(), at()).plan
    assert plan is not None
    begun = Run(id="r1", plan=plan, started_at=AT)

    assert decide("agent", desired(), at("2023.1"), History(runs=(begun,))).verdict.reason == Reason.DEPENDENCY


def test_a_control_on_its_way_back_counts_as_where_it_goes() -> None:
    back = desired(control="yoga")

    assert decide("agent", back, at("2023.1")).verdict.reason == Reason.DEPENDENCY_UNMET


def test_others_are_waited_for_as_blocked() -> None:
    wanted = desired()
    moved = replace(
        wanted, services=wanted.services | {"keystone": replace(wanted.services["keystone"], moved_by="others")}
    )
    found = decide("agent", moved, at())

    assert (found.verdict.state, found.verdict.reason) == (State.BLOCKED, Reason.DEPENDENCY_OF_OTHERS)
    assert found.plan is not None
    assert found.plan.waits_for[0].others


def test_a_refresh_waits_for_nobody() -> None:
    places = at("2023.1", "2023.1")

    assert decide("agent", desired("2023.1", "2023.1"), places).verdict.state is State.PROGRESSING


def test_an_agent_that_stays_keeps_its_control_from_beginning() -> None:
    found = decide("keystone", desired(agent="yoga"), at("2023.1"))

    assert (found.verdict.state, found.verdict.reason) == (State.BLOCKED, Reason.DEPENDENCY_UNMET)
    assert "works with agent from 2023.1 on, and it is to stay at yoga" in found.verdict.text
    assert found.verdict.hint == "Give agent the release 2023.1 or a later one, or keystone an older one."


HELD = {
    "hosts": ("c1", "c2"),
    "overrides": {"c2": "yoga"},
    "override_terms": {"c2": Override(release="yoga", reason="old kernel", until=date(2026, 3, 1))},
}


def test_a_host_held_behind_stops_the_very_leg_that_would_leave_it_behind() -> None:
    wanted = desired(**HELD)
    wanted = replace(wanted, hosts=wanted.hosts | {"c2": replace(HOST, name="c2")})
    two = [
        replace(each, hosts=(*each.hosts, HostPosition(host="c2", release="yoga"))) if each.service == "agent" else each
        for each in at("2023.1", "2023.1")
    ]
    first = [replace(each, release="yoga") if each.service != "agent" else each for each in two]

    assert decide("keystone", wanted, first).verdict.state is State.PROGRESSING
    found = decide("keystone", wanted, two)
    assert found.verdict.reason == Reason.DEPENDENCY_UNMET
    assert found.verdict.text.startswith(
        "keystone 2023.1 to 2023.2 works with agent from 2023.1 on, and c2 is held at yoga"
    )
    assert found.verdict.hint == "End the override of c2, or take it out of agent."


LOST = Block(str(Reason.HOST_UNREACHABLE), "host c1: no answer")


def test_a_host_that_cannot_be_asked_counts_as_the_last_build_it_proved() -> None:
    places = at("2023.1", "2023.1", release="", unknown=LOST)
    found = decide("keystone", desired(), places)
    assert "nobody knows what c1 runs" in found.verdict.text

    plan = decide("agent", desired(), at("2023.1")).plan
    assert plan is not None
    done = {step.id: (Attempt(1, AT, 1, Done(), AT),) for step in plan.steps}
    remembered = History(runs=(Run(id="r1", plan=plan, started_at=AT, attempts=done, ended="done", ended_at=AT),))
    assert decide("keystone", desired(), places, remembered).verdict.state is State.PROGRESSING


def test_a_fleet_that_was_not_looked_at_lets_no_leg_begin() -> None:
    bare = Scene(desired=desired(), catalog=CATALOG, history=History(), now=AT, order=None)

    assert judge("keystone", at()[:1], bare).verdict.reason == Reason.HOST_NOT_ASKED


def test_legs_that_go_over_each_others_stops_are_a_knot_with_a_way_out() -> None:
    wanted = desired()
    far = {name: replace(each, procedure="fast-forward", release="2024.1") for name, each in wanted.services.items()}
    found = decide("keystone", replace(wanted, services=far), at())

    assert (found.verdict.state, found.verdict.reason) == (State.BLOCKED, Reason.DEPENDENCY_KNOT)
    assert "keystone yoga to 2024.1 comes before agent yoga to 2024.1" in found.verdict.text
    assert found.verdict.hint == (
        "Cut agent yoga to 2024.1 and keystone yoga to 2024.1 at a stop: "
        "a procedure whose leg is a hop, or an earlier goal first."
    )
    together = replace(wanted, services=far, groups={"cloud": ("keystone", "agent")})
    cloud = judge("cloud", at(), scene(together, at()))
    assert cloud.verdict.state is State.PROGRESSING


def routes(plans: list[Plan | None]) -> list[list[tuple[str, ...]]]:
    return [[each.route for each in plan.services] for plan in plans if plan is not None]


def test_every_leg_to_the_goal_is_planned_ahead() -> None:
    places = at()
    plans = list(legs_ahead("keystone", places[:1], scene(desired("2024.1", "2024.1"), places)))

    assert routes(plans) == [[("yoga", "2023.1")], [("2023.1", "2024.1")]]
    second = plans[1]
    assert second is not None
    undo = next(step.undo for step in second.steps if step.id == "keystone.roll.install@ks2")
    assert undo is not None
    assert undo.args["path"] == "/srv/keystone/2023.1"  # where the first leg leaves it


def test_a_host_held_behind_does_not_hold_its_whole_service_where_it_is() -> None:
    wanted = desired(**HELD)
    wanted = replace(wanted, hosts=wanted.hosts | {"c2": replace(HOST, name="c2")})
    seen = Observations(hosts={"c1": running("2023.2"), "c2": running("yoga")})
    found = position_of(wanted.services["agent"], wanted, CATALOG, seen, History())

    assert found.release == "2023.2"


def running(release: str) -> Known[HostReport]:
    version = CATALOG.service("agent").at(release).final_version
    environment = Environment(path=f"/srv/keystone/{release}", switched_at=AT, versions={"keystone": version})
    report = HostReport(
        facts=Known(HostFacts("boot"), AT),
        environments={"/srv/keystone/current": Known(environment, AT)},
        units={"agent": Known(Unit("active", AT), AT)},
    )
    return Known(report, AT)


def test_a_rule_for_exposed_fleets_is_kept_until_somebody_says_that_this_one_is_not() -> None:
    exposed = load_catalog([AGENT | {"rules": [NEED | {"exposed": {"text": "fleets with OVN", "promql": "up"}}]}])
    wanted = desired()
    accept = Accept(what="not-exposed:need", by="ann", reason="we have no OVN", until=date(2026, 1, 2))

    def agent(state: Desired) -> Decision:
        bare = bound(Scene(desired=state, catalog=exposed, history=NOTHING, now=AT), Observations())
        return judge("agent", at()[1:], replace(bare, order=order_of(at(), bare)))

    assert agent(wanted).verdict.reason == Reason.DEPENDENCY
    assert "(for fleets with OVN; nothing shows that this fleet is none)" in agent(wanted).verdict.text
    assert agent(replace(wanted, accepts=(accept,))).verdict.state is State.PROGRESSING
    late = replace(accept, until=date(2026, 1, 1))
    assert agent(replace(wanted, accepts=(late,))).verdict.reason == Reason.DEPENDENCY


NEED = {
    "id": "need",
    "kind": "requires",
    "needs": {"service": "keystone", "release": "2023.1", "when": "before"},
    **FACT,
}


FABRIC = {"series": "sdn", "releases": [{"id": "1", "codename": "one"}, {"id": "2", "codename": "two"}]}
NEEDS_FABRIC = {
    "relations": "fabric",
    "rules": [
        {"id": "new", "service": "agent", "kind": "requires", "to": {"first": "2024.1"},
         "needs": {"service": "fabric", "release": "2", "when": "before"}, **FACT},
        {"id": "old", "service": "agent", "kind": "excludes", "to": {"last": "yoga"},
         "excludes": {"service": "fabric", "first": "2"}, **FACT},
    ],
}  # fmt: skip
BUILDS = {name: BuildSpec(form="packages", packages={"fabric": f"{name}.0"}) for name in ("1", "2")}


def with_fabric(policy: str, goal: str) -> tuple[Desired, Catalog, Observations]:
    """A fabric that others move, in the midst of what an agent on another host is to do."""
    fabric = {"service": "fabric", "series": "sdn", "releases_of": {}}
    known = load_catalog([FABRIC, fabric, AGENT | {"rules": [DIRECT]}, NEEDS_FABRIC])
    wanted = desired(agent=goal, procedure="downtime", policy=policy)
    sdn = replace(
        wanted.services["agent"], name="fabric", component="fabric", series="sdn", release="2", hosts=("f1",),
        bootstrap="f1", builds=BUILDS, units=(), moved_by="others", procedure="",
    )  # fmt: skip
    wanted = replace(
        wanted,
        hosts={"c1": HOST, "f1": replace(HOST, name="f1")},
        services={"agent": wanted.services["agent"], "fabric": sdn},
        groups={},
    )
    old = HostReport(
        facts=Known(HostFacts("boot"), AT), packages={"fabric": Known(Package("1.0", held=False, installed_at=AT), AT)}
    )
    return wanted, known, Observations(hosts={"c1": running("yoga"), "f1": Known(old, AT)})


DIRECT = {"id": "any", "kind": "direct", **FACT}


def test_others_move_the_fabric_in_mid_route_and_all_of_it_is_seen_beforehand() -> None:
    wanted, known, seen = with_fabric("supported", "2024.1")
    found = preview(wanted, known, seen, AT)

    assert [each.group for each in found] == ["agent", "fabric", "agent"]
    fabric = next(each for each in found if each.group == "fabric")
    assert fabric.plan is None
    assert fabric.others == "fabric is at 1, to be brought to 2"


def test_a_knot_with_what_others_move_is_untied_by_a_stop_between() -> None:
    wanted, known, seen = with_fabric("offline", "2024.1")
    (blocked,) = [each.plan for each in preview(wanted, known, seen, AT) if each.plan]

    assert [each.reason for each in blocked.blocked] == [Reason.DEPENDENCY_KNOT]
    assert blocked.blocked[0].hint == (
        "Stop between on the way of agent yoga to 2024.1: an earlier goal first, or the policy supported."
    )
