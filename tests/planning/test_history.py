"""What the journal says is known, or nothing is made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.chain import seal
from reconciler.domain.journal import GENESIS, Draft, Entry, Kind
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Json
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.errors import JournalError
from reconciler.planning.history import fold, unknown_steps
from reconciler.planning.serial import outcome_to_json, plan_to_json, step_to_json
from tests.planning.test_judge import PLAN

AT = datetime(2026, 1, 1, tzinfo=UTC)
STEP = PLAN.steps[0]


def written(*drafts: Draft) -> list[Entry]:
    found: list[Entry] = []
    for draft in drafts:
        found.append(seal(draft, len(found) + 1, AT, found[-1].hash if found else GENESIS))
    return found


def pinned(**more: Json) -> Draft:
    return Draft(Kind.PLAN_PINNED, group=PLAN.group, run="r1", body={"plan": {**plan_to_json(PLAN), **more}})


def result(**more: Json) -> Draft:
    body = {**outcome_to_json(Done()), "attempt": 1, **more}
    return Draft(Kind.RESULT, group=PLAN.group, run="r1", step=STEP.id, body=body)


@pytest.mark.parametrize("kind", sorted(value for name, value in vars(Kind).items() if name.isupper()))
def test_every_kind_of_entry_is_known(kind: str):
    said = ""
    try:
        fold(written(Draft(kind)))
    except JournalError as error:  # of an entry without its body
        said = str(error)
    assert f"KeyError: '{kind}'" not in said


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (Draft("wave_frozen", body={"wave": 2}), "entry 1 (wave_frozen), KeyError: 'wave_frozen'"),
        (pinned(freeze="at wave 2"), "a plan has no freeze"),
        (pinned(steps=[{**step_to_json(STEP), "only_if": "it rains"}]), "unexpected keyword argument 'only_if'"),
        (pinned(steps=[{**step_to_json(STEP), "phase": "thaw"}]), "'thaw' is not a valid Phase"),
        (result(outcome="deferred"), "no step ends as 'deferred'"),
    ],
)
def test_what_a_newer_version_wrote_is_refused_and_named(draft: Draft, said: str):
    with pytest.raises(JournalError) as caught:
        fold(written(draft))
    assert said in str(caught.value)
    assert caught.value.reason == Reason.JOURNAL_VERSION
    assert caught.value.hint


def test_a_step_of_an_unknown_kind_matters_while_its_leg_is_open():
    other = replace(PLAN, steps=(replace(STEP, kind="levitate"), *PLAN.steps[1:]))
    draft = Draft(Kind.PLAN_PINNED, group=PLAN.group, run="r1", body={"plan": plan_to_json(other)})
    ended = Draft(Kind.RUN_ENDED, group=PLAN.group, run="r1", body={"result": "done"})
    assert unknown_steps(fold(written(pinned()))) == ()
    assert unknown_steps(fold(written(draft))) == (f"r1: {STEP.id} (levitate)",)
    assert unknown_steps(fold(written(draft, ended))) == ()
    assert unknown_steps(History()) == ()
