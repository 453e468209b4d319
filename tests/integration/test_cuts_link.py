"""Steps that cut their host off: a real cable pulled in a network namespace, and a real sshd that takes no more."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.http import HttpxHttp
from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Plan, Step, Undo
from reconciler.domain.procedure import CutsLink, Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, Run
from reconciler.domain.step_key import StepKey
from reconciler.execution.carry import carry
from reconciler.planning.way_back import undo_steps
from reconciler.ports import NeverStarted, Ports, Unreachable
from tests.fakes.databases import MemoryDatabases
from tests.fakes.dns import MemoryDns
from tests.fakes.journal import MemoryJournal, Store
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.source import MemorySource
from tests.support.debian import program
from tests.support.sample import DESIRED
from tests.support.sshd import Sshd, start_sshd

pytestmark = pytest.mark.integration
KEY = StepKey("r1", "step", 1)
PATIENCE_S = 60
NUMBERS = count()
AT = datetime(2026, 1, 2, tzinfo=UTC)
NOTHING: frozenset[str] = frozenset()


@dataclass
class Cut:
    """A host that can be cut off; `down` and `up` are what a shell on it says to cut and to mend the link."""

    sshd: Sshd
    down: str
    up: str
    daemons: list[SshHosts] = field(default_factory=list)
    store: Store = field(default_factory=Store.empty)

    @property
    def ledger(self) -> list[str]:
        file = self.sshd.folder / "ledger"
        return file.read_text().split() if file.exists() else []

    @property
    def disarmed(self) -> bool:
        return self.disarmed_of("step")

    def disarmed_of(self, step: str) -> bool:
        return (self.sshd.folder / f"state/steps/r1/{step}/1/guard/disarmed").exists()

    def step(self, does: str, within_s: float = 30, reverts: str = "", timeout_s: float = 60) -> Step:
        """Return a step that says in the ledger when it begins, does it, and says when it ends."""
        note = f"echo %s >>{self.sshd.folder}/ledger"
        run = f"{note % 'begun'}; {does}\n{note % 'ended'}"
        revert = ("sh", "-c", f"{note % 'reverted'}; {reverts or self.up}")
        return Step(
            id="step",
            kind="command",
            phase=Phase.ROLL,
            service="keystone",
            title="rewire",
            host="ks1",
            args={"argv": ["sh", "-c", run]},
            timeout_s=timeout_s,
            cuts_link=CutsLink(revert, within_s),
        )

    def way_back(self, does: str, done: Outcome, within_s: float = 3) -> Step:
        """Return what takes such a step back: it does this, and what brings the step's own state back mends the link."""
        note = f"echo %s >>{self.sshd.folder}/ledger"
        again = ("sh", "-c", f"{note % 'again'}; {self.up}")
        undo = Undo("command", {"argv": ["sh", "-c", f"{note % 'undone'}; {does}"]}, "rewire back")
        step = self.step(":", within_s)
        guard = replace(step.cuts_link, again=again)
        plan = Plan(
            id="p1", group="keystone", inputs="i1", services=(), steps=(replace(step, undo=undo, cuts_link=guard),)
        )
        tried = {step.id: (Attempt(1, AT, 1, done, AT),)}
        (back,) = undo_steps([Run(id="r1", plan=plan, started_at=AT, attempts=tried)], under="r1", accept_loss=NOTHING)
        return back

    def daemon(self) -> Ports:
        """Start what of a daemon carries steps, under a lease of its own."""
        settings = self.sshd.settings(connect_timeout_s=1, login_timeout_s=1, answer_timeout_s=2)
        self.daemons.append(SshHosts(settings))
        journal = MemoryJournal(SystemClock(), self.store)
        secrets = LocalSecrets({}, Redactor())
        return Ports(
            hosts=self.daemons[-1],
            databases=MemoryDatabases(),
            http=HttpxHttp(),
            dns=MemoryDns(),
            metrics=MemoryMetrics(),
            secrets=secrets,
            source=MemorySource(),
            journal=journal,
            clock=SystemClock(),
        )

    async def tried(self, step: Step, ports: Ports) -> Outcome | Unreachable | NeverStarted:
        host = replace(self.sshd.host("ks1"))
        return await carry(
            step, replace(KEY, step=step.id), replace(DESIRED, hosts={"ks1": host}), ports, may_start=True
        )

    async def carried(self, step: Step, ports: Ports) -> Outcome:
        """Try as the executor does, until something is known."""
        async with asyncio.timeout(PATIENCE_S):
            while isinstance(found := await self.tried(step, ports), Unreachable | NeverStarted):
                await asyncio.sleep(0.2)
        return found

    def until(self, word: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while word not in self.ledger:
            assert time.monotonic() < end, (word, self.ledger)
            time.sleep(0.05)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cut]:
    """A host in a network namespace, behind a cable that can be pulled."""
    number = next(NUMBERS)
    ip, name = program("ip", "iproute2"), f"cut{os.getpid()}-{number}"
    network = f"10.{200 + number}.{os.getpid() % 250}"

    def run(*words: str) -> None:
        subprocess.run([ip, *words], check=True)

    run("netns", "add", name)
    try:
        run("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("address", "add", f"{network}.1/24", "dev", name)
        run("link", "set", name, "up")
        run("-n", name, "address", "add", f"{network}.2/24", "dev", "eth0")
        run("-n", name, "link", "set", "eth0", "up")
        server = start_sshd(tmp_path, within=(ip, "netns", "exec", name), address=f"{network}.2", port=22)
        try:
            yield Cut(server, f"{ip} link set eth0 down", f"{ip} link set eth0 up")
        finally:
            server.stop()
    finally:
        left = subprocess.run([ip, "netns", "pids", name], stdout=subprocess.PIPE, check=True).stdout.split()
        for pid in left:
            os.kill(int(pid), signal.SIGKILL)
        subprocess.run([ip, "link", "delete", name], check=False)
        run("netns", "delete", name)


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Cut]:
    """A host whose sshd can be stopped: the connections that it has live on, and no new one is served."""
    server = start_sshd(tmp_path)
    yield Cut(server, f"kill -STOP {server.process.pid}", f"kill -CONT {server.process.pid}")
    server.process.send_signal(signal.SIGCONT)
    server.stop()


@pytest.fixture(params=["cable", "deaf"])
async def cut(request: pytest.FixtureRequest) -> AsyncIterator[Cut]:
    """Either way of being cut off."""
    found: Cut = request.getfixturevalue(request.param)
    yield found
    for daemon in found.daemons:
        await daemon.close()


async def test_a_host_that_was_cut_off_comes_back_by_itself(cut: Cut) -> None:
    outcome = await cut.carried(cut.step(cut.down, within_s=3), cut.daemon())
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.LINK_CUT
    assert outcome.text == "ks1 took no new connection within 3 s after it, and took it back by itself"
    assert cut.ledger == ["begun", "ended", "reverted"]


async def test_a_link_that_comes_back_in_time_is_left_as_it_is(cut: Cut) -> None:
    outcome = await cut.carried(cut.step(f"{cut.down}; sleep 2; {cut.up}"), cut.daemon())
    assert isinstance(outcome, Done), outcome
    assert cut.ledger == ["begun", "ended"]
    assert cut.disarmed


async def test_a_daemon_that_is_restarted_meanwhile_disarms_in_time(cut: Cut) -> None:
    step, first = cut.step(f"{cut.down}; sleep 2; {cut.up}"), cut.daemon()
    begun = asyncio.create_task(cut.tried(step, first))
    await asyncio.to_thread(cut.until, "begun")
    begun.cancel()
    await first.hosts.close()
    assert isinstance(await cut.carried(step, cut.daemon()), Done)
    assert cut.ledger == ["begun", "ended"]


async def test_a_daemon_that_was_away_for_too_long_learns_what_happened(cut: Cut) -> None:
    step, first = cut.step(cut.down, within_s=1, reverts=f"{cut.up}; echo eth0 is up; exit 3"), cut.daemon()
    begun = asyncio.create_task(cut.tried(step, first))
    await asyncio.to_thread(cut.until, "ended")
    begun.cancel()
    await first.hosts.close()
    await asyncio.to_thread(cut.until, "reverted")
    outcome = await cut.carried(step, cut.daemon())
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.LINK_CUT
    assert outcome.text.endswith("could not take it back by itself: exit code 3: eth0 is up")
    assert cut.ledger == ["begun", "ended", "reverted"]


async def test_a_step_that_hangs_over_its_timeout_is_reverted_too(cut: Cut) -> None:
    step = cut.step(f"{cut.down}; while [ ! -e {cut.sshd.folder}/on ]; do sleep 0.1; done", within_s=1, timeout_s=1)
    outcome = await cut.carried(step, cut.daemon())
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.LINK_CUT
    (cut.sshd.folder / "on").touch()
    await asyncio.to_thread(cut.until, "ended")
    assert cut.ledger == ["begun", "reverted", "ended"]


async def test_a_step_that_fails_or_dies_and_leaves_the_link_disarms_its_guard(cut: Cut) -> None:
    died = await cut.carried(cut.step("kill -KILL 0", within_s=3), cut.daemon())
    assert isinstance(died, Lost)
    assert cut.disarmed
    assert cut.ledger == ["begun"]


async def test_a_way_back_that_cuts_the_link_ends_where_the_step_had_brought_it(cut: Cut) -> None:
    daemon = cut.daemon()
    assert isinstance(await cut.carried(cut.step(":"), daemon), Done)
    outcome = await cut.carried(cut.way_back(cut.down, Done()), daemon)
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.LINK_CUT
    assert cut.ledger == ["begun", "ended", "undone", "again"]


async def test_a_way_back_that_leaves_the_link_disarms_its_guard(cut: Cut) -> None:
    daemon = cut.daemon()
    assert isinstance(await cut.carried(cut.way_back(f"{cut.down}; sleep 2; {cut.up}", Done(), 30), daemon), Done)
    assert cut.disarmed_of("back.step")
    assert cut.ledger == ["undone"]


async def test_a_step_that_its_host_reverted_is_undone_under_the_same_revert(cut: Cut) -> None:
    daemon = cut.daemon()
    failed = await cut.carried(cut.step(cut.down, within_s=3), daemon)
    assert isinstance(failed, Failed)
    outcome = await cut.carried(cut.way_back(cut.down, failed), daemon)
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.LINK_CUT
    assert cut.ledger == ["begun", "ended", "reverted", "undone", "reverted"]
