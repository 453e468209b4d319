"""Rounds of online data migrations, run in a real shell."""

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done
from reconciler.steps import Evidence, backfill


def tool(sandbox, *codes: int) -> None:
    """A tool that ends with these codes, one each time it is run, and then with 99."""
    ends = " ".join(f"{n}) exit {code} ;;" for n, code in enumerate(codes, start=1))
    sandbox.tool("toy-manage", f'case $(wc -l <"{sandbox.root}/log") in {ends} *) exit 99 ;; esac')


def rounds(sandbox, **changes):
    args = backfill.Model(service="toy", release="a", argv=("toy-manage", "db", "a b"), **changes)
    exited = sandbox.run(backfill.effect(args))
    return exited, backfill.judge(args, Evidence(exited))


def test_it_is_run_until_nothing_is_left(sandbox):
    tool(sandbox, 1, 1, 0)
    exited, outcome = rounds(sandbox)
    assert outcome == Done({"rounds": "3", "left": "0"}, "rounds: 3")
    assert sandbox.log == ["toy-manage db a b"] * 3
    assert exited.output.splitlines() == [f"round {n} of at most 100" for n in (1, 2, 3)]


def test_what_exit_codes_mean_is_data(sandbox):
    tool(sandbox, 0, 7, 8)
    _, outcome = rounds(sandbox, ended=(8, 9), more=(0, 7))
    assert outcome == Done({"rounds": "3", "left": "0"}, "rounds: 3")


def test_an_error_ends_it_at_once(sandbox):
    tool(sandbox, 1, 2, 0)
    exited, outcome = rounds(sandbox)
    assert (exited.code, exited.values) == (backfill.BROKEN, {"rounds": "2", "code": "2"})
    assert outcome.text.startswith("exit code 2 in round 2: ")
    assert len(sandbox.log) == 2


def test_a_code_that_is_none_of_them_is_an_error_even_if_it_is_0(sandbox):
    tool(sandbox, 0)
    exited, _ = rounds(sandbox, ended=(3,), more=())
    assert exited.code == backfill.BROKEN


def test_rounds_are_bounded(sandbox):
    tool(sandbox, *([1] * 9))
    exited, outcome = rounds(sandbox, rounds=4)
    assert (exited.code, exited.values) == (backfill.ENDLESS, {"rounds": "4"})
    assert "after 4 rounds toy-manage still says that more is left" in outcome.text
    assert len(sandbox.log) == 4


def test_a_program_or_folder_that_is_not_there_fails(sandbox):
    _, outcome = rounds(sandbox)
    assert "exit code 127 in round 1" in outcome.text
    exited, _ = rounds(sandbox, cwd="/no/such")
    assert exited.code not in {0, backfill.ENDLESS}


def test_no_round_is_no_backfill():
    with pytest.raises(ValidationError):
        backfill.Model(service="toy", release="a", argv=("toy-manage",), rounds=0)
