"""Loading the catalog, extending it, and refusing what contradicts itself."""

from typing import Any

import pytest

from reconciler.catalog import build_catalog, load_catalog
from reconciler.errors import CatalogError

SERIES = {
    "series": "squids",
    "releases": [{"id": "quincy", "codename": "quincy"}, {"id": "reef", "codename": "reef"}],
}
MON: dict[str, Any] = {
    "service": "mon",
    "series": "squids",
    "databases": {"store": {"migrate": {"repositories": [{"name": "mon"}]}}},
    "eras": [{"zero_downtime": True, "sync": ["ceph", "sync"]}],
    "releases": [
        {
            "id": "quincy",
            "package": {"first": "17.2.0", "final": "17.2.7"},
            "databases": {"store": {"migrate": {"mon": 17}}},
        }
    ],
}
RULE = {
    "id": "site-1",
    "kind": "forbidden",
    "reason": "It breaks.",
    "source": "our ticket",
    "verified": "run",
}


ROWS = {"databases": ["store"], "tables": ["t"], "key": "id", "sql": "SELECT id\n  FROM t"}
GATE = RULE | {"kind": "gate", "meet": "Repair them.", "rows": [ROWS]}


def with_mon(**changes: Any) -> list[dict[str, Any]]:
    return [SERIES, MON | changes]


def with_release(**changes: Any) -> list[dict[str, Any]]:
    return with_mon(releases=[MON["releases"][0] | changes])


@pytest.mark.parametrize(
    ("name", "id_"),
    [("pike", "pike"), ("2017.2", "pike"), ("Antelope", "2023.1"), ("2023.1", "2023.1"), (" zed ", "zed")],
)
def test_releases_go_by_any_of_their_names(name: str, id_: str) -> None:
    assert load_catalog().series["openstack"].find(name).id == id_


def test_the_series_has_24_releases_of_which_four_are_slurp() -> None:
    releases = load_catalog().series["openstack"].releases
    assert len(releases) == 24
    assert [each.id for each in releases if each.slurp] == ["2023.1", "2024.1", "2025.1", "2026.1"]


def test_the_packaged_catalog_is_read_once() -> None:
    assert load_catalog() is load_catalog()
    assert load_catalog().service("keystone") is load_catalog().service("keystone")


@pytest.mark.parametrize(
    ("ask", "reason", "hint"),
    [
        (lambda c: c.service("keystome"), "unknown-service", "did you mean keystone?"),
        (lambda c: c.service("xyz"), "unknown-service", "known: "),
        (lambda c: c.service("keystone").at("pikr"), "unknown-release", "did you mean pike?"),
        (lambda c: c.service("keystone").at("2023.3"), "unknown-release", "did you mean 2023.2 or 2023.1"),
        (lambda c: c.service("keystone").at("?"), "unknown-release", "known: kilo, liberty"),
        (lambda c: c.service("keystone").database("mian"), "unknown-database", "did you mean main?"),
    ],
)
def test_unknown_names_are_errors_with_suggestions(ask: Any, reason: str, hint: str) -> None:
    with pytest.raises(CatalogError) as caught:
        ask(load_catalog())
    assert caught.value.reason == reason
    assert caught.value.hint.startswith(hint)


def test_a_service_may_lack_releases_of_its_series() -> None:
    mon = build_catalog(with_mon()).service("mon")
    with pytest.raises(CatalogError, match="mon has no release reef") as caught:
        mon.at("reef")
    assert caught.value.hint == "it has quincy to quincy"


def test_a_site_adds_a_series_a_service_a_release_and_a_rule() -> None:
    later = {"series": "openstack", "releases": [{"id": "2027.1", "codename": "indigo", "slurp": True}]}
    rules = {"service": "keystone", "series": "openstack", "rules": [RULE | {"to": {"first": "2027.1"}}]}
    catalog = load_catalog([SERIES, MON, later, rules])
    assert set(catalog.services) == {*load_catalog().services, "mon"}
    assert catalog.series["openstack"].find("indigo").index == 24
    assert "site-1" in [rule.id for rule in catalog.service("keystone").rules]
    assert "site-1" not in [rule.id for rule in load_catalog().service("keystone").rules]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([SERIES, SERIES], "squids: release quincy is listed twice"),
        ([MON], "mon: series 'squids' is not in the catalog"),
        (with_mon(eras=[]), "release quincy must lie in one era, it lies in 0"),
        (with_mon(eras=MON["eras"] * 2), "release quincy must lie in one era, it lies in 2"),
        (with_mon(releases=MON["releases"] * 2), "release quincy is listed twice"),
        (with_mon(rules=[RULE, RULE]), "rule or note site-1 is listed twice"),
        (with_mon(rules=[RULE | {"kind": "forbiden"}]), "catalog document 2: rules.0.kind: Input should be"),
        (with_mon(rules=[RULE | {"form": {}}]), "rules.0.form: Extra inputs are not permitted"),
        (with_mon(rules=[RULE | {"from": {"first": "reff"}}]), "release 'reff' is not of series squids"),
        (with_mon(rules=[RULE | {"to": {"first": "reef", "last": "quincy"}}]), "reef is not before quincy"),
        (with_mon(rules=[RULE | {"kind": "requires"}]), "needs belongs to a rule of kind requires"),
        (with_mon(rules=[RULE | {"met_by": {}}]), "met_by belongs to a rule of kind gate"),
        (
            with_mon(rules=[RULE | {"kind": "gate", "exposed": "x"}]),
            "exposed belongs to a rule of kind forbidden",
        ),
        (with_mon(rules=[RULE | {"when": {"database": "x"}}]), "asks for an unknown database x"),
        (with_mon(rules=[GATE | {"rows": [ROWS | {"databases": ["x"]}]}]), "asks for an unknown database x"),
        (with_mon(rules=[GATE | {"rows": [ROWS | {"sql": "DROP TABLE t"}]}]), "the SQL is not one read-only SELECT"),
        (with_mon(rules=[GATE | {"meet": ""}]), "a gate with rows needs meet"),
        (with_mon(rules=[GATE | {"kind": "direct"}]), "rows and cure belong to a rule of kind gate"),
        (with_mon(rules=[GATE | {"cured_by": {}}]), "cured_by says whose code has the cure"),
        (with_release(id=17.2), "releases.0.id: Input should be a valid string"),
        (with_release(databases={"x": {"migrate": {"mon": 1}}}), "a marker of an unknown database x"),
        (with_release(databases={"store": {"migrate": {"osd": 1}}}), "neither revision nor repository osd"),
        (with_release(databases={"store": {}}), "a marker has either alembic or migrate"),
        ([SERIES, MON, MON], "database store is listed twice"),
        ([SERIES, MON, {"service": "mon", "series": "x"}], "is of series squids, an addition says x"),
    ],
)
def test_contradictions_are_refused_with_their_place(documents: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        build_catalog(documents)
    assert message in str(caught.value)
    assert caught.value.hint


def test_a_gate_asks_each_of_its_databases() -> None:
    cured = {"cure": ["ceph", "mend"], "cured_by": {"last": "quincy"}}
    two = MON["databases"] | {"copy": MON["databases"]["store"]}
    rows = ROWS | {"databases": ["store", "copy"]}
    catalog = build_catalog(with_mon(databases=two, rules=[GATE | cured | {"rows": [rows]}]))
    (rule,) = catalog.service("mon").rules
    assert [probe.database for probe in rule.rows] == ["store", "copy"]
    assert {probe.sql for probe in rule.rows} == {"SELECT id FROM t"}
    assert rule.cure == ("ceph", "mend")
    assert rule.cured_by is not None
    assert (0 in rule.cured_by, 1 in rule.cured_by) == (True, False)
