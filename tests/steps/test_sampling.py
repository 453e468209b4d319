"""The rule of sampling: good in a row, forgiven before the first good one, and never good by silence."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.outcome import Done, Failed, Lost, Sample
from reconciler.domain.probe import MetricProbe
from reconciler.domain.reasons import Reason
from reconciler.steps import Timed
from reconciler.steps._sampling import next_wait, verdict

PROBE = MetricProbe(name="p", promql="up", good="some", count=3, interval_s=0.5, warmup_s=10)
Pairs = tuple[tuple[float, bool | None], ...]


def judged(*pairs: tuple[float, bool | None]) -> Done | Failed | Lost | None:
    return verdict(PROBE, [Timed(at, Sample(ok, "x")) for at, ok in pairs], "somewhere")


def test_good_ones_must_come_in_a_row():
    assert judged((0, True), (1, True)) is None
    assert isinstance(judged((0, True), (1, True), (2, True)), Done)
    assert judged((0, True), (1, True), (2, None), (3, True), (4, True)) is None
    assert isinstance(judged((0, True), (1, True), (2, None), (3, True), (4, True), (5, True)), Done)


def test_a_bad_one_after_a_good_one_is_the_end_and_before_it_is_forgiven_for_a_while():
    assert isinstance(judged((0, True), (1, False)), Failed)
    assert isinstance(judged((0, True), (1, None), (2, False)), Failed)
    assert judged((0, False), (9, False)) is None
    assert isinstance(judged((0, False), (10, False)), Failed)


def test_silence_is_neither_and_ends_without_a_verdict_of_either_kind():
    assert judged((0, None), (9, None)) is None
    found = judged((0, None), (10, None))
    assert isinstance(found, Lost)
    assert found.reason == Reason.PROBE_INCONCLUSIVE
    assert judged((0, None), (9, True), (11, None), (20, None)) is None
    assert isinstance(judged((0, None), (9, True), (11, None), (21, None)), Lost)


def test_good_and_silent_ones_in_turn_do_not_go_on_for_ever():
    turns = tuple((float(at), True if at % 2 == 0 else None) for at in range(9))
    assert judged(*turns[:6]) is None
    assert isinstance(judged(*turns), Lost)


@given(st.lists(st.sampled_from([True, False, None]), max_size=120))
def test_asking_ends_and_nothing_but_good_ones_in_a_row_is_good(oks: list[bool | None]):
    taken: list[Timed] = []
    for at, ok in enumerate(oks):
        if next_wait(PROBE, taken) is None:
            break
        taken.append(Timed(float(at), Sample(ok, "x")))
    found = verdict(PROBE, taken, "somewhere")
    assert (next_wait(PROBE, taken) is None) == (found is not None)
    assert len(taken) <= 4 * PROBE.warmup_s + (PROBE.count + 1) ** 2
    if isinstance(found, Done):
        assert [one.sample.ok for one in taken[-3:]] == [True] * 3


def test_of_one_that_was_good_before_no_bad_answer_is_forgiven_and_silence_is_for_a_while():
    steady = replace(PROBE, steady=True)
    assert isinstance(verdict(steady, [Timed(0.0, Sample(False, "x"))], ""), Failed)
    assert verdict(steady, [Timed(0.0, Sample(None, "x"))], "") is None
