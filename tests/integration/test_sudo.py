"""A login that becomes root by sudo: what the sudoers of `reconciler enrol --sudoers` lets it do, on real sshd and sudo."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncssh
import pytest
from typer.testing import CliRunner, Result

from reconciler.adapters import sudo
from reconciler.adapters.hosts import SshHosts
from reconciler.cli import app
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.ports import Answer, Order, Question, Running, Unreachable
from tests.support.sudo import USER, SudoHost, sudo_host

pytestmark = pytest.mark.integration
WHO = [Question("who", 'id -un; echo "$SUDO_USER"')]
SECRET = "s3cret'\"\\ \n" * 4000


@pytest.fixture(scope="module")
def server() -> Iterator[SudoHost]:
    with sudo_host() as found:
        yield found


@pytest.fixture
async def hosts(server: SudoHost) -> AsyncIterator[SshHosts]:
    server.allow(sudo.sudoers(USER))
    server.authorize("")
    found = SshHosts(server.sshd.settings())
    yield found
    await found.close()


async def carried_out(server: SudoHost, hosts: SshHosts, step: str) -> Exited:
    body = 'id -un; printf "%s" "$PASSWORD" | sha256sum | cut -c 1-16; stat -c %U "$RECONCILER_HOME"'
    key, script = StepKey("run-1", step, 1), HostScript(body=body)
    answer = await hosts.start(server.host, Order(key, 1, script, {"PASSWORD": SECRET}, 60))
    if isinstance(answer, Running):
        await hosts.wait(server.host, key)
        found = await hosts.ask(server.host, [key])
        assert not isinstance(found, Unreachable), found
        answer = found[key]
    assert isinstance(answer, Exited), answer
    return answer


def digest() -> str:
    return subprocess.run(["sha256sum"], input=SECRET.encode(), stdout=subprocess.PIPE, check=True).stdout[:16].decode()


@pytest.mark.parametrize("defaults", ["", "Defaults use_pty\n", "Defaults requiretty\n", "Defaults log_input\n"])
async def test_a_step_runs_as_root_and_gets_its_secret_whole(server: SudoHost, hosts: SshHosts, defaults: str) -> None:
    server.allow(defaults + sudo.sudoers(USER))
    step = f"step-{len(defaults)}"
    assert (await carried_out(server, hosts, step)).output == f"root\n{digest()}\nroot\n"
    for _ in range(3):  # of one shell
        assert await hosts.look(server.host, WHO) == {"who": Answer(0, b"root\nada\n")}


async def test_a_key_that_may_do_nothing_but_start_the_runner_is_enough(server: SudoHost, hosts: SshHosts) -> None:
    server.authorize(f'restrict,command="exec sudo -n -- {sudo.COMMAND}"')
    assert (await carried_out(server, hosts, "restricted")).code == 0


@pytest.mark.parametrize(
    "command",
    [
        "id",
        "/bin/sh",
        "/bin/sh -c id",
        "/bin/sh -s id",
        "/bin/sh -s -c id",
        "-u daemon /bin/sh -s",
        "-s",
        "-i",
        "PATH=/tmp /bin/sh -s",
        "visudo",
    ],
)
async def test_nothing_else_may_be_run(server: SudoHost, hosts: SshHosts, command: str) -> None:
    del hosts
    async with await asyncssh.connect(
        "127.0.0.1",
        server.sshd.port,
        username=USER,
        client_keys=[str(server.sshd.client_key)],
        known_hosts=str(server.sshd.known_hosts),
        config=None,
        agent_path=None,
    ) as link:
        done = await link.run(f"echo 'echo reached' | sudo -n {command}")
    assert done.exit_status == 1
    assert "reached" not in str(done.stdout)


@pytest.mark.parametrize(
    ("sudoers", "text"),
    [
        ("", "sudo asks for a password"),
        (f"{USER} ALL=(root) /bin/sh -s\n", "sudo asks for a password"),
        (f"{USER} ALL=(root) NOPASSWD: /bin/ls\n", "sudo asks for a password"),
        (f"Defaults:{USER} !authenticate\n{USER} ALL=(root) /bin/ls\n", "sudoers does not let the user do it"),
        (f"Defaults requiretty\n{USER} ALL=(root) NOPASSWD: /bin/sh -s\n", "sudo wants a terminal"),
    ],
)
async def test_a_refusal_says_why(server: SudoHost, hosts: SshHosts, sudoers: str, text: str) -> None:
    server.allow(sudoers)
    answer = await hosts.look(server.host, WHO)
    assert isinstance(answer, Unreachable)
    assert answer.reason == Reason.HOST_SUDO_REFUSED
    assert answer.text.startswith(f"alpha: {USER} cannot run `/bin/sh -s` by sudo: {text}"), answer.text


@pytest.mark.parametrize(
    ("sudoers", "found"),
    [
        (sudo.sudoers(USER), ""),
        (f"{USER} ALL=(ALL) NOPASSWD: ALL\n", "ada may do more by sudo than the daemon needs: (ALL) NOPASSWD: ALL"),
        (
            f"{sudo.sudoers(USER)}{USER} ALL=(daemon) /bin/ls\n",
            "ada may do more by sudo than the daemon needs: (daemon) /bin/ls",
        ),
        (f"Defaults log_input\n{USER} ALL=(root) NOPASSWD: /bin/sh -s\n", Reason.HOST_SUDO_REFUSED),
        (f"{USER} ALL=(root) NOPASSWD: LOG_INPUT: /bin/sh -s\n", Reason.HOST_SUDO_REFUSED),
        (f"Defaults log_input\n{sudo.sudoers(USER)}", ""),
    ],
)
async def test_what_is_granted_is_judged(server: SudoHost, hosts: SshHosts, sudoers: str, found: str) -> None:
    server.allow(sudoers)
    question = sudo.question(server.host)
    answers = await hosts.look(server.host, [question])
    assert not isinstance(answers, Unreachable), answers
    judged = sudo.judge(server.host, answers.get("sudo"))
    assert (judged.reason if isinstance(judged, Unreachable) else judged) == found


def enrol(server: SudoHost, folder: Path, *options: str) -> Result:
    key, port = server.sshd.client_key, server.sshd.port
    login = f"{{user: {USER}, become: sudo}}"
    host = f"{{address: 127.0.0.1, port: {port}, login: {login}, state_dir: {server.sshd.folder}/state}}"
    (folder / "fleet.yaml").write_text(f"fleet: {{name: lab}}\nhosts: {{alpha: {host}}}\n")
    config = folder / "reconciler.toml"
    config.write_text(f'state_dir = "{folder}"\n[source]\nurl = "/nowhere"\n[ssh]\nkeys = ["{key}"]\n')
    words = ["enrol", "alpha", "--yes", "--config", str(config), "--dir", str(folder), *options]
    return CliRunner().invoke(app, words)


def test_enrolling_prints_the_lines_and_holds_the_host_against_them(server: SudoHost, tmp_path: Path) -> None:
    printed = enrol(server, tmp_path, "--sudoers")
    assert printed.stdout == sudo.sudoers(USER), printed.output
    server.allow("")
    refused = enrol(server, tmp_path)
    assert (refused.exit_code, "sudo asks for a password" in refused.output) == (1, True), refused.output
    server.allow(printed.stdout)
    assert "ada becomes root there by sudo\n" in enrol(server, tmp_path).output
    server.allow(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    assert "may do more by sudo" in enrol(server, tmp_path).output


def test_the_lines_are_those_of_the_docs() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "how-to" / "enrol-hosts.md"
    assert f"```\n{sudo.sudoers('reconciler')}```\n" in page.read_text()


def test_the_lines_are_valid(tmp_path: Path) -> None:
    file = tmp_path / "sudoers"
    file.write_text(sudo.sudoers(USER))
    file.chmod(0o440)
    subprocess.run(["visudo", "-c", "-f", file], check=True)
