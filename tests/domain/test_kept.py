"""Answers that are worked out once."""

from __future__ import annotations

from reconciler.domain.kept import kept


class Counter:
    def __init__(self) -> None:
        self.asked = 0
        self.ask = kept(self._count)

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


def test_only_the_newest_last_arguments_are_held():
    counter, fleets = Counter(), [{"hosts": number} for number in range(3)]

    before = [counter.ask("nova", fleet) for fleet in fleets]

    assert [counter.ask("nova", fleet) for fleet in fleets[1:]] == before[1:]
    assert counter.ask("nova", fleets[0]) != before[0]
