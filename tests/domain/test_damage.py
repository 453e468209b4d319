"""One changed byte of an entry is not only found but told: where it is, and what was written there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.domain.chain import seal, to_line
from reconciler.domain.damage import Change, change_in
from reconciler.domain.journal import GENESIS, Draft, Kind

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LINE = to_line(seal(Draft(Kind.RESULT, "g", "naïve", "s", {"outcome": "done", "attempt": 1}), 1, AT, GENESIS))
TEXTS = sorted(name for name, value in LINE.items() if isinstance(value, str))


def flipped(text: str, place: int, mask: int) -> str:
    raw = bytearray(text.encode())
    raw[place] ^= mask
    return raw.decode("utf-8", "surrogateescape")


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_changed_byte_of_any_field_is_told(data):
    name = data.draw(st.sampled_from(TEXTS))
    place = data.draw(st.integers(0, len(LINE[name].encode()) - 1))
    bad = flipped(LINE[name], place, data.draw(st.integers(1, 255)))

    found = change_in({**LINE, name: bad}, 1, GENESIS)

    assert isinstance(found, Change)
    assert (found.field, found.place) == (name, None if name == "prev" else place + 1)
    assert (found.stands in bad, found.stood in LINE[name]) == (True, True)
    assert bad.replace(found.stands, found.stood) == LINE[name]


@pytest.mark.parametrize(("name", "value"), [("seq", 9), ("prev", "f" * 64)])
def test_what_the_place_in_the_chain_tells_may_differ_as_a_whole(name, value):
    assert change_in({**LINE, name: value}, 1, GENESIS) == Change(name, str(value), str(LINE[name]))


def test_what_is_told_can_be_printed():
    found = change_in({**LINE, "body": flipped(LINE["body"], 15, 0x80)}, 1, GENESIS)

    assert found is not None
    assert found.text == (
        r"""in byte 16 of `body` stands 'ttempt":1,"o\udcf5tcome":"done', and 'ttempt":1,"outcome":"done' was written"""
    )


def test_more_than_one_changed_byte_is_not_guessed():
    assert change_in({**LINE, "group": "x", "step": "y"}, 1, GENESIS) is None
    assert change_in({**LINE, "body": "{}"}, 1, GENESIS) is None


def test_a_whole_entry_tells_of_no_change():
    assert change_in(LINE, 1, GENESIS) is None


def test_beside_a_long_text_only_flipped_bits_are_searched():
    long = to_line(seal(Draft(Kind.RESULT, body={"text": "x" * 1_000_000}), 1, AT, GENESIS))

    bit, byte = (change_in({**long, "at": flipped(long["at"], 3, mask)}, 1, GENESIS) for mask in (1, 3))

    assert bit == Change("at", "2027-01-02T03:04", "2026-01-02T03:04", 4)
    assert byte is None


def test_a_long_text_is_not_searched_for_ever():
    long = to_line(seal(Draft(Kind.RESULT, body={"text": "x" * 1_000_000}), 1, AT, GENESIS))

    assert change_in({**long, "body": flipped(long["body"], 500, 1)}, 1, GENESIS) is None
