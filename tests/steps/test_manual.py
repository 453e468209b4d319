import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Lost, Sample
from reconciler.domain.probe import HttpProbe, MetricProbe
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, Timed, manual
from reconciler.steps._asks import verdict

PROBE = HttpProbe(name="fabric", url="http://fabric/version", count=5, interval_s=0.1, warmup_s=1)
ASKED = manual.asked(manual.Model(text="Upgrade the fabric", probe=PROBE, every_s=60, patience_s=600))


@given(st.lists(st.sampled_from([True, False, None]), max_size=40))
def test_only_a_good_answer_ends_it_before_patience_does(oks):
    taken = []
    for number, ok in enumerate(oks):
        if verdict(ASKED, taken) is not None:
            break
        taken.append(Timed(60.0 * number, Sample(ok, "x")))
    good = any(timed.sample.ok for timed in taken)
    over = bool(taken) and taken[-1].elapsed_s >= 600
    assert (verdict(ASKED, taken) is None) == (not good and not over)
    assert isinstance(verdict(ASKED, taken), Done) == good


@pytest.mark.parametrize("more", [{"text": ""}, {"back_text": "x"}, {"back_probe": PROBE}, {"patience_s": 1e9}])
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        manual.Model.model_validate({"text": "x", "probe": PROBE, **more})


def test_where_nobody_could_tell_for_all_its_patience_nobody_takes_it_for_done():
    probe = MetricProbe(name="fabric", promql="fabric_version", good="some")
    args = manual.Model(text="Upgrade the fabric", probe=probe, every_s=60, patience_s=600)
    taken = (Timed(0.0, Sample(None, "silent")), Timed(600.0, Sample(None, "silent")))
    found = manual.judge(args, Evidence(answers={manual.asked(args): taken}))
    assert isinstance(found, Lost)
    assert found.reason == Reason.PROBE_INCONCLUSIVE
