"""Whether users notice a step."""

from __future__ import annotations

import pytest

from reconciler.planning.notice import Notice, notices
from tests.planning.graphs import ALL_STOPPED, plan, step

NONE, DEGRADED, PAUSE = Notice.NONE, Notice.DEGRADED, Notice.PAUSE


def test_a_pause_begins_with_quiesce_and_ends_when_the_canary_was_checked():
    assert notices(ALL_STOPPED, {"s": 2}) == {
        "prepare.fetch@a": NONE,
        "prepare.fetch@b": NONE,
        "quiesce.stop@a": PAUSE,
        "quiesce.stop@b": PAUSE,
        "migrate.sync@a": PAUSE,
        "roll.install@a": PAUSE,
        "roll.start@a": PAUSE,
        "roll.check@a": PAUSE,
        "roll.start@b": DEGRADED,
        "finish.smoke": NONE,
    }


def test_hosts_that_the_plan_leaves_alone_go_on_serving():
    assert set(notices(ALL_STOPPED, {"s": 3}).values()) == {NONE, DEGRADED}


def test_one_host_at_a_time_is_degraded():
    rolling = plan(
        *(step(f"roll.{what}@a", wave=0) for what in ("stop", "start", "check")),
        *(step(f"roll.{what}@b", wave=1) for what in ("restart", "check")),
        step("contract.drop@a"),
    )

    found = notices(rolling, {})

    assert found.pop("contract.drop@a") is NONE
    assert set(found.values()) == {DEGRADED}


def test_the_only_host_is_all_there_is():
    found = notices(plan(step("roll.restart@a", wave=0), step("roll.check@a", wave=0)), {"s": 1})

    assert set(found.values()) == {PAUSE}


def test_a_replacement_pauses_to_its_cutover():
    replacing = plan(
        step("quiesce.stop@old"),
        step("load.load@new"),
        step("roll.start@new", wave=0),
        step("cutover.point-dns"),
        step("retire.remove@old"),
    )

    found = notices(replacing, {"s": 1})

    assert found["cutover.point-dns"] is PAUSE
    assert found["roll.start@new"] is PAUSE


def test_services_of_a_group_are_looked_at_by_themselves():
    both = plan(step("quiesce.stop@a", service="s"), step("prepare.fetch@a", service="t"))

    assert notices(both, {}) == {"quiesce.stop@a": PAUSE, "prepare.fetch@a": NONE}


@pytest.mark.parametrize(
    ("kind", "out", "back"),
    [
        ("container", {"action": "stop"}, {"action": "start"}),
        ("load_balancer", {"state": "drain"}, {"state": "ready"}),
        ("cluster_manager", {"state": "standby"}, {"state": "online"}),
        ("units", {"state": "stopped"}, {"state": "started"}),
    ],
)
def test_other_ways_to_be_out_of_work(kind: str, out: dict[str, str], back: dict[str, str]):
    found = notices(
        plan(
            step("roll.out@a", kind=kind, args=out, wave=0),
            step("backfill.rows@a"),
            step("roll.back@a", kind=kind, args=back, wave=1),
            step("finish.smoke"),
        ),
        {"s": 2},
    )

    assert list(found.values()) == [DEGRADED, DEGRADED, DEGRADED, NONE]


def test_a_reboot_is_over_when_its_round_is():
    found = notices(plan(step("roll.reboot@a", kind="reboot", args={}, wave=0), step("finish.smoke")), {"s": 1})

    assert list(found.values()) == [PAUSE, NONE]
