"""What every journal promises; run against the fake and against the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.adapters.inbox import Inbox
from reconciler.adapters.journal import SqlJournal
from reconciler.domain.chain import Place, verify
from reconciler.domain.journal import GENESIS, Draft, Kind
from reconciler.domain.plan import Json
from reconciler.domain.reasons import Reason
from reconciler.domain.segment import Cut, segments_of
from reconciler.errors import JournalError
from reconciler.ports import Journal
from tests.fakes.clock import VirtualClock
from tests.fakes.journal import Fault, Killed, MemoryJournal, Store

INTENT = Draft(Kind.INTENT, "identity", "run-1", "identity.migrate", {"attempt": 1, "epoch": 1})
RESULT = Draft(Kind.RESULT, "identity", "run-1", "identity.migrate", {"attempt": 1, "outcome": "done", "values": {}})


class Bench:
    """A journal, how to open it anew after the daemon died, and the operator's side of it."""

    def __init__(self, open_journal: Callable[[], Journal], ask: Callable[[str], int], clock: VirtualClock) -> None:
        self._open = open_journal
        self.ask = ask
        self.clock = clock
        self.journal = open_journal()

    def restart(self) -> Journal:
        if isinstance(self.journal, SqlJournal):
            self.journal.close()
        self.journal = self._open()
        return self.journal


@pytest.fixture(params=["memory", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    clock = VirtualClock()
    if request.param == "memory":
        store = Store.empty()
        made = Bench(
            lambda: MemoryJournal(clock, store),
            lambda verb: MemoryJournal.ask(made.journal, verb, "identity", "ada", "why"),
            clock,
        )
        yield made
        return
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    made = Bench(
        lambda: SqlJournal.acquire(url, clock),
        lambda verb: Inbox(url, clock).ask(verb, "identity", "ada", "why"),
        clock,
    )
    yield made
    made.journal.close()


def test_starts_empty(bench):
    assert list(bench.journal.read()) == []
    assert list(bench.journal.commands()) == []


def test_returns_what_it_wrote(bench):
    written = bench.journal.append([INTENT, RESULT])

    assert list(bench.journal.read()) == list(written)
    assert [(e.seq, e.kind, e.group, e.run, e.step, e.body) for e in written] == [
        (1, INTENT.kind, INTENT.group, INTENT.run, INTENT.step, INTENT.body),
        (2, RESULT.kind, RESULT.group, RESULT.run, RESULT.step, RESULT.body),
    ]
    assert {e.at for e in written} == {bench.clock.now()}
    assert written[0].prev == GENESIS
    assert written[1].prev == written[0].hash


def test_survives_a_restart_and_goes_on(bench):
    before = bench.journal.append([INTENT])

    after = bench.restart().append([RESULT])

    assert list(bench.journal.read()) == [*before, *after]
    assert verify(bench.journal.read()) is None


def test_sees_new_entries_at_each_read(bench):
    counts = []
    for _ in range(3):
        bench.journal.append([INTENT, RESULT])
        counts.append(len(bench.journal.read()))

    assert counts == [2, 4, 6]


def test_what_was_read_does_not_grow_behind_the_readers_back(bench):
    seen = bench.journal.read()

    bench.journal.append([INTENT])

    assert len(seen) == 0


def test_writes_nothing_for_nothing(bench):
    assert list(bench.journal.append([])) == []
    assert list(bench.journal.read()) == []


def test_the_epoch_rises_with_each_lease(bench):
    first = bench.journal.epoch

    assert bench.restart().epoch == first + 1
    assert bench.restart().epoch == first + 2


def test_keeps_odd_text_as_it_is(bench):
    body = {
        "quote": "'\"; DROP TABLE entries",
        "lines": "a\nb\0c",
        "host": "\udcff",
        "emoji": "🚀",
        "deep": [[{"a": None}]],
    }

    written = bench.journal.append([Draft(Kind.RESULT, body=body)])

    assert bench.restart().read()[0].body == body == written[0].body


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": object()}], ids=["nan", "object"])
def test_refuses_what_is_not_json_and_writes_nothing_of_its_company(bench, body):
    with pytest.raises(JournalError):
        bench.journal.append([INTENT, Draft(Kind.RESULT, body=body)])

    assert list(bench.journal.read()) == []


def test_hands_over_commands_in_order_until_they_are_answered(bench):
    first = bench.ask("suspend")
    second = bench.ask("resume")

    commands = bench.journal.commands()
    bench.journal.answer(
        commands[0], [Draft(Kind.SUSPENDED, "identity", body={"by": "ada", "why": "why"})], "suspended"
    )

    assert [(c.id, c.verb, c.subject, c.by, c.why) for c in commands] == [
        (first, "suspend", "identity", "ada", "why"),
        (second, "resume", "identity", "ada", "why"),
    ]
    assert commands[0].at == bench.clock.now()
    assert [c.id for c in bench.journal.commands()] == [second]
    assert [e.kind for e in bench.journal.read()] == [Kind.SUSPENDED]


def test_answers_a_command_that_leads_to_nothing(bench):
    bench.ask("resume")

    assert list(bench.journal.answer(bench.journal.commands()[0], [], "was not suspended")) == []
    assert list(bench.restart().commands()) == []


def test_answers_a_command_once(bench):
    bench.ask("suspend")
    command = bench.journal.commands()[0]
    bench.journal.answer(command, [], "done")

    with pytest.raises(JournalError):
        bench.journal.answer(command, [INTENT], "done again")

    assert list(bench.journal.read()) == []


def test_commands_survive_a_restart(bench):
    bench.ask("suspend")

    assert [c.verb for c in bench.restart().commands()] == ["suspend"]


def test_errors_carry_a_reason(bench):
    with pytest.raises(JournalError) as caught:
        bench.journal.append([Draft(Kind.RESULT, body={"x": float("inf")})])

    assert caught.value.reason == Reason.JOURNAL_UNWRITABLE


# ---------------------------------------------------------------- sealing


def cut_of(journal: Journal, *kept: int) -> Cut:
    last = journal.read()[-1]
    body: dict[str, Json] = {"runs": [], "begun": 0, "halts": 0, "sums": {}}
    return Cut(upto=Place(last.seq, last.hash), kept=frozenset(kept), body=body)


def test_what_is_sealed_goes_but_for_what_is_kept(bench):
    written = bench.journal.append([INTENT, RESULT, INTENT, RESULT])

    sealed = bench.journal.seal(cut_of(bench.journal, 2))

    assert list(bench.journal.read()) == [written[1], sealed]
    assert (sealed.seq, sealed.prev) == (5, written[3].hash)
    assert [(each.first, each.last, each.head) for each in segments_of(sealed)] == [(1, 4, written[3].hash)]


def test_the_journal_goes_on_behind_a_checkpoint(bench):
    bench.journal.append([INTENT, RESULT])
    sealed = bench.journal.seal(cut_of(bench.journal))

    (after,) = bench.restart().append([INTENT])

    assert list(bench.journal.read()) == [sealed, after]
    assert list(bench.journal.read(sealed)) == [after]
    assert (after.seq, after.prev) == (4, sealed.hash)


def test_a_second_segment_begins_with_the_checkpoint_of_the_first(bench):
    for _ in range(2):
        bench.journal.append([INTENT, RESULT])
        sealed = bench.journal.seal(cut_of(bench.journal, 1))

    assert [(each.first, each.last) for each in segments_of(sealed)] == [(1, 2), (3, 5)]
    assert [entry.seq for entry in bench.restart().read()] == [1, 6]


def test_nothing_is_sealed_that_the_cut_was_not_made_of(bench):
    bench.journal.append([INTENT, RESULT])
    cut = cut_of(bench.journal)
    bench.journal.append([INTENT])

    assert bench.journal.seal(cut) is None
    assert len(bench.journal.read()) == 3


# ---------------------------------------------------------------- the fake's own menu


@pytest.mark.parametrize(
    ("fault", "error", "kept"),
    [
        (Fault.REFUSED, JournalError, 1),
        (Fault.UNSURE, JournalError, 2),
        (Fault.KILLED_BEFORE, Killed, 1),
        (Fault.KILLED_AFTER, Killed, 2),
    ],
)
def test_faults_hit_one_write_before_or_after_it(fault, error, kept):
    journal = MemoryJournal(VirtualClock())
    journal.fail(fault, at_write=2)

    journal.append([INTENT])
    with pytest.raises(error):
        journal.append([RESULT])

    assert len(journal.read()) == kept
    journal.append([INTENT])
    assert len(journal.read()) == kept + 1
    assert journal.writes == 3


def test_a_newer_lease_on_the_same_store_shuts_the_older_one_out():
    old = MemoryJournal(VirtualClock())
    new = MemoryJournal(VirtualClock(), old.store)

    with pytest.raises(JournalError) as caught:
        old.append([INTENT])

    assert caught.value.reason == Reason.JOURNAL_LEASE_LOST
    assert len(new.append([INTENT])) == 1
