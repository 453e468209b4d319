"""What a catalog asks of a fleet that was asked whether it is exposed, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Accept, Service
from reconciler.domain.observation import Absent, Known, Observations, Observed, Unknown
from reconciler.domain.relation import Finding
from reconciler.domain.route import RoutePolicy
from reconciler.domain.run import History
from reconciler.planning.exposure import bound, questions, together
from reconciler.planning.route import find_route
from reconciler.planning.scene import Scene
from tests.support.sample import DESIRED

AT = datetime(2026, 1, 2, tzinfo=UTC)
RULE = "rabbitmq-khepri"
RABBIT = Service(name="rabbit", component="rabbitmq", series="rabbitmq", release="4.0", procedure="fast-forward")
FLEET = replace(DESIRED, services={**DESIRED.services, "rabbit": RABBIT})
EXPOSED = Known(Finding(exposed=True, text="exit code 0"), AT)
CLEAR = Known(Finding(exposed=False, text="exit code 1"), AT)
LOST = Unknown("HostUnreachable", "mq1 does not answer", AT)


def scene(*accepts: Accept) -> Scene:
    return Scene(desired=replace(FLEET, accepts=accepts), catalog=load_catalog(), history=History(), now=AT)


def seen(answer: Observed[Finding] | None) -> Observations:
    return Observations(exposures={} if answer is None else {("rabbit", RULE): answer})


def hop(found: Scene) -> tuple[bool, str]:
    """Return whether 3.13 leads to 4.0, and what is said about it."""
    route = find_route(found.catalog, "rabbitmq", "3.13", "4.0", RoutePolicy.OFFLINE)
    gates = [gate.text for each in route.hops for gate in each.gates if gate.id == RULE]
    refused = [each.reason.text for each in route.refused if each.reason.rule == RULE]
    return route.found, " ".join((*gates, *refused))


def test_every_rule_with_a_question_is_asked_of_each_service_of_its_component():
    second = replace(FLEET, services={**FLEET.services, "rabbit-two": replace(RABBIT, name="rabbit-two")})
    asked = [(each.service, each.rule.id) for each in questions(second, load_catalog())]
    assert asked == [("rabbit", RULE), ("rabbit-two", RULE)]


def test_a_rule_that_only_a_person_can_judge_is_not_asked_and_stays_a_condition():
    assert [each for each in questions(DESIRED, load_catalog()) if each.service == "keystone"] == []
    assert bound(scene(), seen(CLEAR)).catalog.service("keystone") is scene().catalog.service("keystone")


def test_a_fleet_that_is_not_exposed_is_not_bound():
    assert hop(bound(scene(), seen(CLEAR))) == (True, "")


def test_an_exposed_fleet_is_refused_with_what_was_seen():
    found, said = hop(bound(scene(), seen(EXPOSED)))
    assert not found
    assert "this fleet is: exit code 0" in said


def test_what_nobody_can_tell_counts_as_exposed():
    found, said = hop(bound(scene(), seen(LOST)))
    assert not found
    assert "nobody can tell whether this fleet is: mq1 does not answer" in said


def test_a_fleet_that_was_not_asked_sees_the_condition():
    found, said = hop(bound(scene(), seen(None)))
    assert found
    assert said.startswith("Only for clusters of 3.13 with the feature flag khepri_db enabled:")


@pytest.mark.parametrize("answer", [EXPOSED, LOST, CLEAR, None])
def test_what_a_person_answers_for_outweighs_every_answer(answer: Observed[Finding] | None):
    taken = Accept(what=f"not-exposed:{RULE}", by="ann", reason="rebuilt last week", until=date(2026, 1, 2))
    assert hop(bound(scene(taken), seen(answer))) == (True, "")


def test_an_acceptance_that_has_ended_binds_nobody():
    late = Accept(what=f"not-exposed:{RULE}", by="ann", reason="rebuilt", until=date(2026, 1, 1))
    assert not hop(bound(scene(late), seen(EXPOSED)))[0]


def test_a_catalog_that_asks_nothing_of_the_fleet_stays_the_same():
    bare = Scene(desired=DESIRED, catalog=load_catalog(), history=History(), now=AT)
    assert bound(bare, Observations()).catalog is bare.catalog


@pytest.mark.parametrize(
    ("answers", "sum_"),
    [
        ([CLEAR, EXPOSED, LOST], EXPOSED.value),
        ([CLEAR, LOST], LOST),
        ([CLEAR, CLEAR], CLEAR.value),
        ([CLEAR, None], None),
        ([CLEAR, Absent(AT)], None),
        ([], None),
    ],
)
def test_one_that_is_exposed_is_enough_and_all_must_be_clear(answers, sum_):
    assert together(answers) == sum_
