"""What is done to a daemon in mid-leg, its hosts, its database and its store, and what must be true in the end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.ground import PATIENCE_S, End, Ground, verdict_of
from tests.integration.daemon.daemon import Daemon, Status, child, cli

UNSTEADY = {"ask", "fetch", "look", "wait"}
"""How often hosts and source are asked depends on how quick everything is; `--full` kills there too."""

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong. `run` raises AssertionError; `undisturbed` is how the leg ends and what it does."""

    name: str
    run: Callable[[Ground, End], None]


CASES: list[Case] = []


def case(run: Callable[[Ground, End], None]) -> Callable[[Ground, End], None]:
    """Put a function among the cases, under its own name."""
    CASES.append(Case(run.__name__.replace("_", "-"), run))
    return run


def same(ground: Ground, undisturbed: End) -> None:
    """Hold what was done and how all stands against the undisturbed leg: nothing twice, nothing missing."""
    found = ground.end()
    more, less = Counter(found.done) - Counter(undisturbed.done), Counter(undisturbed.done) - Counter(found.done)
    assert not more, f"done more often than once: {dict(more)}"
    assert not less, f"never done: {dict(less)}"
    assert found == undisturbed, f"{found}\nis not\n{undisturbed}"


def stands(ground: Ground, undisturbed: End) -> None:
    """Hold how all stands against the undisturbed leg, where a leg was taken back and tried again."""
    found = ground.end()
    assert (found.links, found.schema, found.rows) == (undisturbed.links, undisturbed.schema, undisturbed.rows), found


def once_by_the_tool(ground: Ground, undisturbed: End) -> None:
    """Hold how all stands, and that the schema tool ran once: what stops or starts a unit may be said again."""
    stands(ground, undisturbed)
    assert ground.site.ledger() == ["begin two", "end two"], ground.site.ledger()


# ---------------------------------------------------------------- the daemon is killed at every boundary


def killed_at(name: str, count: int) -> Case:
    """Kill the daemon at a boundary; the next one goes on."""

    def run(ground: Ground, undisturbed: End) -> None:
        ground.killed_at(name, count, lambda: ground.at_rest("InSync"))
        ground.in_sync()
        same(ground, undisturbed)

    return Case(f"killed-at {name} {count}", run)


def boundaries(trace: Path) -> Iterator[tuple[str, int]]:
    """Yield each boundary that an undisturbed leg reaches, with every count."""
    yield from ((name, n) for name, count in Counter(trace.read_text().split()).items() for n in range(1, count + 1))


def few(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Keep of each boundary that all legs reach the first and the middle time.

    How often one is reached in the end differs: what two hosts bring at once is written as one.
    """
    times: dict[str, list[int]] = {}
    for name, n in found:
        if name.partition(".")[0] not in UNSTEADY:
            times.setdefault(name, []).append(n)
    return [(name, n) for name, all_ in times.items() for n in sorted({all_[0], all_[len(all_) // 2]})]


@case
def killed_again_and_again(ground: Ground, undisturbed: End) -> None:
    for name in ("plan_pinned.after", "intent.after", "start.after", "result.before", "start.after", "intent.after"):
        ground.daemon(name).process.wait(PATIENCE_S)
    ground.in_sync()
    same(ground, undisturbed)


@case
def stopped_and_let_go_on(ground: Ground, undisturbed: End) -> None:
    frozen = ground.daemon("result.before:5:stop")
    ground.await_(lambda: _state(frozen) == "T", "the stop")
    time.sleep(1)
    frozen.process.send_signal(signal.SIGCONT)
    ground.in_sync(frozen)
    same(ground, undisturbed)


@case
def frozen_leader_wakes_up_after_another_took_the_store(ground: Ground, undisturbed: End) -> None:
    """The lock lies in a file; somebody who removes that file lets a second daemon in."""
    frozen = ground.daemon("start.before:4:stop")
    ground.await_(lambda: _state(frozen) == "T", "the stop")
    (ground.site.state / "journal.sqlite.lock").unlink()
    leader = ground.in_sync(ground.daemon(RECONCILER_WEB__LISTEN="127.0.0.1:0"))
    frozen.process.send_signal(signal.SIGCONT)
    assert frozen.process.wait(PATIENCE_S) == 1, frozen.log
    same(ground, undisturbed)
    assert leader.process.poll() is None
    assert "the lease of epoch 1 is lost" in frozen.log


def _state(daemon: Daemon) -> str:
    return Path(f"/proc/{daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


# ---------------------------------------------------------------- hosts and database


@case
def sessions_cut(ground: Ground, undisturbed: End) -> None:
    daemon = ground.in_mid_migration()
    ground.servers[0].cut()
    ground.site.hold.unlink()
    ground.in_sync(daemon)
    same(ground, undisturbed)


@case
def sshd_killed(ground: Ground, undisturbed: End) -> None:
    daemon = ground.in_mid_migration()
    ground.restart_sshd(0, meanwhile=lambda: (ground.site.hold.unlink(), time.sleep(2))[0])
    ground.in_sync(daemon)
    same(ground, undisturbed)


@case
def sshd_and_daemon_killed(ground: Ground, undisturbed: End) -> None:
    daemon = ground.in_mid_migration()
    daemon.kill()
    ground.restart_sshd(0, meanwhile=ground.site.hold.unlink)
    ground.in_sync()
    same(ground, undisturbed)


@case
def schema_tool_killed(ground: Ground, undisturbed: End) -> None:
    """As the kernel does when memory is short: nobody knows how far it came, so the leg is taken back."""
    daemon = ground.in_mid_migration()
    ground.kill_the_tool()
    ground.site.hold.unlink()
    ground.halted(daemon)
    ground.retried(daemon)
    stands(ground, undisturbed)


@case
def schema_tool_killed_while_no_daemon_lives(ground: Ground, undisturbed: End) -> None:
    ground.in_mid_migration().kill()
    ground.kill_the_tool()
    ground.site.hold.unlink()
    daemon = ground.daemon()
    ground.halted(daemon)
    ground.retried(daemon)
    stands(ground, undisturbed)


@case
def database_server_killed(ground: Ground, undisturbed: End) -> None:
    daemon = ground.in_mid_migration()
    ground.kill_the_database()
    ground.start_the_database()
    ground.site.hold.unlink()
    ground.in_sync(daemon)
    same(ground, undisturbed)


@case
def database_server_gone_while_the_schema_moves(ground: Ground, undisturbed: End) -> None:
    daemon = ground.in_mid_migration()
    ground.kill_the_database()
    ground.site.hold.unlink()
    ground.halted(daemon)
    ground.start_the_database()
    ground.retried(daemon)
    stands(ground, undisturbed)


# ---------------------------------------------------------------- the store and the clock


@case
def disk_full(ground: Ground, undisturbed: End) -> None:
    with ground.small_disk():
        daemon = ground.in_mid_migration()
        filler = ground.site.state / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], capture_output=True, check=False)
        ground.site.hold.unlink()
        ground.await_(lambda: "JournalUnwritable" in daemon.log or daemon.process.poll() is not None, "the refusal")
        ground.await_(lambda: ground.site.page("readyz").startswith("503"), "the alarm")
        assert "[-]store not ready" in ground.site.page("readyz")
        assert "reconciler_store_writable 0.0" in ground.site.page("metrics")
        filler.unlink()
        ground.in_sync(daemon)
        ground.await_(lambda: ground.site.page("readyz").startswith("200"), "the end of the alarm")
        assert "Traceback" not in daemon.log
        same(ground, undisturbed)


@case
def disk_full_on_a_host(ground: Ground, undisturbed: End) -> None:
    with ground.small_disk(ground.site.root / "alpha/state"):
        daemon = ground.in_mid_migration()
        filler = ground.site.root / "alpha/state/filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], capture_output=True, check=False)
        ground.site.hold.unlink()
        daemon.until(lambda s: verdict_of(s) == "Waiting" and "cannot write" in s["services"][0]["text"], "its name")
        filler.unlink()
        ground.retried(daemon)
        stands(ground, undisturbed)


@case
def store_read_only(ground: Ground, undisturbed: End) -> None:
    with ground.small_disk() as disk:
        ground.in_mid_migration().kill()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        refused = child(ground.site, "run", "--once", **ground.credentials)
        assert (refused.code, "Traceback" in refused.err) == (1, False)
        assert str(ground.site.state) in refused.err
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        ground.site.hold.unlink()
        ground.in_sync()
        same(ground, undisturbed)


@case
def store_of_before_the_leg_put_back(ground: Ground, undisturbed: End) -> None:
    _put_back_in_mid_leg(ground)
    ground.site.hold.unlink()
    _given_up(ground, ground.daemon())
    once_by_the_tool(ground, undisturbed)


@case
def store_of_before_the_leg_put_back_while_the_schema_moves(ground: Ground, undisturbed: End) -> None:
    """The daemon knows of no run; the host does, so nothing begins beside what runs there."""
    _put_back_in_mid_leg(ground)
    daemon = ground.daemon()
    daemon.until(_unheard, "the refusal")
    time.sleep(5)
    assert ground.site.ledger() == ["begin two"]
    ground.site.hold.unlink()
    ground.await_(lambda: "end two" in ground.site.ledger(), "the end of the migration")
    _given_up(ground, daemon)
    once_by_the_tool(ground, undisturbed)


def _unheard(status: Status) -> bool:
    return bool(status["services"]) and status["services"][0]["reason"] == "JournalBehind"


def _given_up(ground: Ground, daemon: Daemon) -> None:
    """Say that there is no newer store, as the hint words it, and let the daemon go on from what it sees."""
    (service,) = daemon.until(_unheard, "the refusal")["services"]
    run = service["hint"].partition("`abandon ")[2].partition("`")[0]
    done = cli(ground.site, "abandon", run, "--why", "there is no newer copy")
    assert done.code == 0, f"{run!r}: {done.text}"
    ground.in_sync(daemon)


def _put_back_in_mid_leg(ground: Ground) -> None:
    """Kill the daemon while the schema moves, and let its store be that of before the leg."""
    ground.want("one")
    ground.in_sync().kill()
    kept = ground.keep_the_store()
    ground.want("two")
    ground.in_mid_migration().kill()
    ground.put_back(kept)


@case
def store_of_mid_leg_put_back(ground: Ground, undisturbed: End) -> None:
    ground.in_mid_migration().kill()
    kept = ground.keep_the_store()
    ground.site.hold.unlink()
    ground.in_sync().kill()
    ground.put_back(kept)
    ground.in_sync()
    same(ground, undisturbed)


@case
def clock_goes_ahead(ground: Ground, undisturbed: End) -> None:
    """A daemon that did not see the step begin believes the clock: it halts as slow, and goes on when that is cleared."""
    daemon = _at_another_time(ground, "+3d")
    assert cli(ground.site, "clear-halt", ground.halted(daemon), "--why", "the clock was wrong").code == 0
    ground.in_sync(daemon)
    same(ground, undisturbed)


@case
def clock_goes_back(ground: Ground, undisturbed: End) -> None:
    ground.in_sync(_at_another_time(ground, "-3d"))
    same(ground, undisturbed)


def _at_another_time(ground: Ground, offset: str) -> Daemon:
    """Let the daemon that goes on have another clock than the one before, the hosts and the database."""
    ground.in_mid_migration().kill()
    ground.site.hold.unlink()
    assert Path(FAKETIME).exists(), "libfaketime is not installed"
    return ground.daemon(LD_PRELOAD=FAKETIME, FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")


@case
def second_daemon(ground: Ground, undisturbed: End) -> None:
    daemon = ground.in_mid_migration()
    other = child(ground.site, "run", "--once", **ground.credentials)
    assert other.code == 1
    assert f"pid {daemon.process.pid}" in other.err
    ground.site.hold.unlink()
    ground.in_sync(daemon)
    same(ground, undisturbed)
