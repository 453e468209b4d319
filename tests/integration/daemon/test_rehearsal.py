"""A rehearsal by a real daemon, over real sshd, on a real MariaDB: the copy walks, and the original is as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.daemon.conftest import DATABASE, SCRATCH
from tests.integration.daemon.daemon import Daemon, checked, cli
from tests.integration.daemon.site import Site
from tests.integration.daemon.test_secrets import MY_CNF, credentials, files_on_mariadb
from tests.support.mariadb import shared

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def rehearsing(site: Site, release: str) -> None:
    """Commit the desired state on MariaDB, with scratch databases on the same server and files of their own."""
    files = files_on_mariadb(site, release)
    scratch = f"""\
    rehearsal:
      databases:
        main: {{url: {shared().url(SCRATCH)}, password: {{credential: db}}}}
      config:
        "*": [{{path: "{site.root}/{{host}}/rehearsal.cnf", source: files/rehearsal.cnf}}]
      commands:
        demo-manage:
          - {site.tools}/demo-manage-mariadb
          - "{{release}}"
          - "{site.root}/{{host}}/rehearsal.cnf"
          - {site.root}/rehearsed
"""
    cnf = MY_CNF.replace("{db_name}", SCRATCH)
    fleet = files["fleet.yaml"].rstrip("\n") + "\n" + scratch
    site.push(files | {"fleet.yaml": fleet, "files/rehearsal.cnf": cnf})


def tables(name: str) -> set[object]:
    asked = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{name}'"  # noqa: S608 - a name of ours
    found = shared().rows(asked)
    return {row[0] for row in found}


def rows(name: str) -> list[object]:
    return [row[1] for row in shared().rows(f"CHECKSUM TABLE {name}.alembic_version, {name}.things")]


@pytest.mark.usefixtures("database")
def test_the_copy_walks_to_the_goal_and_what_serves_is_as_it_was(site: Site, start: Callable[..., Daemon]) -> None:
    rehearsing(site, "one")
    daemon = start(**credentials(site))
    daemon.reached("InSync")
    before = (tables(DATABASE), rows(DATABASE))
    assert cli(site, "suspend", "demo", "--why", "not before the rehearsal").code == 0
    rehearsing(site, "two")
    daemon.reached("Suspended")

    asked = cli(site, "rehearse", "demo", "--why", "before the night")
    assert asked.code == 0, asked.text
    status = daemon.until(lambda s: any(each["state"] != "running" for each in s["rehearsals"]), "its end")
    assert [(each["service"], each["state"]) for each in status["rehearsals"]] == [("demo", "passed")]
    assert (site.root / "rehearsed").read_text().split() == ["end", "two"]
    assert site.ledger() == []
    assert (tables(DATABASE), rows(DATABASE)) == before
    assert tables(SCRATCH) == set()
    assert "rehearsal of demo: passed" in cli(site, "status").text
    history = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    assert {each["step"].rpartition(".")[0].split(".")[1] for each in history if each["kind"] == "intent"} >= {
        "backup",
        "load",
        "migrate",
        "finish",
    }

    assert cli(site, "resume", "demo").code == 0
    daemon.reached("InSync")
    assert site.ledger() == ["end two"]
