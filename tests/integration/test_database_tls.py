"""TLS to a real MariaDB, with an authority of our own: for the daemon's questions and for the tools on hosts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.domain.desired import Database
from reconciler.domain.observation import Absent, Unknown
from reconciler.domain.outcome import Done, Failed, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, StepKind, backup, load, restore, restore_check, space, sql_rewrite
from tests.support.authority import Authority
from tests.support.mariadb import PASSWORD, Mariadb, shared
from tests.support.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]
pytestmark = pytest.mark.integration


class Secured:
    """A server that speaks TLS under the name of 127.0.0.1; `stranger` signs nothing of it."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.stranger = Authority(folder, "ours"), Authority(folder, "stranger")
        self.own = self.authority.issue("daemon")
        certificate, key = self.authority.issue("server", "127.0.0.1")
        files = (f"--ssl-ca={self.authority.file}", f"--ssl-cert={certificate}", f"--ssl-key={key}")
        self.server = shared("--skip-log-bin", *files)
        for user, must in (("encrypted", "SSL"), ("certified", "X509")):
            self.server.run(
                f"CREATE USER {user}@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE {must}", f"GRANT ALL ON *.* TO {user}@'%'"
            )
        self.server.run("CREATE DATABASE demo")
        self.server.run(
            "CREATE TABLE things (id INT PRIMARY KEY, name VARCHAR(9))",
            "INSERT INTO things VALUES (1, 'one')",
            dbname="demo",
        )

    def tls(self, which: str) -> dict[str, str]:
        certificate, key = self.own
        files = {"ca": str(self.authority.file), "cert": str(certificate), "key": str(key)}
        return {
            "right": {"ca": files["ca"]},
            "own": files,
            "stranger": {"ca": str(self.stranger.file)},
        }[which]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    return Secured(tmp_path_factory.mktemp("tls"))


async def asked(server: Mariadb, host: str, user: str, tls: dict[str, str]) -> object:
    """Ask for the marker of a database that is not there: Absent says that the server was reached."""
    options = "&".join(f"ssl_{name}={path}" for name, path in tls.items())
    url = f"mysql+pymysql://{user}@{host}:{server.port}/none?{options}"
    seen = await SqlDatabases().marker(Database(name="main", url=url), PASSWORD)
    return (seen.reason, seen.text.partition("): ")[2]) if isinstance(seen, Unknown) else type(seen)


@pytest.mark.parametrize(
    ("host", "user", "which", "found"),
    [
        ("127.0.0.1", "encrypted", "right", Absent),
        ("127.0.0.1", "certified", "own", Absent),
        ("127.0.0.1", "certified", "right", "the server refuses the user"),
        ("127.0.0.1", "encrypted", "stranger", "the server's certificate is refused: "),
        ("localhost", "encrypted", "right", "the server's certificate is refused: Hostname mismatch"),
    ],
)
async def test_the_daemon_verifies_the_server(
    secured: Secured, host: str, user: str, which: str, found: object
) -> None:
    seen = await asked(secured.server, host, user, secured.tls(which))
    if not isinstance(found, str):
        assert seen is found
        return
    assert isinstance(seen, tuple)
    assert seen[1].startswith(found), seen
    assert seen[0] == (Reason.DATABASE_UNREACHABLE if "user" in found else Reason.DATABASE_UNTRUSTED)


async def test_a_server_without_tls_is_sent_nothing(secured: Secured) -> None:
    seen = await asked(shared(), "127.0.0.1", "cloud", secured.tls("right"))
    assert seen == (Reason.DATABASE_UNTRUSTED, "the server speaks no TLS, and the URL asks for it")


async def test_a_file_that_is_missing_or_no_certificate_is_named(secured: Secured, tmp_path: Path) -> None:
    seen = await asked(secured.server, "127.0.0.1", "encrypted", {"ca": f"{tmp_path}/ca.pem"})
    assert seen == (Reason.DATABASE_UNREACHABLE, f"{tmp_path}/ca.pem: No such file or directory")
    (tmp_path / "ca.pem").write_text("hello")
    seen = await asked(secured.server, "127.0.0.1", "encrypted", {"ca": f"{tmp_path}/ca.pem"})
    assert isinstance(seen, tuple)
    assert seen[0] == Reason.DATABASE_UNTRUSTED


Act = Callable[..., Outcome]


@pytest.fixture
def act(sandbox: Sandbox, secured: Secured) -> Act:
    """Carry out a step of dumps as its host does."""

    def run(kind: StepKind, which: str, *, user: str = "encrypted", **more: object) -> Outcome:
        args = {"service": "demo", "database": "main", "engine": "mariadb", "dir": str(sandbox.root / "backups")}
        args |= {"host": "127.0.0.1", "port": secured.server.port, "user": user, "dbname": "demo"}
        args |= {"password": {"kind": "env", "origin": "X"}, "tls": secured.tls(which), **more}
        model = kind.Model.model_validate(args)
        done = sandbox.run(kind.effect(model), {"password": PASSWORD})
        return kind.judge(model, Evidence(done))

    return run


@pytest.mark.parametrize(("user", "which"), [("encrypted", "right"), ("certified", "own")])
def test_dumps_go_and_come_back_encrypted(act: Act, secured: Secured, user: str, which: str) -> None:
    secured.server.run(f"DROP DATABASE IF EXISTS demo_{user}")
    rewrite = {"sql": "UPDATE things SET name = 'two' WHERE name = 'one'", "expect_rows": 1}
    rewrite["done_when"] = "SELECT COUNT(*) = 0 FROM things WHERE name = 'one'"
    for kind, more in (
        (space, {}),
        (backup, {}),
        (restore_check, {}),
        (load, {"dbname": f"demo_{user}"}),
        (sql_rewrite, rewrite),
        (restore, {}),
    ):
        done = act(kind, which, user=user, **more)
        assert isinstance(done, Done), (kind, done)
    assert secured.server.rows("SELECT name FROM demo.things") == (("one",),)


@pytest.mark.parametrize(
    ("more", "which"),
    [({}, "stranger"), ({"host": "localhost"}, "right"), ({"user": "certified"}, "right")],
    ids=["another authority", "another name", "no certificate"],
)
def test_tools_on_hosts_refuse_what_the_daemon_refuses(act: Act, more: dict[str, str], which: str) -> None:
    done = act(backup, which, **more)
    assert isinstance(done, Failed)
    assert "ERROR 2026" in done.text or "ERROR 1045" in done.text, done


def test_tools_on_hosts_send_nothing_to_a_server_without_tls(act: Act) -> None:
    done = act(backup, "right", port=shared().port, user="cloud")
    assert isinstance(done, Failed)
    assert "ERROR 2026" in done.text, done
