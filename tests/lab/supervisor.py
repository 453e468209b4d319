"""The supervisor: process 1 of the lab's namespaces; the bridge, the disks and the hosts are its own.

`Lab` starts it as `unshare ... python -m tests.lab.supervisor FOLDER IMAGE HOST...`. It says `ready`, then
reads one order a line and answers each with `ok` or `error: reason`. At end of input it takes everything
down and ends: a lab never outlives the process that asked for it. Killed, it takes everything along too,
because the kernel ends a process namespace with its process 1; only empty control groups remain then,
which the next lab removes.

Orders: `start HOST`, `kill HOST` (the power goes), `reboot HOST` and `poweroff HOST` (the button is pressed),
`link HOST up|down`.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lab import network

SCRIPTS = Path(__file__).parent / "host"
CGROUP_PREFIX = "reconciler-lab-"
DISKS_SIZE = "4g"  # memory is taken as files are written
# what these signals mean to systemd as process 1 is in systemd(1)
REBOOT = signal.SIGRTMIN + 5
POWEROFF = signal.SIGRTMIN + 4


class Supervisor:
    """Carries out orders on the hosts of one lab."""

    def __init__(self, folder: Path, image: Path, hosts: list[str]) -> None:
        self.folder = folder
        self.image = image
        self.numbers = {host: number for number, host in enumerate(hosts, start=1)}
        self.unplugged: set[str] = set()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.disks = folder / "disks"
        self.cgroups = folder / "cgroups"
        self.cgroup = self.cgroups / f"{CGROUP_PREFIX}{os.urandom(4).hex()}"

    def set_up(self) -> None:
        """Mount the disks, make the network, serve the package repository, start every host."""
        self.disks.mkdir()
        self.cgroups.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"mode=755,size={DISKS_SIZE}", "lab", self.disks)
        _run("mount", "-t", "cgroup2", "lab", self.cgroups)
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run")  # where ip netns keeps names
        for leftover in self.cgroups.glob(f"{CGROUP_PREFIX}*"):
            remove_unused(leftover)
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", network.BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{network.GATEWAY}/{network.PREFIX}", "dev", network.BRIDGE)
        _run("ip", "link", "set", network.BRIDGE, "up")
        # the default of a second would be most of what a boot takes
        Path(f"/proc/sys/net/ipv4/neigh/{network.BRIDGE}/retrans_time_ms").write_text("50")
        self._serve(self.folder / "repository")
        for host in self.numbers:
            self.start(host)

    def obey(self, order: str) -> str:
        """Carry out one order; return the answer."""
        try:
            match order.split():
                case ["start", host] if host in self.numbers:
                    self.start(host)
                case ["kill", host] if host in self.numbers:
                    self.kill(host)
                case ["reboot", host] if host in self.running:
                    os.kill(self._init(host), REBOOT)
                case ["poweroff", host] if host in self.running:
                    os.kill(self._init(host), POWEROFF)
                case ["link", host, ("up" | "down") as state] if host in self.numbers:
                    self.link(host, state)
                case _:
                    return f"error: not understood, or the host does not run: {order}"
        except (OSError, subprocess.CalledProcessError) as error:
            return f"error: {order}: {error}"
        return "ok"

    def start(self, host: str) -> None:
        """Boot `host` unless it runs."""
        if host in self.running:
            return
        environment = os.environ | {
            "NAME": host,
            "MAC": network.mac(self.numbers[host]),
            "CABLE": "down" if host in self.unplugged else "up",
            "BRIDGE": network.BRIDGE,
            "CGROUP": str(self.cgroup / host),
            "ADDRESS": f"{network.address(self.numbers[host])}/{network.PREFIX}",
            "GATEWAY": network.GATEWAY,
            "IMAGE": str(self.image),
            "SEED": str(self.folder / host),
            "DISK": str(self.disks / host),
        }
        with (self.folder / host / "console.log").open("ab") as log:
            self.running[host] = subprocess.Popen(
                [SCRIPTS / "start.sh"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, host: str) -> None:
        """Cut the power of `host`."""
        if process := self.running.pop(host, None):
            try:
                os.kill(_child(process.pid), signal.SIGKILL)
            except ProcessLookupError:
                process.kill()
            process.wait()

    def link(self, host: str, state: str) -> None:
        """Plug the cable of `host` in or out; it stays so over a boot."""
        if state == "down":
            self.unplugged.add(host)
        else:
            self.unplugged.discard(host)
        if host in self.running:
            _run("ip", "link", "set", host, state)

    def reap(self) -> None:
        """Boot the hosts that ended by a reboot; note those that ended otherwise."""
        for host, process in list(self.running.items()):
            status = process.poll()
            if status is not None:
                del self.running[host]
                print(f"{host} ended with {status}", file=sys.stderr, flush=True)
            # reboot(2): in a process namespace a restart ends process 1 by SIGHUP; unshare(1) ends likewise
            if status == -signal.SIGHUP:
                self.start(host)

    def tear_down(self) -> None:
        """End every host and remove the control groups; the rest goes with the namespaces."""
        for host in list(self.running):
            self.kill(host)
        for _ in range(50):
            remove_unused(self.cgroup)
            if not self.cgroup.exists():
                break
            time.sleep(0.05)

    def _init(self, host: str) -> int:
        return _child(self.running[host].pid)

    def _serve(self, repository: Path) -> None:
        with (self.folder / "repository.log").open("ab") as log:
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "http.server",
                    "80",
                    "--bind",
                    network.GATEWAY,
                    "--directory",
                    repository,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def remove_unused(cgroup: Path) -> None:
    """Remove a control group and those below it, unless a process lives in one of them."""
    with contextlib.suppress(OSError):
        if "populated 0" in (cgroup / "cgroup.events").read_text():
            for folder, _, _ in os.walk(cgroup, topdown=False):
                Path(folder).rmdir()


def run(supervisor: Supervisor) -> None:
    """Obey the orders on standard input until it ends."""
    ended, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    print("ready", flush=True)
    orders = b""
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            supervisor.reap()
        if 0 in ready:
            if not (more := os.read(0, 4096)):
                return
            *complete, orders = (orders + more).split(b"\n")
            for order in complete:
                supervisor.reap()
                print(supervisor.obey(order.decode()), flush=True)


def main() -> None:
    """Bring a lab up, obey, take it down."""
    folder, image, *hosts = sys.argv[1:]
    supervisor = Supervisor(Path(folder), Path(image), hosts)
    try:
        supervisor.set_up()
        run(supervisor)
    finally:
        supervisor.tear_down()


def _child(process: int) -> int:
    """Return the only child of `process`; raise ProcessLookupError when it has none."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    if not children:
        raise ProcessLookupError(f"process {process} has no child")
    return int(children[0])


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
