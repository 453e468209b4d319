"""Answers that are worked out once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.domain.memo import memo
from tests.support.sample import KEYSTONE


class Counter:
    def __init__(self) -> None:
        self.asked = 0
        self.ask = memo(self._count)

    def _count(self, name: str, *values: object) -> tuple[str, int]:
        self.asked += 1
        return name, self.asked


def test_the_very_same_values_are_asked_about_once():
    counter, fleet = Counter(), {"hosts": 3}

    assert counter.ask("nova", fleet) == counter.ask("".join(["no", "va"]), fleet) == ("nova", 1)


def test_values_that_are_equal_are_not_the_same():
    counter = Counter()

    assert counter.ask("nova", {"hosts": 3}) != counter.ask("nova", {"hosts": 3})


def test_every_argument_counts():
    counter, first, then = Counter(), [1], [2]

    asked = [counter.ask(name, each, first) for name in ("nova", "cinder") for each in (first, then)]

    assert len(set(asked)) == len(asked)


def test_of_each_name_only_the_newest_are_held():
    counter, fleets = Counter(), [{"hosts": number} for number in range(3)]

    before = [counter.ask("nova", fleet) for fleet in fleets]
    other = counter.ask("cinder", fleets[0])

    assert [counter.ask("nova", fleet) for fleet in fleets[1:]] == before[1:]
    assert counter.ask("cinder", fleets[0]) == other
    assert counter.ask("nova", fleets[0]) != before[0]


def test_each_deployment_of_a_service_has_a_name_of_its_own():
    counter = Counter()
    deployments = [replace(KEYSTONE, deployment=name) for name in ("", "blue", "green")]

    before = [counter.ask("stands", each) for each in deployments]

    assert [counter.ask("stands", each) for each in deployments] == before


def test_days_sets_and_tuples_are_known_by_what_is_in_them():
    counter, fleet = Counter(), [1]

    asked = {counter.ask("nova", (fleet,), date(2026, 1, 1), frozenset({"a"})) for _ in range(2)}

    assert len(asked) == 1
    assert counter.ask("nova", (fleet,), date(2026, 1, 2), frozenset({"a"})) not in asked
    assert counter.ask("nova", ([1],), date(2026, 1, 1), frozenset({"a"})) not in asked
