import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.steps import watch


@pytest.fixture
def order(sandbox):
    """`ping` answers while the file `up` is there."""
    up = sandbox.root / "up"
    up.touch()
    sandbox.tool("ping", f'[ -e "{up}" ] || {{ echo "no answer"; exit 1; }}')

    def run(action, **more):
        return sandbox.run(watch.effect(watch.Model(name="canary", action=action, ping="192.0.2.7", **more)))

    run.up, run.folder = up, sandbox.home / "saved/run-1/watch/canary"
    yield run
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / "stop").touch()


def until(reached):
    while not reached():
        time.sleep(0.1)


def samples(order):
    return (order.folder / "samples").read_text().splitlines()


def sampler(order):
    """Return the process that runs the sampler."""
    script = str(order.folder / "sampler").encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if script in (process / "cmdline").read_bytes().split(b"\0"):
                return int(process.name)
    return None


def test_a_watch_samples_on_its_own_and_sums_up(order):
    assert order("start").code == 0
    until(lambda: len(samples(order)) > 1)
    exited = order("check")
    assert exited.code == 0
    assert "0 bad" in exited.output
    ended = order("stop")
    assert ended.code == 0
    assert int(ended.values["good"]) >= 2
    assert (ended.values["bad"], "first_bad" in ended.values) == ("0", False)
    assert int(ended.values["longest_gap_s"]) >= 0
    assert sampler(order) is None


def test_one_bad_sample_is_found_however_late_it_is_looked_for(order):
    assert order("start").code == 0
    order.up.unlink()
    until(lambda: any(" bad " in line for line in samples(order)))
    order.up.touch()
    until(lambda: " good " in samples(order)[-1])
    exited = order("check")
    assert exited.code == watch.BAD
    assert "no answer" in exited.output
    ended = order("stop")
    assert ended.code == 0
    assert int(ended.values["bad"]) >= 1
    assert ended.values["first_bad"].endswith("Z")


def test_bad_samples_in_a_row_can_be_forgiven(order):
    assert order("start", forgive=100).code == 0
    order.up.unlink()
    until(lambda: any(" bad " in line for line in samples(order)))
    assert order("check", forgive=100).code == 0


def test_what_is_not_good_from_the_start_is_not_watched(order):
    order.up.unlink()
    exited = order("start")
    assert exited.code == watch.BAD
    assert "not good from the start" in exited.output
    assert sampler(order) is None


def test_a_dead_sampler_is_a_failure_and_can_be_started_again(order):
    assert order("start").code == 0
    os.kill(sampler(order), signal.SIGKILL)
    until(lambda: sampler(order) is None)
    (order.folder / "lock").touch()
    until(lambda: "dead" in order("check").output)
    before = len(samples(order))
    assert order("start").code == 0
    until(lambda: len(samples(order)) > before)
    assert order("check").code == 0
    assert int(order("stop").values["good"]) > before


def test_starting_twice_is_starting_once(order):
    assert order("start").code == 0
    first = sampler(order)
    assert "watched already" in order("start").output
    assert sampler(order) == first


def test_a_silent_sampler_is_a_failure(order):
    assert order("start").code == 0
    os.kill(sampler(order), signal.SIGSTOP)
    sums = order.folder / "sums"
    words = sums.read_text().split()
    sums.write_text(" ".join([*words[:5], "1000000000", *words[6:]]) + "\n")
    exited = order("check")
    os.kill(sampler(order), signal.SIGCONT)
    assert exited.code == watch.BAD
    assert "silent" in exited.output


def test_samples_are_capped_and_sums_are_not(order):
    order.folder.mkdir(parents=True)
    (order.folder / "samples").write_text("x" * 1048576)
    assert order("start").code == 0
    until((order.folder / "samples.before").exists)
    until((order.folder / "samples").exists)
    assert (order.folder / "samples").stat().st_size < 1000


def test_a_check_without_a_start_fails_and_a_stop_does_not(order):
    assert order("check").code == watch.BAD
    assert order("stop").code == 0


@pytest.mark.parametrize("more", [{"name": "../x"}, {"action": "pause"}, {"interval_s": 0}, {"tcp": "h:1"}])
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        watch.Model.model_validate({"name": "n", "action": "start", "ping": "h", **more})


def test_a_run_that_takes_over_checks_and_ends_what_another_one_watches(order, sandbox):
    assert order("start").code == 0
    sandbox.run_id = "run-2"
    assert "nothing is watched" in order("check").output
    exited = order("check", run="run-1")
    assert (exited.code, "0 bad" in exited.output) == (0, True)
    assert order("stop", run="run-1").code == 0
    assert sampler(order) is None
