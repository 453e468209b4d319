"""Values that steps leave for later ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, Run
from reconciler.planning.values import MOST, with_values

AT = datetime(2026, 1, 2, tzinfo=UTC)


def saved(host: str, service: str = "nova") -> Step:
    return Step(
        id=f"{service}.roll.flows@{host}",
        kind="command",
        phase=Phase.ROLL,
        service=service,
        title="save flows",
        host=host,
        args={"argv": ["save"]},
        name="flows",
    )


def restore(host: str = "c1", ok: str = "0") -> Step:
    args = {"argv": ["restore", "{value:flows.path}"], "ok": [ok]}
    return replace(saved(host), id=f"nova.roll.restore@{host}", title="restore flows", name="", args=args)


def run(*left: tuple[Step, dict[str, str]], id_: str = "r1") -> Run:
    plan = Plan(id="p", group="nova", inputs="i", services=(), steps=tuple(step for step, _ in left))
    attempts = {step.id: (Attempt(1, AT, 1, Done(values), AT),) for step, values in left}
    return Run(id=id_, plan=plan, started_at=AT, attempts=attempts)


@pytest.mark.parametrize(
    ("left", "path"),
    [
        (((saved("c1"), {"path": "/one"}), (saved("c2"), {"path": "/two"}), (saved("boot"), {"path": "/b"})), "/one"),
        (((saved("c2"), {"path": "/two"}), (saved("boot"), {"path": "/b"}), (saved(""), {"path": "/d"})), "/b"),
        (((saved("c2"), {"path": "/two"}), (saved(""), {"path": "/d"})), "/d"),
        (((saved("c1", "other"), {"path": "/o"}), (saved("boot"), {"path": "/b"})), "/b"),
        (((saved("c1", "other"), {"path": "/o"}),), "/o"),
    ],
)
def test_a_value_is_that_of_the_same_host_else_of_bootstrap_else_of_the_daemon(left, path: str) -> None:
    found = with_values(restore(), [run(*left)], "boot")

    assert isinstance(found, Step)
    assert found.args["argv"] == ["restore", path]


def test_a_newer_run_says_more_than_the_one_it_follows() -> None:
    newer, older = run((saved("c1"), {"path": "/new"})), run((saved("c1"), {"path": "/old"}), id_="r0")

    found = with_values(restore(), [newer, older], "boot")

    assert isinstance(found, Step)
    assert found.args["argv"] == ["restore", "/new"]


def test_a_later_step_of_the_same_name_hides_no_value_that_it_does_not_leave() -> None:
    gone = replace(saved("c1"), id="nova.finish.flows@c1")

    found = with_values(restore(), [run((saved("c1"), {"path": "/one"}), (gone, {}))], "boot")

    assert isinstance(found, Step)
    assert found.args["argv"] == ["restore", "/one"]


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        ((), Reason.VALUE_MISSING),
        (((saved("c2"), {"path": "/two"}),), Reason.VALUE_MISSING),
        (((saved("c1"), {"other": "/one"}),), Reason.VALUE_MISSING),
        (((saved("c1"), {"path": ""}),), Reason.VALUE_MISSING),
        (((saved("c1"), {"path": "x" * (MOST + 1)}),), Reason.VALUE_INVALID),
        (((saved("c1"), {"path": "--os-auth-url=http://evil"}),), Reason.VALUE_INVALID),
        (((saved("c1"), {"path": "/one {secret:admin}"}),), Reason.VALUE_INVALID),
    ],
)
def test_what_cannot_be_filled_fails_with_its_own_reason(left, reason: Reason) -> None:
    found = with_values(restore(), [run(*left)], "boot")

    assert isinstance(found, Failed)
    assert found.reason == reason


def test_a_value_that_does_not_fit_its_place_is_refused_before_anything_begins() -> None:
    step = restore(ok="{value:flows.path}")

    found = with_values(step, [run((saved("c1"), {"path": "/one"}))], "boot")

    assert isinstance(found, Failed)
    assert found.reason == Reason.VALUE_INVALID
    assert "ok.0" in found.text


def test_a_step_without_values_is_left_as_it_is() -> None:
    assert with_values(saved("c1"), [], "boot") is not None
    assert with_values(saved("c1"), [], "boot") == saved("c1")
