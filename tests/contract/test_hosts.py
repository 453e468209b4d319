"""What every implementation of ports.Hosts must do, asked of the fake and of a real sshd."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.script import render_script, render_secrets
from reconciler.domain.desired import Host
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited
from reconciler.domain.step_key import StepKey
from reconciler.domain.text import clean_text
from reconciler.execution.forgetting import KEY, SCRIPT
from reconciler.ports import (
    Answer,
    Died,
    Fenced,
    Guard,
    Hosts,
    HostStep,
    NeverStarted,
    Order,
    Question,
    Running,
    Unreachable,
)
from tests.fakes.hosts import FakeHosts
from tests.support.sshd import Sshd, running_sshd

LIMIT = 1024 * 1024


class World(Protocol):
    """Hosts, one machine of them, and the hand that plays tricks on it."""

    hosts: Hosts
    host: Host
    folder: Path

    def gated(self, step: str, body: str) -> str:
        """Let a step run until `open_gate`, and then its body."""

    def open_gate(self, step: str) -> None: ...

    def kill(self, step: str) -> None: ...

    def cut(self) -> None:
        """Break the link; the next one is whole again."""

    def lost_host(self) -> Host: ...


@dataclass
class FakeWorld:
    hosts: FakeHosts
    host: Host
    folder: Path

    def gated(self, step: str, body: str) -> str:
        self.hosts.faults.held.add(step)
        return body

    def open_gate(self, step: str) -> None:
        self.hosts.release(step)

    def kill(self, step: str) -> None:
        self.hosts.kill(self.host.name)

    def cut(self) -> None:
        self.hosts.cut(self.host.name)
        self.hosts.mend(self.host.name)

    def lost_host(self) -> Host:
        self.hosts.cut("omega")
        return dataclasses.replace(self.host, name="omega")


@dataclass
class RealWorld:
    hosts: SshHosts
    host: Host
    folder: Path
    sshd: Sshd

    def gated(self, step: str, body: str) -> str:
        gate, session = self.folder / f"{step}.gate", self.folder / f"{step}.session"
        return f"echo $$ >{session}; until [ -e {gate} ]; do sleep 0.02; done\n{body}"

    def open_gate(self, step: str) -> None:
        (self.folder / f"{step}.gate").touch()

    def kill(self, step: str) -> None:
        os.killpg(int((self.folder / f"{step}.session").read_text()), signal.SIGKILL)

    def cut(self) -> None:
        self.sshd.cut()

    def lost_host(self) -> Host:
        (self.folder / "known_hosts").write_text(self.sshd.known_hosts.read_text().replace(str(self.host.port), "1"))
        with self.sshd.known_hosts.open("a") as file:
            file.write((self.folder / "known_hosts").read_text())
        return dataclasses.replace(self.host, name="omega", port=1)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "fake":
        host = Host(name="alpha", address="alpha.example", state_dir="/state")
        yield FakeWorld(FakeHosts(_carry_out, _look), host, tmp_path)
        return
    server: Sshd = request.getfixturevalue("sshd")
    host = dataclasses.replace(server.host(), state_dir=str(tmp_path / "state"))
    hosts = SshHosts(server.settings(answer_limit=LIMIT))
    yield RealWorld(hosts, host, tmp_path, server)
    await hosts.close()


def _carry_out(host: Host, order: Order) -> Exited:
    """Do in the fake what a host would do."""
    script = render_secrets(order.secrets) + render_script(order.script)
    read, write = os.pipe()
    with os.fdopen(read, "rb") as values:
        env = {"PATH": os.environ["PATH"], "RECONCILER_VALUES": f"/proc/self/fd/{write}"}
        env |= {"RECONCILER_HOME": host.state_dir, "RECONCILER_RUN": order.key.run}
        done = subprocess.run(
            ["sh", "-c", script],
            env=env,
            pass_fds=[write],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        os.close(write)
        pairs = [line.partition("=") for line in values.read().decode().splitlines()]
    return Exited(done.returncode, clean_text(done.stdout, 65536), {name: value for name, _, value in pairs})


def _look(_host: Host, questions: Sequence[Question]) -> Mapping[str, Answer]:
    def answer(question: Question) -> Answer:
        done = subprocess.run(
            ["sh", "-c", question.script, "sh", *question.args],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return Answer(done.returncode, done.stdout[:LIMIT])

    return {question.key: answer(question) for question in questions}


def order(body: str, step: str = "step", epoch: int = 1, **script: object) -> Order:
    secrets = script.pop("plain", {})
    return Order(StepKey("run-1", step, 1), epoch, HostScript(body=body, **script), secrets, 60)


async def stand(world: World, step: str = "step") -> HostStep:
    key = StepKey("run-1", step, 1)
    answer = await world.hosts.ask(world.host, [key])
    assert not isinstance(answer, Unreachable), answer
    return answer[key]


async def end(world: World, step: str = "step") -> HostStep:
    await world.hosts.wait(world.host, StepKey("run-1", step, 1))
    return await stand(world, step)


async def test_a_step_ends_with_its_exit_code_output_and_values(world: World) -> None:
    body = 'echo "$1 $WORD"; echo oops >&2; printf "count=3\nlast=a=b" >>"$RECONCILER_VALUES"; exit 7'
    first = await world.hosts.start(world.host, order(body, args=("it's $HOME",), env={"WORD": 'a "b"\nc'}))
    assert isinstance(first, Running | Exited)
    assert await end(world) == Exited(7, 'it\'s $HOME a "b"\nc\noops\n', {"count": "3", "last": "a=b"})


async def test_a_step_knows_its_run_and_the_hosts_folder_of_ours(world: World) -> None:
    await world.hosts.start(world.host, order('echo "$RECONCILER_RUN in $RECONCILER_HOME"'))
    assert await end(world) == Exited(0, f"run-1 in {world.host.state_dir}\n")


async def test_a_failing_command_ends_a_body_that_asked_for_it(world: World) -> None:
    await world.hosts.start(world.host, order("set -eu\nfalse\necho not reached"))
    assert await end(world) == Exited(1, "")


async def test_secrets_reach_the_body_and_no_child_of_it(world: World) -> None:
    body = 'printf "%s" "$PASSWORD" | wc -c; env | grep -c "^PASSWORD=" ; exit 0'
    await world.hosts.start(world.host, order(body, env={"PASSWORD_FILE": "x"}, plain={"PASSWORD": "s'e\ncret\n"}))
    assert await end(world) == Exited(0, "9\n0\n")


async def test_a_step_that_was_never_started_is_told_so(world: World) -> None:
    assert await stand(world) == NeverStarted()


async def test_no_questions_have_no_answers(world: World) -> None:
    assert await world.hosts.ask(world.host, []) == {}
    assert await world.hosts.look(world.host, []) == {}


async def test_starting_twice_attaches(world: World) -> None:
    ledger = world.folder / "ledger"
    body = world.gated("step", f"echo executed >>{ledger}")
    again = order(body)
    assert await world.hosts.start(world.host, again) == Running()
    assert await world.hosts.start(world.host, again) == Running()
    world.open_gate("step")
    assert await end(world) == Exited(0, "")
    assert await world.hosts.start(world.host, again) == Exited(0, "")
    assert ledger.read_text() == "executed\n"


async def test_starting_twice_at_once_executes_once(world: World) -> None:
    ledger = world.folder / "ledger"
    again = order(f"echo executed >>{ledger}")
    await asyncio.gather(*(world.hosts.start(world.host, again) for _ in range(5)))
    assert await end(world) == Exited(0, "")
    assert ledger.read_text() == "executed\n"


async def test_a_running_step_is_told_so_until_it_has_ended(world: World) -> None:
    await world.hosts.start(world.host, order(world.gated("step", "echo done")))
    assert await stand(world) == Running()
    waiting = asyncio.create_task(world.hosts.wait(world.host, StepKey("run-1", "step", 1)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    world.open_gate("step")
    await waiting
    assert await stand(world) == Exited(0, "done\n")


async def test_several_steps_are_asked_for_at_once(world: World) -> None:
    await world.hosts.start(world.host, order("exit 1", "one"))
    await world.hosts.start(world.host, order(world.gated("two", ":"), "two"))
    await world.hosts.wait(world.host, StepKey("run-1", "one", 1))
    keys = [StepKey("run-1", step, 1) for step in ("one", "two", "three")]
    answer = await world.hosts.ask(world.host, keys)
    world.open_gate("two")
    assert answer == {keys[0]: Exited(1, ""), keys[1]: Running(), keys[2]: NeverStarted()}


async def test_a_killed_step_died(world: World) -> None:
    await world.hosts.start(world.host, order(world.gated("step", "echo done")))
    world.kill("step")
    assert await end(world) == Died(rebooted=False)
    assert await world.hosts.start(world.host, order("echo again")) == Died(rebooted=False)


async def test_an_older_epoch_is_refused_once_a_newer_one_was_seen(world: World) -> None:
    await world.hosts.start(world.host, order(":", "new", epoch=9))
    ledger = world.folder / "ledger"
    assert await world.hosts.start(world.host, order(f"touch {ledger}", "old", epoch=8)) == Fenced(9)
    assert await world.hosts.start(world.host, order(":", "new", epoch=8)) == Fenced(9)
    assert await stand(world, "old") == NeverStarted()
    assert not ledger.exists()
    assert isinstance(await world.hosts.start(world.host, order(":", "newer", epoch=10)), Running | Exited)


async def test_a_guarded_step_is_told_until_it_has_ended(world: World) -> None:
    guarded = order(world.gated("step", "echo done"))
    guarded = dataclasses.replace(guarded, guard=Guard(HostScript(body="exit 1"), 60, 60))
    assert await world.hosts.disarm(world.host, guarded.key, 1) == NeverStarted()
    await world.hosts.start(world.host, guarded)
    assert await world.hosts.disarm(world.host, guarded.key, 1) == Running()
    world.open_gate("step")
    await world.hosts.wait(world.host, guarded.key)
    assert await world.hosts.disarm(world.host, guarded.key, 2) == Exited(0, "done\n")
    assert await world.hosts.disarm(world.host, guarded.key, 2) == Exited(0, "done\n")
    assert await world.hosts.disarm(world.host, guarded.key, 1) == Fenced(2)
    assert getattr(await world.hosts.disarm(world.lost_host(), guarded.key, 2), "reason", "") == "HostUnreachable"


async def test_a_cut_link_does_not_end_a_step(world: World) -> None:
    await world.hosts.start(world.host, order(world.gated("step", "echo survived")))
    waiting = asyncio.create_task(world.hosts.wait(world.host, StepKey("run-1", "step", 1)))
    await asyncio.sleep(0)
    world.cut()
    world.open_gate("step")
    await waiting
    assert await end(world) == Exited(0, "survived\n")


async def test_a_host_that_is_not_there_is_unreachable(world: World) -> None:
    host = world.lost_host()
    answers = [
        await world.hosts.start(host, order(":")),
        await world.hosts.ask(host, [StepKey("run-1", "step", 1)]),
        await world.hosts.look(host, [Question("uptime", "uptime")]),
    ]
    assert [getattr(answer, "reason", answer) for answer in answers] == ["HostUnreachable"] * 3
    await world.hosts.wait(host, StepKey("run-1", "step", 1))
    await world.hosts.forget(host, ["run-1"])


async def test_questions_are_answered_each_with_its_code(world: World) -> None:
    questions = [
        Question("words", 'printf "%s|" "$@"; exit 3', ("a b", "$(reboot)", "it's\n")),
        Question("missing", "no-such-tool --version"),
        Question("quiet", ":"),
        Question("greedy", "cat"),
    ]
    assert await world.hosts.look(world.host, questions) == {
        "words": Answer(3, b"a b|$(reboot)|it's\n|"),
        "missing": Answer(127, b""),
        "quiet": Answer(0, b""),
        "greedy": Answer(0, b""),
    }


async def test_hostile_answers_arrive_as_they_are_but_capped(world: World) -> None:
    hostile = rb"\033[31m\0\377\376end of answer\n0 answered 0\nreconciler 1\n"
    questions = [
        Question("hostile", f"printf '{hostile.decode()}'"),
        Question("flood", "head -c 5000000 /dev/zero"),
        Question("after", "echo fine"),
    ]
    answers = await world.hosts.look(world.host, questions)
    assert not isinstance(answers, Unreachable)
    assert answers["hostile"].output == b"\033[31m\0\377\376end of answer\n0 answered 0\nreconciler 1\n"
    assert answers["flood"].output == b"\0" * LIMIT
    assert answers["after"] == Answer(0, b"fine\n")


async def test_hostile_step_output_is_cleaned_and_its_tail_kept(world: World) -> None:
    body = r"""head -c 5000000 /dev/zero | tr '\0' x
printf '\n\033[31mred\033[0m\0\377 \342\200\256end of answer\n1 never\n'"""
    await world.hosts.start(world.host, order(body))
    ended = await end(world)
    assert isinstance(ended, Exited)
    assert ended.output.endswith("x\nred� end of answer\n1 never\n")
    assert 60_000 < len(ended.output) <= 65_536


async def test_only_ended_steps_of_the_runs_that_are_named_are_forgotten(world: World) -> None:
    mine, other = StepKey("run-1", "step", 1), StepKey("run-0", "step", 1)
    lasting = StepKey("run-0", "lasting", 1)
    body = world.gated("lasting", "echo done")
    for key, text in ((mine, ":"), (other, ":"), (lasting, body)):
        await world.hosts.start(world.host, dataclasses.replace(order(text), key=key))
        if key != lasting:
            await world.hosts.wait(world.host, key)
    await world.hosts.forget(world.host, ["run-0"])
    answer = await world.hosts.ask(world.host, [mine, other, lasting])
    assert answer == {mine: Exited(0, ""), other: NeverStarted(), lasting: Running()}
    world.open_gate("lasting")
    await world.hosts.wait(world.host, lasting)
    await world.hosts.forget(world.host, ["run-0"])
    assert await world.hosts.ask(world.host, [lasting]) == {lasting: NeverStarted()}


async def test_closing_leaves_steps_running(world: World) -> None:
    flag = world.folder / "flag"
    await world.hosts.start(world.host, order(world.gated("step", f"touch {flag}")))
    await world.hosts.close()
    world.open_gate("step")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while not flag.exists():
                await asyncio.sleep(0.01)
    assert flag.exists()


async def test_a_host_tells_which_runs_it_has_folders_of(world: World) -> None:
    question = Question(KEY, SCRIPT, (world.host.state_dir,))
    assert await world.hosts.look(world.host, [question]) == {KEY: Answer(0, b"")}
    await world.hosts.start(world.host, order(":"))
    await end(world)
    assert await world.hosts.look(world.host, [question]) == {KEY: Answer(0, b"run-1\n")}
