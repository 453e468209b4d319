"""What people said is digested alike by a daemon to which more can be said."""

from __future__ import annotations

from dataclasses import field, make_dataclass
from typing import Any

import pytest

from reconciler.domain.said import FORM, digest_of_said

OLD: Any = make_dataclass("Thing", [("name", str), ("units", tuple, field(default=()))])
NEW: Any = make_dataclass(
    "Thing",
    [("name", str), ("more", dict, field(default_factory=dict)), ("units", tuple, field(default=())), ("odd", int, 7)],
)


def test_a_field_that_is_added_with_a_default_changes_no_digest():
    assert digest_of_said([OLD("a", ("u",))]) == digest_of_said([NEW("a", units=("u",))])
    assert digest_of_said(OLD("a")).startswith(FORM)


@pytest.mark.parametrize("other", [NEW("b"), NEW("a", units=("u",)), NEW("a", more={"x": 1}), NEW("a", odd=0)])
def test_whatever_is_said_changes_it(other: object):
    assert digest_of_said(NEW("a")) != digest_of_said(other)


def test_two_kinds_that_say_the_same_are_not_one():
    twin: Any = make_dataclass("Other", [("name", str)])
    assert digest_of_said(OLD("a")) != digest_of_said(twin("a"))


def test_sets_have_no_order_and_what_json_does_not_know_is_text():
    assert digest_of_said(frozenset({"b", "a"})) == digest_of_said(["a", "b"])
