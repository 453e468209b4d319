"""Probes by command through a real sshd, and by SQL on a real MariaDB, from the first question to the verdict."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databases import SqlDatabases
from reconciler.adapters.hosts import SshHosts
from reconciler.domain.desired import Database, SecretRef
from reconciler.domain.effect import AskProbe
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.probe import CommandProbe, OtherProbe, RowsProbe
from reconciler.execution.sampling import sampled
from reconciler.ports import Ports
from reconciler.steps import Evidence, probe
from tests.scenarios.stage import Stage
from tests.support.mariadb import Mariadb, shared
from tests.support.sample import DESIRED
from tests.support.sshd import Sshd, running_sshd

pytestmark = pytest.mark.integration
DBNAME = "probe_tests"


class Secret:
    """Knows one password."""

    def __init__(self, password: str) -> None:
        self.password = password

    def resolve(self, ref: SecretRef) -> str:
        return self.password

    def redact(self, text: str) -> str:
        return text.replace(self.password, "***")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[Mariadb]:
    found = shared()
    found.run(f"CREATE DATABASE {DBNAME}")
    found.run("CREATE TABLE agents (host VARCHAR(64), alive INT)", dbname=DBNAME)
    yield found
    found.run(f"DROP DATABASE {DBNAME}")


@pytest.fixture
async def ports(sshd: Sshd, server: Mariadb) -> AsyncIterator[Ports]:
    hosts = SshHosts(sshd.settings())
    known = Secret(server.password)
    yield replace(Stage().ports(), hosts=hosts, databases=SqlDatabases(), secrets=known, clock=SystemClock())
    await hosts.close()


async def judged(asked: OtherProbe, ports: Ports, host: object, database: Database | None = None) -> Outcome:
    """Ask a probe to its verdict."""
    question = AskProbe(probe=asked, host="ks1", database=database)
    desired = replace(DESIRED, hosts={"ks1": host})
    args = probe.Model(probe=asked, host="ks1", database=database)
    return probe.judge(args, Evidence(answers={question: await sampled(question, desired, ports)}))


def command(*argv: str, **more: object) -> CommandProbe:
    return CommandProbe(name="p", argv=argv, warmup_s=0.0, **more)


async def test_a_command_is_judged_by_its_code_and_what_it_says(sshd: Sshd, ports: Ports) -> None:
    host = sshd.host()
    good = await judged(command("printf", "a\nRunning Nodes\n", output="^Running Nodes$"), ports, host)
    assert isinstance(good, Done)
    for bad in (command("false"), command("echo", "stopped", output="^Running"), command("no-such-program")):
        assert isinstance(await judged(bad, ports, host), Failed)
    assert isinstance(await judged(command("sh", "-c", "exit 7", ok=(7,)), ports, host), Done)


async def test_what_stands_in_its_arguments_reaches_no_shell(sshd: Sshd, ports: Ports, tmp_path: Path) -> None:
    odd = f"$(touch {tmp_path}/made); `touch {tmp_path}/made` ' \" *"
    found = await judged(command("printf", "%s", odd, output="made"), ports, sshd.host())
    assert isinstance(found, Done)
    assert not (tmp_path / "made").exists()


async def test_a_command_that_turns_bad_in_a_row_is_flapping(sshd: Sshd, ports: Ports, tmp_path: Path) -> None:
    script = f"test ! -e {tmp_path}/asked && touch {tmp_path}/asked"
    found = await judged(command("sh", "-c", script, count=3, interval_s=0.01), ports, sshd.host())
    assert isinstance(found, Failed)
    assert "good 1 of 3 times" in found.text


async def test_of_a_command_on_a_host_that_does_not_answer_nobody_can_tell(sshd: Sshd, ports: Ports) -> None:
    found = await judged(command("true"), ports, replace(sshd.host(), port=1))
    assert isinstance(found, Lost)


def database(server: Mariadb, dbname: str = DBNAME) -> Database:
    return Database(name="main", url=server.url(dbname), password=SecretRef("env", "DB"))


async def test_rows_are_counted_where_they_are(sshd: Sshd, server: Mariadb, ports: Ports) -> None:
    dead = RowsProbe(
        name="dead", database="main", sql="SELECT host FROM agents WHERE alive = 0", good="none", warmup_s=0
    )
    server.run("INSERT INTO agents VALUES ('c1', 1)", dbname=DBNAME)
    assert isinstance(await judged(dead, ports, sshd.host(), database(server)), Done)
    server.run("INSERT INTO agents VALUES ('c2', 0)", dbname=DBNAME)
    found = await judged(dead, ports, sshd.host(), database(server))
    assert isinstance(found, Failed)
    assert "c2" in found.text
    some = replace(dead, good="some")
    assert isinstance(await judged(some, ports, sshd.host(), database(server)), Done)


async def test_of_rows_of_a_database_that_is_not_there_nobody_can_tell(
    sshd: Sshd, server: Mariadb, ports: Ports
) -> None:
    asked = RowsProbe(name="p", database="main", sql="SELECT host FROM agents", good="none", warmup_s=0)
    assert isinstance(await judged(asked, ports, sshd.host(), database(server, "nowhere")), Lost)
    gone = replace(asked, sql="SELECT host FROM no_such_table")
    assert isinstance(await judged(gone, ports, sshd.host(), database(server)), Lost)
