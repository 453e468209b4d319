"""Commands with subjects that somebody mistyped: each is answered, for one that is not stays open and comes again."""

import pytest

from reconciler.domain.journal import Command
from reconciler.domain.run import History
from reconciler.planning.command import answer
from tests.planning.test_stops_back import AT, GOAL, run

VERBS = ("approve", "suspend", "resume", "retry", "clear-halt", "rehearse", "accept-history", "no-such-verb", "")
SUBJECTS = ("", "/", "//", "no-such", "keystone\n", "\0", "²", "keystone/", "9" * 5000, "\ud800", "$(id)", "../..")


@pytest.mark.parametrize("wave", ["abc", "-1", "²", "1.5", "9" * 5000, "99", "1/1"])
def test_a_wave_that_is_none_is_refused(wave):
    command = Command(1, "approve", f"keystone/{wave}", "ada", "", AT)
    drafts, text = answer(command, History(runs=(run(0),)), GOAL, "")
    assert drafts == ()
    assert "has no wave" in text


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_command_has_an_answer(verb, subject):
    _, text = answer(Command(1, verb, subject, "ada", "", AT), History(runs=(run(3),)), GOAL, "")
    assert text
