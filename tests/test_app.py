from __future__ import annotations

from datetime import UTC, datetime

from reconciler.app import TOLD, read_revision
from reconciler.domain.revision import Revision


def revision(text: str) -> Revision:
    return Revision("a" * 40, "A <a@b>", "m", datetime(2026, 1, 1, tzinfo=UTC), {"fleet.yaml": text.encode()})


def test_the_problems_of_a_commit_are_told():
    assert [each.text.partition(": ")[0] for each in read_revision(revision("a: b\n" * 3)).problems] == [
        "fleet.yaml:1:1",
        "fleet.yaml:1:1",
        "fleet.yaml:2:1",
        "fleet.yaml:3:1",
    ]


def test_very_many_problems_are_told_short():
    *told, last = read_revision(revision("a: b\n" * 180_000)).problems
    assert len(told) == TOLD
    assert last.text == "and 981 more problems"
    assert "reconciler validate" in last.hint


def test_the_problem_of_a_commit_stays_within_its_line():
    (first, *_) = read_revision(revision("fleet: !%0Aforged {name: x}\n")).problems
    assert first.text.isprintable()
