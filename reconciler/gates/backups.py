"""Lets a leg touch what serves only while a young and proved backup set of its databases is there, where git asks."""

from __future__ import annotations

from datetime import timedelta

from reconciler.domain.backup import BackupPolicy, BackupSet, Trust
from reconciler.domain.gate import Closed, Holds
from reconciler.domain.reasons import Reason, hint_of
from reconciler.gates import Case

NAME = "backups"


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for every service of which there is none; a leg that has begun makes one of its own."""
    if case.begun:
        return ()
    found = ((service, _lacks(sets, case.desired.backups_of(service), case)) for service, sets in case.sets.items())
    return tuple(_closed(service, text) for service, text in sorted(found) if text)


def _lacks(sets: tuple[BackupSet, ...], policy: BackupPolicy, case: Case) -> str:
    """Say what is wrong with the newest set that is proved far enough; empty where it is young enough too."""
    if policy.within_hours is None:
        return ""
    proved = [each for each in sets if _proved(each, policy.trust)]
    newest = max(proved, key=lambda each: each.made_at, default=None)
    wanted = f"one {_words(policy.trust)} within {policy.within_hours} h is asked for"
    if newest is None:
        return f"there is no backup set; {wanted}" if not sets else f"no backup set is proved so far; {wanted}"
    age = case.now - newest.made_at
    if age <= timedelta(hours=policy.within_hours):
        return ""
    return f"the newest backup set, {newest.run}, is {age.total_seconds() / 3600:.0f} h old; {wanted}"


def _proved(each: BackupSet, trust: Trust) -> bool:
    """Tell whether a set's dumps are still there and proved so far; of what was absent there is nothing to prove."""
    order = list(Trust)
    absent = all(copy.absent for copy in each.copies)
    return each.removed_at is None and (
        absent or (each.trust is not None and order.index(each.trust) >= order.index(trust))
    )


def _words(trust: Trust) -> str:
    return str(trust).replace("_", " ")


def _closed(service: str, text: str) -> Closed:
    reason = Reason.BACKUP_MISSING
    hint = hint_of(reason).replace("SERVICE", service)
    return Closed(gate=NAME, reason=str(reason), text=f"{service}: {text}", hint=hint, holds=Holds.SERVING)
