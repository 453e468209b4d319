"""The runner is killed before each command that it, its holder or its guard carries out; the next request looks.

bash calls a trap before every simple command, so that no place is forgotten when the runner changes. The command before
which it comes has its files open already, but has done nothing: half-written files are among the cuts.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from reconciler.adapters.runner import Reply, ask, command, disarm, request, start
from reconciler.domain.desired import Host
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited
from reconciler.domain.step_key import StepKey
from reconciler.ports import Died, Guard, HostStep, NeverStarted, Order, Reverted

pytestmark = pytest.mark.integration
KEY = StepKey("r1", "step", 1)
CUT = """set -T; trap 'echo >>"%(root)s/count"; mapfile -t reached <"%(root)s/count"
[ ${#reached[@]} -lt %(number)d ] || [ -e "%(root)s/cut" ] || { : >"%(root)s/cut"; kill -KILL %(victim)s; }' DEBUG
"""
EVERYTHING, ITSELF = "0", "$BASHPID"  # the whole process group, or the process alone that got there
PLACES = {"runner": "{\nshell=", "holder": "holder='\n", "guard": "guard='\n"}
PATIENCE_S = 60
DONE = Exited(0, "", {})


@dataclass
class Machine:
    """A folder that a runner works in. `number` counts the commands of `place` up to the one before which it is cut."""

    root: Path
    place: str = ""
    number: int = 0
    victim: str = EVERYTHING

    @property
    def host(self) -> Host:
        return Host(name="alpha", address="alpha.example", state_dir=str(self.root / "state"))

    @property
    def folder(self) -> Path:
        return self.root / "state/steps/r1/step/1"

    def order(self, guard: Guard | None = None) -> Order:
        script = HostScript(body='echo "did with $token" >>"$1"\n', args=(str(self.root / "ledger"),))
        return Order(KEY, 1, script, {"token": "t1"}, 60, guard)

    @property
    def was_cut(self) -> bool:
        """Tell whether the command was reached before which it is cut."""
        return (self.root / "cut").exists()

    def ledger(self, name: str = "ledger") -> list[str]:
        file = self.root / name
        return file.read_text().splitlines() if file.exists() else []

    def said(self, orders: str, *, cut: bool = False) -> HostStep | None:
        """Let a runner carry an order out, and return what it said of the step in the end."""
        text = request(orders, "bash").decode()
        if cut:
            before = PLACES[self.place]
            trap = CUT % vars(self)
            trap = trap.replace("'", "'\\''") if before.endswith("'\n") else trap
            assert before in text
            text = text.replace(before, f"{{\n{trap}shell=" if self.place == "runner" else before + trap, 1)
        argv = ["sh", "-c", command(self.host, "bash")]
        done = subprocess.run(argv, input=text.encode(), stdout=subprocess.PIPE, check=False, start_new_session=True)
        assert cut or done.returncode == 0
        reply = Reply()
        reply.feed(done.stdout)
        assert not reply.refused, reply.refused
        assert cut or reply.ended
        return reply.steps.get(0)

    def asked(self) -> HostStep | None:
        return self.said(ask(self.host, [KEY]))

    def all_ended(self, lock: str) -> None:
        """Wait until nobody holds a lock of the step, if it was made."""
        end = time.monotonic() + PATIENCE_S
        file = self.folder / lock
        while file.exists() and subprocess.run(["flock", "-n", "-s", file, "true"], check=False).returncode:
            assert time.monotonic() < end, self
            time.sleep(0.01)


def cut_everywhere(root: Path, place: str, victim: str, run: Callable[[Machine], object]) -> int:
    """Cut before the first command, the second, and so on; return before how many."""
    for number in count(1):
        folder = root / str(number)
        folder.mkdir()
        machine = Machine(folder, place, number, victim)
        run(machine)
        if not machine.was_cut:
            return number - 1
    raise AssertionError


@pytest.mark.parametrize("victim", [EVERYTHING, ITSELF])
def test_a_runner_that_is_killed_anywhere_has_started_its_step_once_or_not_at_all(tmp_path: Path, victim: str) -> None:
    def run(machine: Machine) -> None:
        machine.said(start(machine.host, machine.order()), cut=True)
        machine.all_ended("lock")
        before, done = machine.asked(), machine.ledger()
        found = machine.said(start(machine.host, machine.order()))
        if before == NeverStarted():
            assert (done, found) == ([], DONE)
        else:
            assert (machine.ledger(), found) == (done, before)
        assert found == (DONE if machine.ledger() else Died(rebooted=False))

    assert cut_everywhere(tmp_path, "runner", victim, run) > 60


@pytest.mark.parametrize("victim", [EVERYTHING, ITSELF])
def test_a_holder_that_is_killed_anywhere_left_a_whole_exit_code_or_none(tmp_path: Path, victim: str) -> None:
    def run(machine: Machine) -> None:
        machine.said(start(machine.host, machine.order()), cut=True)
        machine.all_ended("lock")
        found, done = machine.asked(), machine.ledger()
        assert isinstance(found, Exited | Died), found
        assert machine.said(start(machine.host, machine.order())) == found
        assert machine.ledger() == done
        assert done == ["did with t1"] or (done == [] and found != DONE)

    assert cut_everywhere(tmp_path, "holder", victim, run) > 15


@pytest.mark.parametrize("victim", [EVERYTHING, ITSELF])
def test_a_guard_that_is_killed_anywhere_reverts_once_or_not_at_all(tmp_path: Path, victim: str) -> None:
    def run(machine: Machine) -> None:
        revert = HostScript(body='echo reverted >>"$1"\n', args=(str(machine.root / "reverted"),))
        machine.said(start(machine.host, machine.order(Guard(revert, limit_s=0, within_s=0))), cut=True)
        machine.all_ended("guard/lock")
        found = machine.said(disarm(machine.host, KEY, 1))
        assert machine.said(disarm(machine.host, KEY, 1)) == found
        assert machine.ledger() == ["did with t1"]
        reverted = machine.ledger("reverted")
        if isinstance(found, Reverted):
            assert reverted == ["reverted"] or (reverted == [] and found.code != 0)
        else:
            assert (found, reverted) == (DONE, [])

    assert cut_everywhere(tmp_path, "guard", victim, run) > 20
