"""What a host step costs beyond a bare command over SSH, measured side by side in one run.

    python -m benchmarks.step_cost [--rounds N] [--command CMD] [--shell SH]

A real sshd is started on loopback from a temporary folder. Each round runs the same command four ways: a bare
asyncssh `conn.run`, a host step (intent on the host's disk, detached, exit code on disk, result read back) by `start`
alone as for a step that ends at once, `start`, `wait`, `ask` as for one that does not, and a step of the engine: the
first with a durable intent before it and a durable result after it in the journal. It prints and judges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databases import SqlDatabases
from reconciler.adapters.dns import DnspythonDns
from reconciler.adapters.git import GitSource
from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.http import HttpxHttp
from reconciler.adapters.journal import SqlJournal
from reconciler.adapters.prometheus import PrometheusMetrics
from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.domain.desired import Desired, Host
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Ready
from reconciler.execution.executor import Executor
from reconciler.ports import Order, Ports
from tests.support.sshd import Sshd, running_sshd


async def measure(sshd: Sshd, folder: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Return milliseconds per way and round; the ways take turns, so that a busy machine is busy for all."""
    host, command, shell, rounds = sshd.host(), options.command, options.shell, options.rounds
    engine = Engine(host, SshHosts(sshd.settings(shell=shell)), folder)
    hosts = SshHosts(sshd.settings(shell=shell))
    patient = SshHosts(sshd.settings(shell=shell, grace_s=0))
    bare = await asyncssh.connect(
        host.address, host.port, config=None, known_hosts=str(sshd.known_hosts), client_keys=[str(sshd.client_key)]
    )

    async def run(_step: str) -> None:
        assert (await bare.run(command)).exit_status is not None

    async def start(step: str) -> None:
        assert isinstance(await hosts.start(host, _order(step, command)), Exited)

    async def start_wait_ask(step: str) -> None:
        key = _order(step, command).key
        await patient.start(host, _order(step, command))
        await patient.wait(host, key)
        answer = await patient.ask(host, [key])
        assert isinstance(answer, dict)
        assert isinstance(answer[key], Exited)

    ways: dict[str, Callable[[str], Awaitable[None]]] = {
        "bare conn.run": run,
        "start": start,
        "start, wait, ask": start_wait_ask,
        "step of the engine": lambda step: engine.carry(step, command),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(-3, rounds):
        for index, (way, carry_out) in enumerate(ways.items()):
            before = time.perf_counter()
            await carry_out(f"step-{index}-{number + 3}")
            if number >= 0:
                taken[way].append((time.perf_counter() - before) * 1000)
    bare.close()
    await hosts.close()
    await patient.close()
    await engine.close()
    return taken


class Engine:
    """The executor on a real journal."""

    def __init__(self, host: Host, hosts: SshHosts, folder: Path) -> None:
        self.journal = SqlJournal.acquire(f"sqlite:///{folder}/journal.db", SystemClock())
        secrets = LocalSecrets({}, Redactor())
        source = GitSource("file:///nowhere", "main", folder / "mirror")
        self.ports = Ports(
            hosts,
            SqlDatabases(),
            HttpxHttp(),
            DnspythonDns(),
            PrometheusMetrics(SystemClock()),
            secrets,
            source,
            self.journal,
            SystemClock(),
        )
        self.executor = Executor(self.ports)
        self.desired = Desired(fleet="benchmark", hosts={host.name: host}, services={}, groups={}, procedures={})
        self.host = host.name

    async def carry(self, name: str, command: str) -> None:
        """Write the intent, carry the step out, write the result."""
        args = {"argv": ["/bin/sh", "-c", command]}
        step = Step(
            id=name, kind="command", phase=Phase.FINISH, service="s", title=name, host=self.host, args=dict(args)
        )
        self.executor.begin([Ready(run="benchmark", step=step, attempt=1)], "s", self.desired, may_start=True)
        await asyncio.gather(*self.executor.tasks.values())
        results = self.executor.settle({"benchmark": "s"})
        assert results[0].body["outcome"] == "done"
        self.journal.append(results)

    async def close(self) -> None:
        """Give back the connection and the lease."""
        await self.ports.hosts.close()
        self.journal.close()


def _order(step: str, command: str) -> Order:
    return Order(StepKey("benchmark", step, 1), 1, HostScript(body=command), {}, 60)


def report(taken: dict[str, list[float]]) -> str:
    """Medians and quartiles, and what each way costs beyond the first, as difference and ratio."""
    base = statistics.median(next(iter(taken.values())))
    lines = [f"{'way':20} {'median ms':>10} {'p25':>7} {'p75':>7} {'beyond ms':>10} {'ratio':>6}"]
    for way, times in taken.items():
        low, middle, high = statistics.quantiles(times, n=4)
        lines.append(f"{way:20} {middle:10.2f} {low:7.2f} {high:7.2f} {middle - base:10.2f} {middle / base:6.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--command", default="true")
    parser.add_argument("--shell", default="/bin/sh", help="the sh that carries out the runner on the host")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_sshd(Path(folder)) as sshd:
        taken = asyncio.run(measure(sshd, Path(folder), options))
    print(report(taken))


if __name__ == "__main__":
    main()
