"""Steps on a real host: what is left on its disk, who may see what, and how they die."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from reconciler.adapters.hosts import SshHosts
from reconciler.domain.desired import Host
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.ports import Answer, Died, HostStep, NeverStarted, Order, Question, Running, Unreachable
from reconciler.steps import reboot
from tests.support.sshd import Sshd, running_sshd

pytestmark = pytest.mark.integration
KEY = StepKey("run-1", "step", 1)
SHELLS = [shell for shell in ("dash", "busybox sh", "bash") if shutil.which(shell.split()[0])]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def host(sshd: Sshd, tmp_path: Path) -> Host:
    return dataclasses.replace(sshd.host(), state_dir=str(tmp_path / "state"))


@pytest.fixture
async def hosts(sshd: Sshd) -> AsyncIterator[SshHosts]:
    hosts = SshHosts(sshd.settings())
    yield hosts
    await hosts.close()


def order(body: str, key: StepKey = KEY, **plain: str) -> Order:
    return Order(key, 1, HostScript(body=body), plain, 60)


async def end(hosts: SshHosts, host: Host, key: StepKey = KEY) -> HostStep:
    await hosts.wait(host, key)
    return await stand(hosts, host, key)


async def stand(hosts: SshHosts, host: Host, key: StepKey = KEY) -> HostStep:
    answer = await hosts.ask(host, [key])
    assert not isinstance(answer, Unreachable), answer
    return answer[key]


def folder(host: Host, key: StepKey = KEY) -> Path:
    return Path(host.state_dir, "steps", key.run, key.step, str(key.attempt))


@pytest.mark.parametrize("shell", SHELLS)
async def test_every_shell_carries_out_steps(sshd: Sshd, host: Host, tmp_path: Path, shell: str) -> None:
    hosts = SshHosts(sshd.settings(shell=shell))
    gate = tmp_path / "gate"
    body = f'until [ -e {gate} ]; do sleep 0.02; done; echo "$TOKEN"; echo n=1 >>"$RECONCILER_VALUES"; exit 5'
    assert await hosts.start(host, order(body, TOKEN="a'b\nc" * 2000)) == Running()
    assert await hosts.start(host, order(body)) == Running()
    gate.touch()
    assert await end(hosts, host) == Exited(5, "a'b\nc" * 2000 + "\n", {"n": "1"})
    assert await hosts.look(host, [Question("q", 'echo "$1"; exit 2', ("x y",))]) == {"q": Answer(2, b"x y\n")}
    await hosts.forget(host, ["run-1"])
    assert await stand(hosts, host) == NeverStarted()
    await hosts.close()


async def test_what_is_kept_is_for_the_owner_only(hosts: SshHosts, host: Host) -> None:
    await hosts.start(host, order("echo hello; touch $(dirname $RECONCILER_VALUES)/by-step"))
    await end(hosts, host)
    for path in (Path(host.state_dir), *Path(host.state_dir).rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    assert {path.name for path in folder(host).iterdir()} >= {
        "script",
        "intent",
        "boot_id",
        "out",
        "values",
        "lock",
        "exit",
    }
    assert (folder(host) / "exit").read_text() == "0\n"


async def test_a_secret_is_in_no_file_argument_or_environment(hosts: SshHosts, host: Host, tmp_path: Path) -> None:
    secret, gate = "canary-5ecret-value", tmp_path / "gate"
    body = f'until [ -e {gate} ]; do sleep 0.05; done; printf %s "$TOKEN" | wc -c'
    await hosts.start(host, order(body, TOKEN=secret))
    processes = subprocess.run(["ps", "axeww"], stdout=subprocess.PIPE, check=True).stdout.decode()
    files = [path for path in Path(host.state_dir).rglob("*") if path.is_file()]
    gate.touch()
    assert await end(hosts, host) == Exited(0, f"{len(secret)}\n")
    files += [path for path in Path(host.state_dir).rglob("*") if path.is_file()]
    assert str(folder(host)) in processes
    assert secret not in processes
    assert files
    assert not [path for path in files if secret in path.read_text()]


async def test_a_rebooted_host_says_so(hosts: SshHosts, host: Host) -> None:
    await hosts.start(host, order("kill -9 -$$"))
    assert await end(hosts, host) == Died(rebooted=False)
    (folder(host) / "boot_id").write_text("another-boot\n")
    assert await stand(hosts, host) == Died(rebooted=True)


async def test_a_torn_exit_code_is_none(hosts: SshHosts, host: Host) -> None:
    await hosts.start(host, order("exit 12"))
    assert await end(hosts, host) == Exited(12, "")
    subprocess.run(["flock", "-s", str(folder(host) / "lock"), "true"], check=True)  # the holder lets go last of all
    for torn in ("", "1", "12 \n", "x\n"):
        (folder(host) / "exit").write_text(torn)
        assert await stand(hosts, host) == Died(rebooted=False)


async def test_a_step_ends_though_it_left_a_daemon(hosts: SshHosts, host: Host, tmp_path: Path) -> None:
    await hosts.start(host, order(f"sleep 60 & echo $! >{tmp_path}/daemon; sleep 0.5; echo done"))
    try:
        assert await end(hosts, host) == Exited(0, "done\n")
        await hosts.wait(host, KEY)
    finally:
        os.kill(int((tmp_path / "daemon").read_text()), signal.SIGKILL)


async def test_a_step_runs_on_though_its_holder_was_killed(hosts: SshHosts, host: Host, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    await hosts.start(host, order(f"echo $$ >{tmp_path}/holder; until [ -e {gate} ]; do sleep 0.02; done"))
    os.kill(int((tmp_path / "holder").read_text()), signal.SIGKILL)
    assert await stand(hosts, host) == Running()
    gate.touch()
    assert await end(hosts, host) == Died(rebooted=False)


async def test_a_starter_that_died_before_the_intent_started_nothing(hosts: SshHosts, host: Host) -> None:
    folder(host).mkdir(parents=True)
    Path(host.state_dir).chmod(0o700)
    (folder(host) / "lock").touch()
    (folder(host) / "intent").touch()
    assert await stand(hosts, host) == NeverStarted()
    await hosts.start(host, order("echo first"))
    assert await end(hosts, host) == Exited(0, "first\n")


async def test_a_link_that_fell_silent_ends_the_wait(tmp_path: Path) -> None:
    """Half-open: the other end is there and says nothing any more."""
    gate = tmp_path / "gate"
    with running_sshd(tmp_path) as server:
        host, hosts = server.host(), SshHosts(server.settings(keepalive_interval_s=0.3, keepalive_count=2))
        await hosts.start(host, order(f"until [ -e {gate} ]; do sleep 0.05; done; echo once"))
        waiting = asyncio.create_task(hosts.wait(host, KEY))
        for session in server.sessions():
            os.kill(session, signal.SIGSTOP)
        await asyncio.wait_for(waiting, 20)
        server.cut()
        assert await stand(hosts, host) == Running()
        gate.touch()
        assert await end(hosts, host) == Exited(0, "once\n")
        await hosts.close()


async def test_nothing_runs_before_its_intent_is_on_the_disk(tmp_path: Path) -> None:
    """What a power cut takes away that was not synced: here the disk stands still, which nobody can tell from it."""
    disk, ran, later = tmp_path / "disk", tmp_path / "ran", StepKey("run-1", "later", 1)
    with running_sshd(tmp_path, f"SetEnv PATH={tmp_path}/bin:/usr/bin:/bin HOME={tmp_path}/home") as server:
        sync = tmp_path / "bin" / "sync"
        sync.parent.mkdir()
        sync.write_text(f'#!/bin/sh\nuntil [ -e {disk} ]; do sleep 0.05; done\nexec /usr/bin/sync "$@"\n')
        sync.chmod(0o755)
        host, hosts = server.host(), SshHosts(server.settings())
        disk.touch()
        await hosts.start(host, order("echo the epoch is known"))
        await end(hosts, host)
        disk.unlink()

        assert await hosts.start(host, order(f"touch {ran}", later)) == Running()
        assert (folder(host, later) / "intent").stat().st_size
        await asyncio.sleep(0.5)
        assert await stand(hosts, host, later) == Running()
        assert not ran.exists()
        disk.touch()
        assert await end(hosts, host, later) == Exited(0, "")
        assert ran.exists()
        await hosts.close()


async def test_many_long_steps_leave_room_to_ask(hosts: SshHosts, host: Host, tmp_path: Path) -> None:
    gate, keys = tmp_path / "gate", [StepKey("run-1", f"step-{number}", 1) for number in range(12)]
    body = f"until [ -e {gate} ]; do sleep 0.05; done"

    async def begin(key: StepKey) -> None:
        """Start a step as the daemon does: again, where the host did not say in time that it runs."""
        replies = [await hosts.start(host, order(body, key))]
        while replies[-1] != Running():
            assert len(replies) < 3, replies
            replies.append(await hosts.start(host, order(body, key)))

    await asyncio.gather(*map(begin, keys))
    waits = asyncio.gather(*(hosts.wait(host, key) for key in keys))
    answer = await hosts.ask(host, keys)
    gate.touch()
    await waits
    assert answer == dict.fromkeys(keys, Running())
    assert await hosts.ask(host, keys) == dict.fromkeys(keys, Exited(0, ""))


@pytest.mark.parametrize("damage", ["file", "epoch", "owner"])
async def test_a_damaged_state_folder_is_refused(hosts: SshHosts, host: Host, damage: str) -> None:
    state, expected = Path(host.state_dir), "cannot make"
    if damage == "file":
        state.write_text("not a folder")
        expected = host.state_dir
    elif damage == "epoch":
        state.mkdir()
        (state / "epoch").write_text("one\n")
        expected = "is not a number"
    elif os.getuid() == 0:
        state.mkdir()
        os.chown(state, 12345, 12345)
        expected = "belongs to another user"
    else:
        host, expected = dataclasses.replace(host, state_dir="/usr"), "belongs to another user"
    answer = await hosts.start(host, order("touch /nonexistent"))
    assert isinstance(answer, Unreachable)
    assert answer.reason == Reason.HOST_OUTPUT_INVALID
    assert expected in answer.text


async def test_forgetting_leaves_what_is_elsewhere(hosts: SshHosts, host: Host, tmp_path: Path) -> None:
    precious = tmp_path / "elsewhere" / "step" / "1" / "precious"
    precious.parent.mkdir(parents=True)
    precious.touch()
    await hosts.start(host, order(f"ln -s {tmp_path}/elsewhere $(dirname $RECONCILER_VALUES)/link"))
    await end(hosts, host)
    steps = Path(host.state_dir, "steps")
    (steps / "run-2").symlink_to(tmp_path / "elsewhere")
    (steps / "run-3").mkdir()
    (steps / "run-3" / "step").symlink_to(tmp_path / "elsewhere" / "step")
    await hosts.forget(host, ["run-1", "run-2", "run-3"])
    assert precious.exists()
    assert not folder(host).exists()
    assert not (steps / "run-1").exists()


@pytest.mark.parametrize("moment_ms", range(0, 30, 3))
async def test_a_link_cut_at_any_moment_of_a_start_makes_no_step_run_twice_or_die(
    sshd: Sshd, hosts: SshHosts, host: Host, tmp_path: Path, moment_ms: int
) -> None:
    ledger = tmp_path / "ledger"
    again = order(f"echo executed >>{ledger}", TOKEN="x" * 200_000)
    await hosts.look(host, [])
    await hosts.ask(host, [KEY])
    first = asyncio.create_task(hosts.start(host, again))
    await asyncio.sleep(moment_ms / 1000)
    sshd.cut()
    assert isinstance(await first, Running | Exited | Unreachable)
    assert isinstance(await stand(hosts, host), NeverStarted | Running | Exited)
    assert not isinstance(await hosts.start(host, again), Unreachable)
    assert await end(hosts, host) == Exited(0, "")
    assert ledger.read_text() == "executed\n"


@pytest.mark.parametrize("shell", SHELLS)
async def test_a_reboot_is_told_by_the_attempt_after_it(sshd: Sshd, host: Host, tmp_path: Path, shell: str) -> None:
    hosts, boot, pid = SshHosts(sshd.settings(shell=shell)), tmp_path / "boot_id", tmp_path / "pid"
    boot.write_text("boot-1\n")
    body = f"systemctl() {{ echo $$ >{pid}.part; mv {pid}.part {pid}; }}\n{reboot.BODY}"

    def attempt(number: int) -> Order:
        key = dataclasses.replace(KEY, attempt=number)
        return Order(key, 1, HostScript(body=body, args=(str(boot), "100")), {}, 600)

    assert await hosts.start(host, attempt(1)) == Running()
    while not pid.exists():
        await asyncio.sleep(0.05)
    os.killpg(int(pid.read_text()), signal.SIGTERM)  # as a shutdown does: it must not become an exit code
    assert await end(hosts, host) == Died(rebooted=False)
    boot.write_text("boot-2\n")
    ended = await hosts.start(host, attempt(2))
    if isinstance(ended, Running):
        ended = await end(hosts, host, attempt(2).key)
    assert isinstance(ended, Exited)
    assert (ended.code, ended.values) == (0, {"before": "boot-1", "boot_id": "boot-2"})
    await hosts.close()
