"""Which deployment of a service serves, which takes over, and where a route is cut for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.desired import Deployment, Service
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Plan, ServiceRoute, Step
from reconciler.domain.procedure import Phase, Procedure
from reconciler.domain.run import Attempt, History, Run
from reconciler.planning.deployments import all_of, live, seen_as, serving_at, taken_back, to_come
from reconciler.planning.leg import legs_of

AT = datetime(2026, 1, 2, tzinfo=UTC)
ORDER = ("kilo", "liberty", "mitaka", "newton")
HOSTS = {"own": ("old1",), "liberty": ("new1",), "mitaka": ("new2",)}
NOVA = Service(
    name="nova",
    component="nova",
    series="openstack",
    release="mitaka",
    procedure="takeover",
    hosts=HOSTS["own"],
    replacements={name: Deployment(hosts=HOSTS[name], bootstrap=HOSTS[name][0]) for name in ("liberty", "mitaka")},
    deployment="own",
)


def cut_over(number: int, off: str, onto: str, *, done: bool = True) -> Run:
    """Return an ended run in which nova went from one deployment to another."""
    step = Step(id="nova.cutover.smoke", kind="probe", phase=Phase.CUTOVER, service="nova", title="smoke")
    route = ServiceRoute(service="nova", start="a", goal="b", route=("a", "b"), off=HOSTS[off], onto=HOSTS[onto])
    plan = Plan(id=f"p{number}", group="nova", inputs="i", services=(route,), steps=(step,))
    attempts = {step.id: (Attempt(1, AT, 1, Done({}), AT),)} if done else {}
    return Run(id=f"r{number}", plan=plan, started_at=AT, attempts=attempts, ended="done", ended_at=AT)


FIRST, SECOND = cut_over(1, "own", "liberty"), cut_over(2, "liberty", "mitaka")


@pytest.mark.parametrize(
    ("runs", "deployment"),
    [
        ((), "own"),
        ((FIRST,), "liberty"),
        ((FIRST, SECOND), "mitaka"),
        ((FIRST, cut_over(2, "liberty", "mitaka", done=False)), "liberty"),
    ],
)
def test_live_is_where_the_newest_cutover_went(runs: tuple[Run, ...], deployment: str):
    assert live(NOVA, History(runs=runs)).deployment == deployment


def later(ended: str, *, inherits: str = "", undoes: str = "") -> Run:
    """Return a run after the first cutover that moves nothing onto another deployment."""
    direction = "back" if undoes else "forward"
    route = ServiceRoute(service="nova", start="b", goal="b", route=("b",))
    plan = Plan(
        id="p9", group="nova", inputs="j", services=(route,), direction=direction, inherits=inherits, undoes=undoes
    )
    return Run(id="r9", plan=plan, started_at=AT, ended=ended, ended_at=AT)


@pytest.mark.parametrize(
    ("after", "deployment"),
    [
        (later("", inherits="r1"), "liberty"),
        (later("done", inherits="r1"), "liberty"),
        (later("abandoned", inherits="r1"), "liberty"),
        (later("abandoned", undoes="r1"), "liberty"),
        (later("abandoned"), "liberty"),
        (later("done", undoes="r1"), "own"),
        (later("backed_out", inherits="r1"), "own"),
    ],
)
def test_a_cutover_stands_until_it_is_taken_back_whatever_comes_of_its_leg(after: Run, deployment: str):
    first = replace(FIRST, ended="superseded") if after.plan.inherits else FIRST

    assert live(NOVA, History(runs=(first, after))).deployment == deployment


@pytest.mark.parametrize(
    ("release", "deployment"), [("kilo", "own"), ("liberty", "liberty"), ("mitaka", "mitaka"), ("newton", "mitaka")]
)
def test_a_deployment_serves_from_its_release_on_until_the_next_takes_over(release: str, deployment: str):
    assert serving_at(NOVA, release, ORDER).deployment == deployment


def test_hosts_to_come_are_those_between_the_live_deployment_and_the_goal():
    def ahead(service: Service, *runs: Run) -> list[str]:
        return [each.deployment for each in to_come(service, History(runs=runs), ORDER)]

    assert ahead(NOVA) == ["liberty", "mitaka"]
    assert ahead(NOVA, FIRST) == ["mitaka"]
    assert ahead(NOVA, FIRST, SECOND) == []
    assert ahead(replace(NOVA, release="liberty")) == ["liberty"]


def test_a_commit_takes_a_deployment_back_by_naming_one_that_was_replaced():
    def back(hosts: str, *runs: Run) -> bool:
        return taken_back(replace(NOVA, hosts=HOSTS[hosts], replacements={}), History(runs=runs), ORDER)

    assert not taken_back(NOVA, History(runs=(FIRST, SECOND)), ORDER)
    assert back("own", FIRST, SECOND)
    assert back("liberty", FIRST, SECOND)
    assert not back("mitaka", FIRST, SECOND)
    assert not back("liberty", FIRST)
    assert not back("own")
    assert back("own", FIRST, later("done", inherits="r1"))
    assert not back("own", FIRST, later("abandoned"))


def test_a_commit_takes_a_deployment_back_by_letting_it_take_over_only_beyond_the_goal():
    def moved(goal: str) -> Service:
        later = {"mitaka": NOVA.replacements["liberty"], "newton": NOVA.replacements["mitaka"]}
        return replace(NOVA, release=goal, replacements=later)

    assert taken_back(moved("liberty"), History(runs=(FIRST,)), ORDER)
    assert not taken_back(moved("mitaka"), History(runs=(FIRST,)), ORDER)
    assert not taken_back(moved("liberty"), History(), ORDER)


def test_databases_of_each_deployment_are_seen_under_a_name_of_their_own():
    assert [seen_as(each) for each in all_of(NOVA)] == ["nova", "nova@liberty", "nova@mitaka"]
    assert seen_as(replace(NOVA, replacements={}, deployment="")) == "nova"


def test_a_deployment_is_one_object_however_often_it_is_asked_for():
    assert [a is b for a, b in zip(all_of(NOVA), all_of(NOVA), strict=True)] == [True, True, True]


@pytest.mark.parametrize(
    ("leg", "stops", "legs"),
    [
        ("route", ORDER, (("kilo", "liberty"), ("liberty", "mitaka"), ("mitaka", "newton"))),
        ("route", ("kilo", "mitaka", "newton"), (("kilo", "mitaka"), ("mitaka", "newton"))),
        ("route", ("kilo", "newton"), (("kilo", "newton"),)),
        ("hop", ("mitaka", "newton"), (("mitaka", "newton"),)),
    ],
)
def test_a_route_is_cut_where_a_deployment_takes_over(leg: str, stops: tuple[str, ...], legs: object):
    assert legs_of(stops, Procedure(name="takeover", text="", leg=leg, phases=()), NOVA) == legs


def test_without_other_deployments_a_leg_is_a_hop_or_the_whole_route():
    plain = replace(NOVA, replacements={}, deployment="")
    whole, each = (Procedure(name="x", text="", leg=leg, phases=()) for leg in ("route", "hop"))
    assert legs_of(ORDER, whole, plain) == (ORDER,)
    assert legs_of(ORDER[:3], each, plain) == (("kilo", "liberty"), ("liberty", "mitaka"))
