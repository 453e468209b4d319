"""Reaching hosts: trust, refusals, noise, floods, silence, against a real sshd."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.known_hosts import Pinned, pin, scan
from reconciler.domain.desired import Host, Login
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.ports import Answer, Order, Question, Unreachable
from tests.support.sshd import Sshd, running_sshd

pytestmark = pytest.mark.integration
HELLO = [Question("hello", "echo hello")]
GREETED = {"hello": Answer(0, b"hello\n")}
KEY = StepKey("run-1", "step", 1)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


async def look(server: Sshd, host: Host | None = None, **settings: object) -> object:
    """Say hello to the server once; the reason when it is not to be reached."""
    hosts = SshHosts(server.settings(**settings))
    try:
        answer = await hosts.look(host or server.host(), HELLO)
    finally:
        await hosts.close()
    return answer.reason if isinstance(answer, Unreachable) else answer


@pytest.mark.parametrize("text", [None, "", "# nobody\n", "other.example ssh-ed25519 {key}\n"])
async def test_a_host_without_a_pinned_key_is_not_contacted(sshd: Sshd, tmp_path: Path, text: str | None) -> None:
    known_hosts = tmp_path / "known_hosts"
    if text is not None:
        known_hosts.write_text(text.format(key=sshd.known_hosts.read_text().split()[2]))
    before = sshd.log.read_text()
    assert await look(sshd, known_hosts=known_hosts) == Reason.HOST_KEY_UNKNOWN
    assert sshd.log.read_text() == before


async def test_a_broken_line_in_known_hosts_is_named(sshd: Sshd, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(sshd.known_hosts.read_text() + "@nonsense x y\n")
    hosts = SshHosts(sshd.settings(known_hosts=known_hosts))
    answer = await hosts.look(sshd.host(), HELLO)
    assert isinstance(answer, Unreachable)
    assert answer.reason == Reason.HOST_KEY_UNKNOWN
    assert "nonsense" in answer.text


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_changed_host_key_is_refused(sshd: Sshd, tmp_path: Path, algorithm: str) -> None:
    other = asyncssh.generate_private_key(algorithm).export_public_key().decode()
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    assert await look(sshd, known_hosts=known_hosts) == Reason.HOST_KEY_CHANGED


async def test_a_foreign_client_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "key")
    assert await look(sshd, client_keys=(tmp_path / "key",)) == Reason.HOST_AUTH_REFUSED
    assert await look(sshd, client_keys=(tmp_path / "missing",)) == Reason.HOST_AUTH_REFUSED
    assert await look(sshd, client_keys=()) == Reason.HOST_AUTH_REFUSED


async def test_an_unknown_user_is_refused(sshd: Sshd) -> None:
    host = dataclasses.replace(sshd.host(), login=Login(user="nobody-here"))
    assert await look(sshd, host) == Reason.HOST_AUTH_REFUSED


async def test_a_scanned_and_pinned_host_is_trusted(sshd: Sshd, tmp_path: Path) -> None:
    key = await scan("127.0.0.1", sshd.port)
    assert pin(tmp_path / "known_hosts", key) == Pinned.ADDED
    assert await look(sshd, known_hosts=tmp_path / "known_hosts") == GREETED


async def test_a_chatty_profile_does_not_disturb(sshd: Sshd) -> None:
    profile = sshd.folder / "home" / ".bashrc"
    profile.write_text("printf 'welcome\\n0 exited 0\\nend of answer\\n'; echo warning >&2\n")
    try:
        assert await look(sshd) == GREETED
    finally:
        profile.unlink()


@pytest.mark.parametrize(
    ("forced", "reason", "text"),
    [
        ("yes", Reason.HOST_OUTPUT_INVALID, "more than"),
        ("echo This account is not available.; exit 1", Reason.HOST_OUTPUT_INVALID, "ended with 1"),
        ("cat >/dev/null; echo broken shell >&2; exit 0", Reason.HOST_OUTPUT_INVALID, "broken shell"),
        ("echo reconciler 1; echo 0 nonsense", Reason.HOST_OUTPUT_INVALID, "nonsense"),
        ("kill -KILL $$", Reason.HOST_UNREACHABLE, "KILL"),
        ("sleep 5", Reason.HOST_UNREACHABLE, "in time"),
    ],
)
async def test_a_host_that_answers_otherwise_is_named(tmp_path: Path, forced: str, reason: Reason, text: str) -> None:
    with running_sshd(tmp_path, f"ForceCommand {forced}") as server:
        hosts = SshHosts(server.settings(answer_limit=100_000, answer_timeout_s=2))
        order = Order(KEY, 1, HostScript(body=":"), {}, 60)
        answers = [
            await hosts.look(server.host(), HELLO),
            await hosts.ask(server.host(), [KEY]),
            await hosts.start(server.host(), order),
        ]
        await hosts.wait(server.host(), KEY) if forced != "sleep 5" else None
        await hosts.close()
    for answer in answers:
        assert isinstance(answer, Unreachable)
        assert (answer.reason, answer.text[:6]) == (reason, "alpha:")
        assert text in answer.text


async def test_sudo_that_asks_a_password_is_a_refusal(tmp_path: Path) -> None:
    with running_sshd(tmp_path, f"SetEnv PATH={tmp_path}/bin:/usr/bin:/bin HOME={tmp_path}/home") as server:
        sudo = tmp_path / "bin" / "sudo"
        sudo.parent.mkdir()
        sudo.write_text('#!/bin/sh\n[ $1 = -n ] && [ $2 = -- ] && shift 2 && BY_SUDO=1 exec "$@"\n')
        sudo.chmod(0o755)
        host = server.host(become="sudo")
        hosts = SshHosts(server.settings())
        assert await hosts.look(host, [Question("by", "echo $BY_SUDO")]) == {"by": Answer(0, b"1\n")}
        sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
        answer = await hosts.look(host, HELLO)
        await hosts.close()
    assert isinstance(answer, Unreachable)
    assert answer.reason == Reason.HOST_SUDO_REFUSED
    assert "by sudo: sudo asks for a password (ended with 1: sudo: a password is required)" in answer.text


async def test_a_dead_kept_connection_is_replaced(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings())
    assert await hosts.look(sshd.host(), HELLO) == GREETED
    sshd.cut()
    assert await hosts.look(sshd.host(), HELLO) == GREETED
    sshd.cut()
    order = Order(StepKey("run-1", "after-cut", 1), 1, HostScript(body="echo once"), {}, 60)
    assert isinstance(await hosts.start(sshd.host(), order), Exited | Unreachable)
    await hosts.close()


async def test_one_connection_serves_a_host(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings())
    await asyncio.gather(*(hosts.look(sshd.host(), HELLO) for _ in range(20)))
    assert len(sshd.sessions()) == 1
    await hosts.close()


def shells(server: Sshd) -> list[int]:
    """Return the shells that sessions keep."""
    children = [Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in server.sessions()]
    return [
        int(pid) for each in children for pid in each if Path(f"/proc/{pid}/cmdline").read_text() == "/bin/sh\0-s\0"
    ]


async def test_one_shell_answers_look_after_look(sshd: Sshd) -> None:
    hosts, path = SshHosts(sshd.settings(channels_per_host=1)), Question("path", "echo $PATH; umask")
    first, second = [await hosts.look(sshd.host(), [path]) for _ in range(2)]
    (stays,) = shells(sshd)
    order = Order(StepKey("run-1", "beside-the-shell", 1), 1, HostScript(body="echo once"), {}, 60)
    assert isinstance(await hosts.start(sshd.host(), order), Exited)
    assert await hosts.look(sshd.host(), [path]) == second == first, "a request leaves nothing to the next one"
    assert stays in shells(sshd)
    await hosts.close()


async def test_a_shell_that_was_killed_is_replaced(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings())
    for _ in range(3):
        assert await hosts.look(sshd.host(), HELLO) == GREETED
        for pid in shells(sshd):
            os.kill(pid, signal.SIGKILL)
    await hosts.close()


async def test_a_shell_that_hangs_answers_no_other_request(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings(answer_timeout_s=2))
    for _ in range(2):
        assert await hosts.look(sshd.host(), HELLO) == GREETED
    (stays,) = shells(sshd)
    os.kill(stays, signal.SIGSTOP)
    answer = await hosts.look(sshd.host(), HELLO)
    assert isinstance(answer, Unreachable)
    os.kill(stays, signal.SIGCONT)
    assert await hosts.look(sshd.host(), HELLO) == GREETED
    assert stays not in shells(sshd)
    await hosts.close()


async def test_idle_connections_are_closed(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings(idle_s=0))
    other = dataclasses.replace(sshd.host(), address="localhost")
    sshd.known_hosts.write_text(sshd.known_hosts.read_text() + await scanned(other))
    await hosts.look(sshd.host(), HELLO)
    await hosts.look(other, HELLO)
    async with asyncio.timeout(10):
        while len(sshd.sessions()) > 1:
            await asyncio.sleep(0.01)
    await hosts.close()


async def scanned(host: Host) -> str:
    return (await scan(host.address, host.port)).line + "\n"


async def test_a_zone_is_not_stormed(sshd: Sshd, tmp_path: Path) -> None:
    alone = Question("alone", 'mkdir "$1" && sleep 0.05 && rmdir "$1"', (str(tmp_path / "taken"),))
    hosts = SshHosts(sshd.settings(per_zone=1))
    answers = await asyncio.gather(*(hosts.look(sshd.host(), [alone]) for _ in range(4)))
    await hosts.close()
    assert answers == [{"alone": Answer(0, b"")}] * 4


async def test_a_hanging_question_is_limited_and_the_next_is_asked(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings(question_timeout_s=1))
    answers = await hosts.look(sshd.host(), [Question("hang", "echo begun; sleep 60"), *HELLO])
    await hosts.close()
    assert answers == {"hang": Answer(137, b"begun\n"), **GREETED}


async def test_what_was_not_reached_in_time_is_missing(sshd: Sshd) -> None:
    hosts = SshHosts(sshd.settings(answer_timeout_s=4))
    slow, hang = Question("slow", "sleep 1"), Question("hang", "sleep 15")
    answers = await hosts.look(sshd.host(), [*HELLO, slow, hang, Question("late", ":")])
    await hosts.close()
    assert answers == {**GREETED, "slow": Answer(0, b"")}


async def test_a_stopped_server_is_unreachable(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as server:
        hosts = SshHosts(server.settings())
        assert await hosts.look(server.host(), HELLO) == GREETED
    answer = await hosts.look(server.host(), HELLO)
    await hosts.close()
    assert isinstance(answer, Unreachable)
    assert answer.reason == Reason.HOST_UNREACHABLE
    assert str(server.port) in answer.text
