"""What a daemon takes of a processor while a fleet stands idle, for a fleet and for one a tenth as large.

    python -m benchmarks.idle_fleet [--hosts N] [--links N]

One service with a database on all hosts, in sync. "pass" is a pass that finds nothing to do, with all that it publishes
into a real store; "sweep" asks every host and reads what it says, without a network; "look" is one host's share of a
sweep over a real sshd on loopback, beside "bare", one `conn.run` of `true`. Milliseconds are those of the daemon's own
process. "share" is what they come to at the daemon's own pace, a pass every few seconds and a sweep every minute, as
percentage of a core. It prints and judges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncssh

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.journal import SqlJournal
from reconciler.daemon import IDLE_S
from reconciler.domain.verdict import State
from reconciler.observers import compose
from reconciler.planning.words import resolved
from reconciler.web.board import Board, utc_now
from reconciler.web.publish import Publisher
from tests.fakes.fleet import Fleet
from tests.scenarios.stage import Stage
from tests.support.sample import HOSTS, KEYSTONE, desired
from tests.support.sshd import Sshd, running_sshd

Work = Callable[[], Awaitable[object]]


async def idle_stage(hosts: int) -> Stage:
    """Return a fleet of any size that is in sync with what is wanted."""
    named = {f"ks{n}": replace(HOSTS["ks1"], name=f"ks{n}", zone="abc"[n % 3]) for n in range(1, hosts + 1)}
    stage = Stage()
    stage.fleet = Fleet(stage.clock, tuple(named))
    stage.start()
    for machine in stage.fleet.machines.values():
        machine.stamp = stage.stamp()
        machine.ran = f"{machine.link} {machine.stamp}"
    stage.commit(replace(desired(hosts=tuple(named)), hosts=named))
    await stage.until(State.IN_SYNC)
    return stage


async def cost_ms(work: Work, rounds: int) -> float:
    """Return the median of what the work takes of a processor."""
    taken = []
    for _ in range(rounds):
        before = time.process_time()
        await work()
        taken.append((time.process_time() - before) * 1000)
    return statistics.median(taken)


async def idle(hosts: int, folder: Path) -> dict[str, float]:
    """Measure a pass and a sweep of a fleet in memory."""
    stage = await idle_stage(hosts)
    journal = SqlJournal.acquire(f"sqlite:///{folder}/store-{hosts}.db", SystemClock())
    publish = Publisher(journal, stage.memory, Board(utc_now()))

    async def one_pass() -> None:
        await publish(await stage.pass_once())

    async def sweep() -> None:
        assert stage.memory.read is not None
        await stage.memory._look(stage.memory.read)  # noqa: SLF001 - the part of the loop that is measured

    found = {"pass ms": await cost_ms(one_pass, 20), "sweep ms": await cost_ms(sweep, 5)}
    journal.close()
    return found


async def look(sshd: Sshd, links: int) -> dict[str, float]:
    """Measure one host's share of a sweep over connections that stand, and a bare command beside it."""
    host = sshd.host()
    ports = [SshHosts(sshd.settings()) for _ in range(links)]  # one would keep one connection to one address
    service = resolved(replace(KEYSTONE, hosts=(host.name,)), host)
    bare = [await _bare(sshd) for _ in ports]

    async def looks() -> None:
        await asyncio.gather(*(each.look(host, compose(host, [service])) for each in ports))

    async def runs() -> None:
        await asyncio.gather(*(each.run("true") for each in bare))

    await looks()
    found = {"look ms": await cost_ms(looks, 10) / links, "bare ms": await cost_ms(runs, 10) / links}
    for each in bare:
        each.close()
    for each_port in ports:
        await each_port.close()
    return found


async def _bare(sshd: Sshd) -> asyncssh.SSHClientConnection:
    known, keys = str(sshd.known_hosts), [str(sshd.client_key)]
    return await asyncssh.connect(sshd.address, sshd.port, config=None, known_hosts=known, client_keys=keys)


def share(found: dict[str, float], hosts: int) -> float:
    """Return the percentage of a core that a minute of this fleet takes."""
    return (found["pass ms"] * 60 / IDLE_S + found["sweep ms"] + hosts * found["look ms"]) / 60_000 * 100


def report(found: dict[int, dict[str, float]]) -> str:
    """Set both sizes side by side with their ratio."""
    small, large = found
    names = [*found[small], "share %"]
    rows = {"hosts": (small, large)} | {
        name: tuple(share(found[n], n) if name == "share %" else found[n][name] for n in found) for name in names
    }
    lines = [f"{'':10} {'small':>10} {'large':>10} {'ratio':>7}"]
    lines += [f"{name:10} {few:10.2f} {many:10.2f} {many / few:7.1f}" for name, (few, many) in rows.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--links", type=int, default=20, help="real connections over which the look is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_sshd(Path(folder)) as sshd:
        looked = asyncio.run(look(sshd, options.links))
        sizes = (options.hosts // 10, options.hosts)
        found = {size: asyncio.run(idle(size, Path(folder))) | looked for size in sizes}
    print(report(found))


if __name__ == "__main__":
    main()
