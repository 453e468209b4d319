"""`galera` with two real nodes of MariaDB on loopback: held back, brought back, and the beginning of a cluster."""

import getpass
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.steps import galera
from tests.support.debian import program
from tests.support.net import free_port
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.integration

# A unit whose process id is in a file. It starts with what `environment` says, and not while a condition holds it down.
SYSTEMCTL = r"""
alive() { kill -0 "$(cat "$root/pid" 2>/dev/null)" 2>/dev/null; }
case $1 in
show) case $3 in
  ActiveState) if alive; then echo ActiveState=active; else echo ActiveState=inactive; fi ;;
  MainPID) if alive; then echo "MainPID=$(cat "$root/pid")"; else echo MainPID=0; fi ;;
  Id) echo Id=mariadb.service ;;
  esac ;;
start)
  [ ! -e "$root/dropins/mariadb.service.d/zz-reconciler.conf" ] || exit 0
  words=$(cat "$root/environment" 2>/dev/null)
  PATH="$root/tools:$PATH" setsid "$server" --defaults-file="$root/my.cnf" $words >>"$root/mariadb.log" 2>&1 & ;;
stop) kill "$(cat "$root/pid")"; while alive; do sleep 0.1; done ;;
esac
"""


# How a member hears that it needs no copy of the data, only what it missed: through a file that both nodes see.
TRANSFER = r"""
while [ $# -gt 0 ]; do
  case $1 in --role) role=$2 ;; --gtid) gtid=$2 ;; --bypass) bypass=yes ;; esac
  shift
done
case $role in
joiner)
  rm -f "$meet"
  echo "ready 127.0.0.1/demo"
  until [ -s "$meet" ]; do sleep 0.1; done
  cat "$meet" ;;
donor)
  [ "${bypass-}" = yes ] || exit 22
  echo "$gtid" >"$meet.part"
  mv "$meet.part" "$meet"
  echo "done $gtid" ;;
esac
"""


@dataclass
class Node:
    """A host of the cluster; `other` is the port of the other one's replication."""

    sandbox: Sandbox
    other: int
    address: str = "127.0.0.1"

    def order(self, action, **more):
        root = self.sandbox.root
        given = {"datadir": f"{root}/data", "socket": f"{root}/sock", "user": "root", "wait_s": 60} | more
        script = galera.effect(galera.Model(action=action, **given))
        ours = {galera.DROPINS: str(root / "dropins"), str(galera.REPLICATION_PORT): str(self.other)}
        words = [ours.get(word, word) for word in script.args]
        return self.sandbox.run(replace(script, args=tuple(words)))

    def sql(self, text):
        words = [
            program("mariadb", "mariadb-client-core"),
            f"--socket={self.sandbox.root}/sock",
            "-uroot",
            "-NBe",
            text,
        ]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    def systemctl(self, *words):
        subprocess.run([self.sandbox.root / "tools/systemctl", *words], check=True)


def furnish(root: Path, port: int, others: int):
    """Make a node whose replication listens on a port of 127.0.0.1."""
    for name in ("tools", "state", "dropins"):
        (root / name).mkdir(parents=True)
    user = getpass.getuser()
    install = program("mariadb-install-db", "mariadb-server-core")
    method = ("--auth-root-authentication-method=normal", "--skip-test-db")
    subprocess.run(
        [install, "--no-defaults", f"--datadir={root}/data", f"--user={user}", *method], check=True, capture_output=True
    )
    (root / "my.cnf").write_text(
        f"[mysqld]\nuser={user}\ndatadir={root}/data\nsocket={root}/sock\nport={free_port()}\npid-file={root}/pid\n"
        f"tmpdir={root}\nbind-address=127.0.0.1\ninnodb_buffer_pool_size=32M\nperformance_schema=OFF\n"
        "binlog_format=ROW\ninnodb_autoinc_lock_mode=2\nwsrep_on=ON\nwsrep_provider=/usr/lib/galera/libgalera_smm.so\n"
        f"wsrep_cluster_name=demo\nwsrep_sst_method=demo\nwsrep_cluster_address=gcomm://127.0.0.1:{others}\nwsrep_node_address=127.0.0.1:{port}\n"
        f"wsrep_provider_options=gmcast.listen_addr=tcp://127.0.0.1:{port};ist.recv_addr=127.0.0.1:{free_port()};gcache.size=8M\n"
    )
    sandbox = Sandbox(root, ["/bin/sh"])
    head = f"root={root}\nserver={program('mariadbd', 'mariadb-server-core')}"
    sandbox.tool("systemctl", f"{head}\n{SYSTEMCTL}")
    new = f'echo --wsrep-new-cluster >"{root}/environment"\n"{root}/tools/systemctl" start mariadb\nrm "{root}/environment"'
    sandbox.tool("galera_new_cluster", new)
    sandbox.tool("wsrep_sst_demo", f"meet={root.parent}/meet\n{TRANSFER}")
    return Node(sandbox, others)


@pytest.fixture
def nodes(tmp_path):
    subprocess.run([Path(__file__).parents[3] / "scripts/debian-packages.sh", "galera-4"], check=True)
    ports = free_port(), free_port()
    found = [furnish(tmp_path / "a", ports[0], ports[1]), furnish(tmp_path / "b", ports[1], ports[0])]
    yield found
    for node in found:
        with suppress(OSError):
            os.kill(int((node.sandbox.root / "pid").read_text()), signal.SIGKILL)


@pytest.fixture
def cluster(nodes):
    """Two members with the same data: the second one began as a copy of the first."""
    a, b = nodes
    galera_new_cluster(a)
    a.sql("CREATE DATABASE keystone; CREATE TABLE keystone.t (id INT PRIMARY KEY); INSERT INTO keystone.t VALUES (1)")
    a.systemctl("stop", "mariadb")
    shutil.rmtree(b.sandbox.root / "data")
    shutil.copytree(a.sandbox.root / "data", b.sandbox.root / "data")
    exited = a.order("bootstrap", others=(b.address,))
    assert exited.code == 0, exited.output
    exited = b.order("rejoin")
    assert exited.code == 0, exited.output
    assert exited.values == {"members": "2"}
    return a, b


def galera_new_cluster(node):
    subprocess.run([node.sandbox.root / "tools/galera_new_cluster"], check=True)
    exited = node.order("check")
    assert exited.code == 0, exited.output


@pytest.mark.timeout(300)
def test_a_node_is_held_back_comes_back_and_begins_a_cluster(cluster):
    """One cluster for all: its beginning takes the time."""
    a, b = cluster
    held_back_and_brought_back(a, b)
    began_from_the_node_that_kept_the_old_data(a, b)
    not_begun_from_a_node_that_crashed(a, b)


def held_back_and_brought_back(a, b):
    exited = b.order("hold")
    assert exited.code == 0, exited.output
    assert re.fullmatch(r"[0-9a-f-]{36}", exited.values["uuid"])
    assert int(exited.values["seqno"]) > 0
    assert b.order("hold").values == exited.values
    b.systemctl("start", "mariadb")
    assert b.order("check", wait_s=1).code == 1  # the condition holds it down
    exited = a.order("hold")
    assert exited.code == 1
    assert "with 1 members nobody would go on serving" in exited.output
    a.sql("INSERT INTO keystone.t VALUES (2)")
    exited = b.order("rejoin")
    assert (exited.code, exited.values) == (0, {"members": "2"})
    assert b.sql("SELECT COUNT(*) FROM keystone.t") == "2"
    assert a.order("check", size=2).code == 0


def began_from_the_node_that_kept_the_old_data(a, b):
    assert b.order("hold").code == 0
    a.sql("INSERT INTO keystone.t VALUES (3)")
    exited = b.order("bootstrap", others=(a.address,))
    assert exited.code == 1
    assert "still is in a cluster" in exited.output
    for _ in range(2):
        exited = a.order("leave")
        assert exited.code == 0, exited.output
    for _ in range(2):
        exited = b.order("bootstrap")
        assert exited.code == 0, exited.output
    assert b.sql("SELECT COUNT(*) FROM keystone.t") == "2"


def not_begun_from_a_node_that_crashed(a, b):
    pid = int((b.sandbox.root / "pid").read_text())
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    exited = b.order("bootstrap", others=(a.address,))
    assert exited.code == 1
    assert "not stopped in good order" in exited.output
