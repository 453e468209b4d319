"""A small site on real sshd, git and MariaDB, on which a daemon is killed and everything else goes wrong, case by case."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pymysql

from reconciler.adapters.failpoints import VARIABLE
from tests.integration.daemon.conftest import DATABASE, fresh_database
from tests.integration.daemon.daemon import Daemon, Status, cli, status_of
from tests.integration.daemon.site import HERE, HOSTS, Site, made_tools, two_servers
from tests.integration.daemon.test_secrets import credentials, files_on_mariadb
from tests.support.mariadb import shared
from tests.support.sshd import Sshd, start_sshd

PATIENCE_S = 120.0
"""How long what must happen may take, on a busy machine too; no case measures time."""
RETRIES = 6
TOOLS = Path(__file__).parent / "tools"


@dataclass(frozen=True)
class End:
    """How a fleet stands, and what was done on it: every command that changes something, on every host, in no order."""

    links: tuple[str, ...]
    schema: tuple[object, ...]
    rows: tuple[object, ...]
    files: tuple[str, ...]
    done: tuple[str, ...]


@dataclass
class Ground:
    """Two hosts and a database server, which outlive the cases; `site` is of the case at hand."""

    root: Path = field(default_factory=lambda: Path(mkdtemp(prefix="faults-")))
    daemons: list[Daemon] = field(default_factory=list)
    cases: int = 0
    remark: str = ""

    def __post_init__(self) -> None:
        self.tools = made_tools(self.root / "tools", HERE / "tools", TOOLS)
        self.servers = two_servers(self.root / "sshd1", self.root / "sshd2")
        shared().run("SET GLOBAL innodb_flush_log_at_trx_commit = 1")  # what was committed survives a kill

    def begin(self) -> None:
        """Make a fresh site at release one, for which git wants release two."""
        self.cases += 1
        self.remark = ""
        self.site = Site(self.root / f"case{self.cases}", self.tools, self.servers)
        fresh_database()
        self.credentials = credentials(self.site)
        self.want("two")

    def want(self, release: str, mode: str = "good") -> None:
        """Commit a release; a service of mode `broken` fails its canary."""
        self.site.push(self.files(release, mode))

    def files(self, release: str, mode: str = "good") -> dict[str, str]:
        """Write the desired state, with a schema tool that waits while it is held."""
        files = files_on_mariadb(self.site, release)
        fleet = files["fleet.yaml"].replace("demo-manage-mariadb,", "demo-manage-held,")
        fleet = fleet.replace(f"{self.site.root}/ledger", f"{self.site.root}/ledger, {self.site.hold}")
        fleet = fleet.replace("vars: {mode: good,", f"vars: {{mode: {mode},")
        return files | {"fleet.yaml": fleet}

    def finish(self) -> None:
        """End what a case has left running, and throw its site away."""
        for daemon in self.daemons:
            daemon.process.send_signal(signal.SIGCONT)
            daemon.kill()
        self.daemons.clear()
        self.site.close()
        shutil.rmtree(self.site.root, ignore_errors=True)

    def close(self) -> None:
        """Stop the hosts."""
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    # ------------------------------------------------------------ the daemon

    def daemon(self, failpoint: str = "", **env: str) -> Daemon:
        """Start a daemon, armed or not."""
        armed = {VARIABLE: failpoint} if failpoint else {}
        self.daemons.append(Daemon(self.site, **self.credentials, **armed, **env))
        self.daemons[-1].patience_s = PATIENCE_S
        return self.daemons[-1]

    def in_mid_migration(self) -> Daemon:
        """Start a daemon and bring it to where the schema tool runs and waits."""
        self.site.hold.touch()
        daemon = self.daemon()
        self.await_(lambda: "begin two" in self.site.ledger(), "the migration")
        return daemon

    def killed_at(self, name: str, count: int, rests: Callable[[], bool]) -> None:
        """Let a daemon be killed at a boundary, the first time that it gets there or a later one.

        How often it gets there depends on what hosts bring at once: a leg may end before, and the case remarks it.
        """
        daemon = self.daemon(f"{name}:{count}")
        self.await_(lambda: daemon.process.poll() is not None or rests(), "the boundary")
        if daemon.process.poll() is None:
            assert count > 1, "the boundary was not reached"
            self.remark = "it came there fewer times"
            daemon.kill()
        assert daemon.process.wait() == -signal.SIGKILL, daemon.log

    def at_rest(self, verdict: str) -> bool:
        """Tell whether the service stands so under the newest commit, with nothing open."""
        status = status_of(self.site)
        known = bool(status) and status["revision"] == self.site.head
        return known and verdict_of(status) == verdict and self.open_runs() == 0

    def in_sync(self, daemon: Daemon | None = None) -> Daemon:
        """Wait until a daemon, by default a new one, says that all is in sync."""
        running = daemon or self.daemon()
        running.reached("InSync")
        return running

    def halted(self, daemon: Daemon) -> str:
        """Wait for a halt, and return the id of the newest."""
        status = daemon.until(lambda s: verdict_of(s) == "Halted", "the halt")
        return str(status["halts"][0]["id"])

    def retried(self, daemon: Daemon) -> Daemon:
        """Say retry whenever nothing goes on any more, as an operator would, until all is in sync."""
        for _ in range(RETRIES):
            found = verdict_of(daemon.until(lambda s: verdict_of(s) in {"Halted", "Blocked", "InSync"}, "a rest"))
            if found == "InSync" and self.open_runs() == 0:
                break
            assert cli(self.site, "retry", "demo", "--why", "it is mended").code == 0
            time.sleep(1)
        return self.in_sync(daemon)

    # ------------------------------------------------------------ what is

    def open_runs(self) -> int:
        """Count the runs that have not ended, by the journal."""
        kinds = [each["kind"] for each in cli(self.site, "history", "-n", "0", "-o", "json").json["entries"]]
        return kinds.count("plan_pinned") - kinds.count("run_ended")

    def end(self) -> End:
        """Read how everything stands: from the hosts and the database, not from what the daemon says."""
        checked = cli(self.site, "history", "--verify", "-n", "1")
        assert checked.code == 0, checked.text
        name = shared().rows(f"SELECT version_num FROM {DATABASE}.alembic_version")  # noqa: S608 - a name of ours
        tables = shared().rows(f"SHOW TABLES IN {DATABASE}")
        rows = shared().rows(f"CHECKSUM TABLE {DATABASE}.things")
        done = [f"{host}: {line}" for host in HOSTS for line in self._ledger(host)]
        return End(
            links=tuple(self.site.links()),
            schema=(*name, *tables),
            rows=(*rows,),
            files=tuple(self._file(host) for host in HOSTS),
            done=tuple(sorted([*done, *self.site.ledger()])),
        )

    def _file(self, host: str) -> str:
        """Read a host's configuration, without the port that each site has of its own."""
        lines = (self.site.root / host / "demo.conf").read_text().splitlines()
        return "; ".join(line for line in lines if not line.startswith("port"))

    def _ledger(self, host: str) -> list[str]:
        file = self.site.root / host / "state/ledger"
        return file.read_text().splitlines() if file.exists() else []

    def await_(self, holds: Callable[[], object], what: str) -> None:
        """Wait for what must come."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"{what} never came: {self.daemons[-1].log[-2000:] if self.daemons else ''}"
            time.sleep(0.02)

    # ------------------------------------------------------------ what goes wrong

    def kill_the_tool(self) -> None:
        """Kill the schema tool and all that started it on its host, as the kernel does when memory is short."""
        found = subprocess.run(
            ["pgrep", "-f", f"{self.site.root}/alpha/state/steps"], capture_output=True, text=True, check=False
        )
        mine = subprocess.run(
            ["pgrep", "-f", f"demo-manage-held two {self.site.root}"], capture_output=True, text=True, check=True
        )
        for pid in {*found.stdout.split(), *mine.stdout.split()}:
            with suppress(ProcessLookupError):  # it went with another one
                os.kill(int(pid), signal.SIGKILL)

    def kill_the_database(self) -> None:
        """Kill the database server, as a power cut would."""
        (pid,) = _mariadbd()
        self.mariadbd = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        os.kill(pid, signal.SIGKILL)
        self.await_(lambda: not database_lives(), "the end of the database server")

    def start_the_database(self) -> None:
        """Start it anew as it was."""
        quiet = subprocess.DEVNULL
        subprocess.Popen(self.mariadbd, stdin=quiet, stdout=quiet, stderr=quiet)
        self.await_(database_lives, "the database server")

    @contextmanager
    def small_disk(self, place: Path | None = None) -> Iterator[Path]:
        """Give a folder, by default the daemon's, a disk of its own, which is soon full."""
        disk = place or self.site.state
        disk.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "faults", disk], check=True)
        try:
            yield disk
        finally:
            for daemon in self.daemons:
                daemon.kill()
            subprocess.run(["umount", "--lazy", disk], check=True)

    def keep_the_store(self) -> Path:
        """Copy the store, as a backup of the daemon's machine would."""
        kept = self.site.root / "kept"
        kept.mkdir()
        for file in self.site.state.glob("journal.sqlite*"):
            shutil.copy(file, kept)
        return kept

    def put_back(self, kept: Path) -> None:
        """Let the store be as it was when it was kept."""
        for file in self.site.state.glob("journal.sqlite*"):
            file.unlink()
        for file in kept.iterdir():
            shutil.copy(file, self.site.state)

    def restart_sshd(self, number: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Kill a host's sshd with its sessions, and start it anew on the same port."""
        old = self.servers[number]
        old.stop()
        meanwhile()
        new = start_sshd(old.folder, port=old.port)
        found: list[Sshd] = list(self.servers)
        found[number] = new
        self.servers = (found[0], found[1])


def verdict_of(status: Status) -> str:
    """Return how the service stands, empty where nobody can tell yet."""
    return str(status["services"][0]["verdict"]) if status["services"] else ""


def _mariadbd() -> list[int]:
    """Return the process of this test process's server."""
    found = subprocess.run(["pgrep", "-f", f"socket={shared().socket}"], capture_output=True, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


def database_lives() -> bool:
    """Tell whether the database server answers."""
    try:
        shared().run("SELECT 1")
    except pymysql.err.OperationalError:
        return False
    return True
