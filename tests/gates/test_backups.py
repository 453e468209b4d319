"""A leg that writes databases waits for a backup set that is young and proved."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.domain.backup import BackupPolicy, BackupSet, Copy, SetKind, Trust
from reconciler.domain.gate import Holds
from reconciler.domain.reasons import Reason
from reconciler.gates import Case
from reconciler.gates.backups import judge
from tests.support.sample import DESIRED

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = BackupPolicy(trust=Trust.RESTORED, within_hours=24)


def kept(
    hours: int, trust: Trust | None = Trust.RESTORED, path: str = "/b/k.sql.gz", *, gone: bool = False
) -> BackupSet:
    return BackupSet(
        service="keystone",
        run="r1",
        release="yoga",
        kind=SetKind.REHEARSAL,
        made_at=NOW - timedelta(hours=hours),
        copies=(Copy(host="ks1", database="main", path=path, trust=trust),),
        removed_at=NOW if gone else None,
    )


def case(*sets: BackupSet, policy: BackupPolicy = DAY, begun: bool = False) -> Case:
    wanted = replace(DESIRED, backups={"keystone": policy})
    return Case(group="keystone", desired=wanted, now=NOW, begun=begun, sets={"keystone": sets})


def test_a_young_one_that_is_proved_so_far_opens_it():
    assert judge(case(kept(24), kept(900))) == ()
    assert judge(case(kept(1, Trust.READ_BACK), policy=replace(DAY, trust=Trust.READ_BACK))) == ()


def test_what_was_absent_needs_no_proof():
    assert judge(case(kept(1, None, path=""))) == ()


@pytest.mark.parametrize(
    ("sets", "text"),
    [
        ((), "there is no backup set; one restored within 24 h is asked for"),
        ((kept(1, Trust.READ_BACK),), "no backup set is proved so far; one restored within 24 h is asked for"),
        ((kept(1, gone=True),), "no backup set is proved so far; one restored within 24 h is asked for"),
        ((kept(25), kept(30)), "the newest backup set, r1, is 25 h old; one restored within 24 h is asked for"),
        ((kept(1, None),), "no backup set is proved so far; one restored within 24 h is asked for"),
    ],
)
def test_it_says_what_is_missing_before_the_pause(sets: tuple[BackupSet, ...], text: str):
    (found,) = judge(case(*sets))
    assert (found.reason, found.holds, found.text) == (Reason.BACKUP_MISSING, Holds.SERVING, f"keystone: {text}")
    assert "`reconciler rehearse keystone`" in found.hint


def test_a_leg_that_has_begun_makes_its_own():
    assert judge(case(begun=True)) == ()


def test_where_git_does_not_ask_nobody_does():
    assert judge(case(policy=BackupPolicy())) == ()
