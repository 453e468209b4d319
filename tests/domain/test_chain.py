"""Any change to what was written is found, and found where it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.domain.canonical import canonical
from reconciler.domain.chain import Break, from_lines, hash_of, seal, to_line, verify
from reconciler.domain.journal import GENESIS, Draft, Entry, Kind
from reconciler.errors import JournalError

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
BODY = {"text": "naïve ☃ \x1b", "values": {"b": [1, 2.5, None, True], "a": "x"}}


def chain(*bodies: dict) -> list[Entry]:
    entries: list[Entry] = []
    for body in bodies:
        prev = entries[-1].hash if entries else GENESIS
        entries.append(seal(Draft(Kind.RESULT, "g", "r", "s", body), len(entries) + 1, AT, prev))
    return entries


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
bodies = st.dictionaries(st.text(), json_values, max_size=4)


def test_an_empty_chain_holds():
    assert verify([]) is None
    assert list(from_lines([])) == []


@given(st.lists(bodies, max_size=4))
def test_what_is_sealed_verifies_and_reads_back_the_same(contents):
    entries = chain(*contents)

    assert verify(entries) is None
    assert list(from_lines(map(to_line, entries))) == entries


def test_the_hash_is_pinned_for_ever():
    entry = chain(BODY)[0]

    assert entry.hash == "d721f4cb2c0553ca67426a95e33edff4e5ecf51431c40e536e2aff1d69f24a91"


def test_entries_name_their_moment_in_utc():
    entry = seal(Draft(Kind.RESULT), 1, AT.astimezone(timezone(timedelta(hours=2))), GENESIS)

    assert entry.at.tzinfo is UTC
    assert entry == seal(Draft(Kind.RESULT), 1, AT, GENESIS)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_flipped_byte_is_found_where_it_is(data):
    lines = [to_line(entry) for entry in chain(BODY, {}, BODY)]
    at = data.draw(st.integers(0, 2), "entry")
    name = data.draw(st.sampled_from(sorted(lines[at])), "field")
    value = str(lines[at][name]).encode()
    flipped = bytearray(value)
    if not value:
        flipped = bytearray(b"x")
    else:
        flipped[data.draw(st.integers(0, len(value) - 1), "byte")] ^= data.draw(st.integers(1, 255), "bits")
    text = flipped.decode(errors="surrogateescape")
    lines[at][name] = int(text) if name == "seq" and text.strip().isdecimal() else text

    found = from_lines(lines)

    assert isinstance(found, Break)
    assert found.seq == at + 1


@pytest.mark.parametrize("field", ["seq", "at", "kind", "group", "run", "step", "body", "prev", "hash"])
@pytest.mark.parametrize("value", [None, b"\xff", 7, "", "[]", "{"])
def test_a_field_of_another_type_is_found(field, value):
    lines = [to_line(entry) for entry in chain(BODY, BODY)]
    lines[1][field] = value

    assert isinstance(found := from_lines(lines), Break)
    assert found.seq == 2


def test_the_same_json_in_another_writing_is_found():
    line = to_line(chain({"text": "é"})[0])
    assert "\\u00e9" in line["body"]

    found = from_lines([{**line, "body": line["body"].replace("\\u00e9", "\\u00E9")}])

    assert isinstance(found, Break)


@pytest.mark.parametrize(
    ("kept", "seq"),
    [([1, 2], 1), ([0, 2], 2), ([1, 0, 2], 1), ([0, 1, 1, 2], 3), ([0, 2, 1], 2)],
    ids=["first gone", "one gone", "first two swapped", "one twice", "last two swapped"],
)
def test_removed_repeated_and_reordered_entries_are_found(kept, seq):
    entries = chain({"n": 1}, {"n": 2}, {"n": 3})

    found = verify([entries[index] for index in kept])

    assert isinstance(found, Break)
    assert found.seq == seq


def test_an_entry_forged_with_a_right_hash_breaks_its_successor():
    entries = chain({"n": 1}, {"n": 2})
    forged = replace(entries[0], body={"n": 0})
    forged = replace(forged, hash=hash_of(forged))

    assert verify([forged]) is None
    assert verify([forged, entries[1]]) == Break(2, "entry 2 does not continue its predecessor")


def test_goes_on_after_what_is_known_to_be_good():
    entries = chain({"n": 1}, {"n": 2}, {"n": 3})

    assert verify(entries[1:], after=entries[0]) is None
    assert verify(entries[2:], after=entries[0]) == Break(2, "entry 2 is missing: number 3 stands in its place")


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": {1, 2}}, {("a", "b"): 1}], ids=["nan", "set", "tuple key"])
def test_refuses_what_is_not_json(body):
    with pytest.raises(JournalError, match="result"):
        seal(Draft(Kind.RESULT, body=body), 1, AT, GENESIS)


def test_canonical_text_does_not_depend_on_order():
    assert canonical({"b": 1, "a": [1, {"d": 1, "c": 2}]}) == '{"a":[1,{"c":2,"d":1}],"b":1}'
