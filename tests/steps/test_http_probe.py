from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.outcome import Done, Failed, Sample
from reconciler.domain.probe import HttpProbe
from reconciler.steps import Timed
from reconciler.steps.http_probe import next_wait, verdict

PROBE = HttpProbe(name="p", url="http://h", count=3, interval_s=0.5, warmup_s=10)


def samples(*pairs):
    return [Timed(elapsed, Sample(ok, "x")) for elapsed, ok in pairs]


def test_the_first_question_is_asked_at_once_and_the_next_after_the_interval():
    assert next_wait(PROBE, []) == 0.0
    assert next_wait(PROBE, samples((0, False))) == 0.5
    assert next_wait(PROBE, samples((0, True), (1, True))) == 0.5
    assert next_wait(PROBE, samples((0, True), (1, True), (2, True))) is None


def test_only_what_comes_before_the_first_good_answer_is_forgiven():
    assert isinstance(verdict(PROBE, samples((0, None), (9, False), (11, True), (12, True), (13, True))), Done)
    assert isinstance(verdict(PROBE, samples((0, True), (1, False))), Failed)
    assert isinstance(verdict(PROBE, samples((0, False), (10, None))), Failed)


@given(st.lists(st.sampled_from([True, False, None]), max_size=40))
def test_asking_ends_and_ends_with_a_verdict(oks):
    taken = []
    for at, ok in enumerate(oks):
        wait = next_wait(PROBE, taken)
        assert (wait is None) == (verdict(PROBE, taken) is not None)
        if wait is None:
            break
        taken.append(Timed(float(at), Sample(ok, "x")))
    assert len(taken) <= PROBE.warmup_s + 1 + PROBE.count
    if isinstance(verdict(PROBE, taken), Done):
        assert [one.sample.ok for one in taken[-3:]] == [True] * 3
