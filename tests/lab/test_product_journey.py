"""A service of deb packages and a MariaDB database walks from release to release and back, on real hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.domain.observation import Known
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.lab.lab import Lab, LabHost
from tests.lab.product import CONFIG, MIDDLE, NEW, OLD, Product, standing
from tests.lab.repository import DEMO

pytestmark = pytest.mark.lab

PASSWORD = "s3cret of the lab"
# The schema tool of whatever release is installed: refuses to migrate over one, and writes down that it ran.
TOOL = """\
#!/bin/sh
set -eu
. /etc/demo-service/demo-service.conf
release=$(cat /usr/share/demo-service/version)
sql() { mariadb --host=10.77.1.1 --user=demo --password="$password" demo -Ne "$1"; }
case "$release $(sql 'SELECT version_num FROM alembic_version')" in
1.1-1\\ a1) sql "ALTER TABLE thing ADD COLUMN colour TEXT; UPDATE alembic_version SET version_num = 'a2'" ;;
2.0-1\\ a2) sql "ALTER TABLE thing ADD COLUMN size INT; UPDATE alembic_version SET version_num = 'a3'" ;;
*) echo "cannot migrate to $release" >&2; exit 1 ;;
esac
echo "$release $*" >>/var/log/demo-manage
"""
SCHEMA = """\
CREATE DATABASE demo;
GRANT ALL ON demo.* TO demo@'%' IDENTIFIED BY 's3cret of the lab';
USE demo;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('a1');
CREATE TABLE thing (id INT PRIMARY KEY, name TEXT);
INSERT INTO thing VALUES (1, 'first'), (2, 'second');
"""
CONF = "port={port}\npassword='{secret:database}'\n"


@pytest.fixture
async def h1(lab: Lab) -> AsyncIterator[LabHost]:
    """The host with the database, and the schema tool."""
    h1 = lab.hosts["h1"]
    await h1.run("cat >/usr/local/bin/demo-manage && chmod 755 /usr/local/bin/demo-manage", stdin=TOOL)
    await h1.run("systemctl start mariadb && mariadb", stdin=SCHEMA)
    yield h1
    await h1.run("mariadb -e \"DROP DATABASE demo; DROP USER demo@'%'\"; systemctl stop mariadb")
    await h1.run("rm -rf /var/backups/demo /var/log/demo-manage /usr/local/bin/demo-manage")


@pytest.fixture
def service(tmp_path: Path) -> Mapping[str, Any]:
    """What the service has beside its packages."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    secret = {"file": str(file)}
    return {
        "bootstrap": "h1",
        "databases": {"main": {"url": "mysql+pymysql://demo@10.77.1.1/demo", "password": secret}},
        "secrets": {"database": secret},
        "backup": {"dir": "/var/backups/demo"},
        "canary": {"host": "h2"},
        "waves": [2],
        "conf": CONF,
    }


async def running(lab: Lab) -> list[str]:
    """Return what each host says of itself: the version that runs, and whether it is held."""
    command = f"cat /run/{DEMO}/version; apt-mark showhold"
    return await asyncio.gather(*(host.run(command) for host in lab.hosts.values()))


@pytest.mark.timeout(300)  # three journeys
async def test_a_commit_advances_and_its_revert_brings_everything_back(
    lab: Lab, product: Product, h1: LabHost, service: Mapping[str, Any]
) -> None:
    met = await product.reach(**service)
    before, rows = standing(met.observations), await h1.run("mariadb demo -e 'SELECT * FROM thing'")
    assert await running(lab) == [f"{OLD}\n{DEMO}"] * 3
    mark = len(product.order())

    there = await product.reach(**service, release="three")
    steps = product.order()[mark:]
    assert await running(lab) == [f"{NEW}\n{DEMO}"] * 3
    assert await h1.run("cat /var/log/demo-manage") == f"{MIDDLE} db_sync\n{NEW} db_sync"
    assert await h1.run("mariadb -Ne 'SELECT version_num FROM demo.alembic_version'") == "a3"
    first = steps.index("demo.roll.verify.answers@h2")
    assert {step.split("@")[1] for step in steps[:first] if step.startswith("demo.roll")} == {"h2"}
    assert {"demo.roll.verify-build@h1", "demo.roll.verify-build@h3"} <= set(steps[first:])
    for report in there.observations.hosts.values():
        assert isinstance(report, Known)
        package = report.value.packages[DEMO]
        assert isinstance(package, Known)
        assert (package.value.version, package.value.held) == (NEW, True)

    back = await product.reach(**service)
    assert standing(back.observations) == before
    assert await running(lab) == [f"{OLD}\n{DEMO}"] * 3
    assert await h1.run("mariadb demo -e 'SELECT * FROM thing'") == rows


async def test_a_broken_configuration_is_stopped_at_the_canary(lab: Lab, product: Product) -> None:
    """No database: the refresh of a configuration file, which makes the service answer elsewhere."""
    await product.reach(canary={"host": "h2"}, waves=[2])
    mark = len(product.order())

    product.want(canary={"host": "h2"}, waves=[2], conf="port=8081\n")
    verdict = await product.verdict()
    assert (verdict.state, verdict.reason) == (State.HALTED, Reason.CANARY_FAILED)
    assert "h2" in verdict.text
    assert {step.split("@")[1] for step in product.order()[mark:] if "roll" in step} == {"h2"}
    assert await asyncio.gather(*(host.run(f"cat {CONFIG}") for host in lab.hosts.values())) == ["port=8080"] * 3

    await product.reach(canary={"host": "h2"}, waves=[2])
