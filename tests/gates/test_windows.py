"""When legs may begin and go on, from literals and by law."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.domain.reasons import Reason
from reconciler.domain.window import Window
from reconciler.gates import Case, closed
from reconciler.gates.windows import is_open, judge, next_change
from tests.support.sample import DESIRED

NIGHTS = Window(name="nights", effect="allow", zone="Europe/Berlin", cron="0 22 * * 1-5", duration_h=6)
FREEZE = Window(name="freeze", effect="deny", zone="Europe/Berlin", first=date(2026, 12, 20), last=date(2027, 1, 3))
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    """Read a local time of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def case(now: datetime, *windows: Window, begun: bool = False, least_s: float = 0.0) -> Case:
    return Case(group="keystone", desired=replace(DESIRED, windows=windows), now=now, begun=begun, least_s=least_s)


def reasons(found: Case) -> list[str]:
    return [each.reason for each in judge(found)]


def test_without_windows_it_is_always_open():
    assert reasons(case(at("2026-11-26 12:00"))) == []


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        ("2026-11-26 21:59", False),  # a Thursday
        ("2026-11-26 22:00", True),
        ("2026-11-27 03:59", True),
        ("2026-11-27 04:00", False),
        ("2026-11-28 03:59", True),  # Friday's night ends on Saturday
        ("2026-11-28 22:00", False),
    ],
)
def test_a_recurring_window_opens_and_closes_to_the_minute(now: str, open_: bool):
    assert is_open([NIGHTS], at(now)) is open_
    assert (reasons(case(at(now), NIGHTS)) == []) is open_


def test_it_says_when_it_opens():
    (found,) = judge(case(at("2026-11-28 12:00"), NIGHTS))
    assert found.until == at("2026-11-30 22:00")
    assert found.text == "no window is open; it opens 2026-11-30 21:00 UTC"


def test_a_freeze_denies_whatever_allows_and_lasts_to_the_end_of_its_last_day():
    assert is_open([FREEZE], at("2026-12-19 23:59"))
    assert not is_open([FREEZE], at("2026-12-20 00:00"))
    assert not is_open([FREEZE], at("2027-01-03 23:59"))
    (found,) = judge(case(at("2026-12-22 23:00"), NIGHTS, FREEZE))
    assert found.until == at("2027-01-04 22:00")  # a Monday
    assert found.text.startswith("window freeze denies; it opens 2027-01-04 21:00 UTC")


def test_a_window_of_other_groups_is_none():
    assert reasons(case(at("2026-11-28 12:00"), replace(NIGHTS, groups=frozenset({"nova"})))) == []
    assert reasons(case(at("2026-11-28 12:00"), replace(NIGHTS, groups=frozenset({"keystone"})))) != []


def test_a_leg_that_does_not_fit_is_not_begun_and_one_that_was_begun_goes_on():
    late = at("2026-11-27 03:00")
    assert reasons(case(late, NIGHTS, least_s=3600)) == []
    (found,) = judge(case(late, NIGHTS, least_s=3601))
    assert (found.reason, found.until) == (Reason.WINDOW_TOO_SHORT, at("2026-11-27 22:00"))
    assert found.text == (
        "the leg takes 3601 s at least, and the window closes 2026-11-27 03:00 UTC; it opens again 2026-11-27 21:00 UTC"
    )
    assert reasons(case(late, NIGHTS, least_s=3601, begun=True)) == []


def test_an_open_leg_waits_when_its_window_has_closed_unless_it_may_overrun():
    day = at("2026-11-27 04:00")
    assert reasons(case(day, NIGHTS, begun=True)) == [Reason.WINDOW_CLOSED]
    overrun = replace(NIGHTS, overrun=True)
    assert reasons(case(day, overrun, begun=True)) == []
    assert reasons(case(day, overrun)) == [Reason.WINDOW_CLOSED]
    assert reasons(case(at("2026-12-22 12:00"), overrun, FREEZE, begun=True)) == [Reason.WINDOW_CLOSED]


def test_a_gate_that_is_waived_is_not_asked():
    assert closed(case(at("2026-11-28 12:00"), NIGHTS))
    assert closed(replace(case(at("2026-11-28 12:00"), NIGHTS), waived=frozenset({"windows"}))) == ()


def test_what_never_opens_again_says_so():
    past = replace(FREEZE, effect="allow", first=date(2020, 1, 1), last=date(2020, 1, 2))
    (found,) = judge(case(at("2026-11-26 12:00"), past))
    assert found.until is None
    assert "none opens within 400 days" in found.text


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-28 23:30", "2026-03-29 05:00"),  # the clocks go forward at 2: six real hours
        ("2026-10-24 23:30", "2026-10-25 03:00"),  # and back at 3
    ],
)
def test_hours_are_real_hours_over_a_change_of_the_clocks(now: str, until: str):
    window = replace(NIGHTS, cron="0 22 * * *")
    assert is_open([window], at(now))
    assert next_change([window], at(now)) == at(until)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
def test_a_start_that_the_clocks_jump_over_still_comes(zone: str):
    window = Window(name="w", effect="allow", zone=zone, cron="30 2 * * *", duration_h=1)
    days = [datetime(2026, month, 1, tzinfo=UTC) + timedelta(days=day) for month in (3, 10, 11) for day in range(31)]
    for day in days:
        opens = [day + timedelta(minutes=15 * step) for step in range(96)]
        assert any(is_open([window], each) for each in opens), day


MOMENTS = st.integers(0, 2 * 366 * 24 * 60).map(lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m))
WINDOWS = st.builds(
    Window,
    name=st.just("w"),
    effect=st.sampled_from(["allow", "deny"]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]),
    cron=st.sampled_from(["0 22 * * 1-5", "30 2 * * *", "0 0 1 * *", "15 */6 * * *"]),
    duration_h=st.sampled_from([0.5, 2, 6, 30]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(WINDOWS, max_size=3), MOMENTS)
def test_what_denies_wins(windows: list[Window], now: datetime):
    denying = [each for each in windows if each.effect == "deny"]
    if not is_open(denying, now):
        assert not is_open(windows, now)


@settings(deadline=None, max_examples=40)
@given(st.lists(WINDOWS, min_size=1, max_size=3), MOMENTS)
def test_nothing_is_open_outside_every_window_that_allows(windows: list[Window], now: datetime):
    allowing = [each for each in windows if each.effect == "allow"]
    if allowing and not any(is_open([each], now) for each in allowing):
        assert not is_open(windows, now)


@settings(deadline=None, max_examples=40)
@given(st.lists(WINDOWS, min_size=1, max_size=3), MOMENTS)
def test_the_next_change_is_a_change_and_the_first_one(windows: list[Window], now: datetime):
    change = next_change(windows, now)
    if change is not None:
        assert change > now
        assert is_open(windows, change) != is_open(windows, now)
        between = [now + (change - now) * share / 16 for share in range(16)]
        assert {is_open(windows, each) for each in between} == {is_open(windows, now)}
