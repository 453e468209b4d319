"""A private Ceph monitor: own folder, loopback, free port, no keys, thrown away at the end."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.debian import program
from tests.support.net import free_port

CONF = """
[global]
fsid = 0f5d0d4c-8a3c-4d5e-9a55-2d1b1f1a0001
mon host = [v2:127.0.0.1:{port}]
auth cluster required = none
auth service required = none
auth client required = none
mon data = {folder}/mon
log file = {folder}/log
pid file = {folder}/pid
mon data avail warn = 1
auth allow insecure global id reclaim = false
mon data avail crit = 0
[mon]
admin socket = {folder}/$name.asok
run dir = {folder}
"""


@contextlib.contextmanager
def running_mon(folder: Path) -> Iterator[Path]:
    """Start monitor `a`, and yield the path of a ceph.conf that leads to it."""
    mon, conf, port = program("ceph-mon", "ceph-mon"), folder / "ceph.conf", free_port()
    conf.write_text(CONF.format(port=port, folder=folder))
    make = [program("monmaptool", "ceph-common"), "--create", "--addv", "a", f"[v2:127.0.0.1:{port}]"]
    fsid = "0f5d0d4c-8a3c-4d5e-9a55-2d1b1f1a0001"
    subprocess.run([*make, "--fsid", fsid, folder / "map"], check=True, capture_output=True)
    call = [mon, "-i", "a", "-c", conf]
    subprocess.run([*call, "--mkfs", "--monmap", folder / "map"], check=True, capture_output=True)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([*call, "-f"], stdout=out, stderr=out)
    try:
        _await(conf, folder / "out")
        yield conf
    finally:
        process.kill()
        process.wait()


def _await(conf: Path, out: Path) -> None:
    ceph = program("ceph", "ceph-common")
    end = time.monotonic() + 60
    while subprocess.run(
        [ceph, "-c", conf, "--connect-timeout", "5", "mon", "stat"], capture_output=True, check=False
    ).returncode:
        if time.monotonic() > end:
            raise RuntimeError(f"ceph-mon does not start: {out.read_text()[-2000:]}")
