"""Where a service with several databases stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.desired import BuildSpec, Database
from reconciler.domain.observation import Absent, HostFacts, HostReport, Known, Observations, Observed, Package
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.position import position_of
from tests.support.sample import DESIRED, KEYSTONE

AT = datetime(2026, 1, 2, tzinfo=UTC)
NOVA = replace(
    KEYSTONE,
    name="nova",
    component="nova",
    release="pike",
    databases={name: Database(name=name, url=f"mysql+pymysql://n@db/{name}") for name in ("api", "cell0", "main")},
)
GONE = Absent(AT)


def migrate(row: str, version: int) -> Known[SchemaMarker]:
    return Known(SchemaMarker(migrate={row: version}, tables=100), AT)


def placed(**databases: Observed[SchemaMarker]) -> Position:
    seen = Observations(databases={("nova", name): found for name, found in databases.items()})
    return position_of(NOVA, DESIRED, load_catalog(), seen, History())


@pytest.mark.parametrize("empty", [GONE, Known(SchemaMarker(), AT)])
def test_a_database_that_comes_later_may_be_missing(empty: Observed[SchemaMarker]) -> None:
    found = placed(api=empty, cell0=empty, main=migrate("nova", 280))
    assert found.release == "kilo"
    assert not any(database.block for database in found.databases)


def test_a_database_that_must_be_there_contradicts_the_others() -> None:
    found = placed(api=migrate("nova_api", 45), cell0=GONE, main=migrate("nova", 362))
    assert found.release == ""
    assert [database.releases for database in found.databases] == [
        ("pike",),
        ("kilo", "liberty", "mitaka", "newton"),
        ("pike",),
    ]


def test_a_database_that_every_release_needs_blocks() -> None:
    found = placed(api=GONE, cell0=GONE, main=GONE)
    assert [block.reason for block in found.blocks if "main" in block.text] == [Reason.DATABASE_EMPTY]


def test_a_build_of_another_form_is_a_build() -> None:
    kilo = BuildSpec(form="rpm", packages={"openstack-keystone": "2015.1.4-1.el7"})
    service = replace(KEYSTONE, hosts=("ks1",), databases={}, builds={"yoga": KEYSTONE.builds["*"], "kilo": kilo})
    there = HostReport(
        facts=Known(HostFacts("boot"), AT),
        packages={"openstack-keystone": Known(Package("2015.1.4-1.el7", True, AT), AT)},
        environments={"/srv/keystone/current": GONE},
    )

    def reason(report: HostReport) -> str:
        seen = Observations(hosts={"ks1": Known(report, AT)})
        (host,) = position_of(service, DESIRED, load_catalog(), seen, History()).hosts
        return host.unknown.reason if host.unknown else host.release

    assert reason(there) == "kilo"
    assert reason(replace(there, packages={"openstack-keystone": GONE})) == Reason.HOST_WITHOUT_BUILD


def test_the_same_basis_is_worked_out_once_and_another_one_anew() -> None:
    basis = (KEYSTONE, DESIRED, load_catalog(), Observations(), History())
    first = position_of(*basis)
    assert position_of(*basis) is first
    assert first.blocks[0].reason == Reason.HOST_NOT_ASKED
    for index, other in ((1, replace(DESIRED)), (3, Observations()), (4, History(accepted="c"))):
        another = position_of(*basis[:index], other, *basis[index + 1 :])
        assert another is not first
        first = another
