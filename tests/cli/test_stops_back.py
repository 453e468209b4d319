"""How releases that can be gone back to are told, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.cli.stops_back import rows_of
from reconciler.planning.stops_back import StopBack

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
STOP = StopBack(
    service="keystone", release="2023.1", savepoint=True, made_at=AT, bytes=2048, hops=1, again_s=60, sealed_at=AT
)


def test_a_savepoint_is_told_with_all_that_it_costs():
    (found,) = rows_of([STOP])
    lost = "what was written since 2026-01-02 03:04 UTC, if `accept` says data-loss:keystone"
    assert found == ("keystone", "2023.1", "a savepoint", "2026-01-02 03:04 UTC", "2 KiB", "1 hop, 1 min", lost)


def test_what_nobody_knows_is_left_out_and_what_never_served_loses_nothing():
    start = replace(STOP, savepoint=False, made_at=None, bytes=None, hops=2, again_s=None, sealed_at=None)
    (found,) = rows_of([start])
    assert found[2:] == ("where the leg began", "-", "-", "2 hops", "nothing: it has not served since")
