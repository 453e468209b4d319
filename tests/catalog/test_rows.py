"""Every question for rows in the way, put to tables that hold such rows and others that only look like them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database
from reconciler.domain.observation import Known
from reconciler.domain.row_probe import RowProbe, Rows

SOFT = "id, name, uuid, deleted"
CELL0 = "00000000-0000-0000-0000-000000000000"
CASES: dict[tuple[str, str, int], tuple[dict[str, tuple[str, list[tuple[object, ...]]]], tuple[str, ...]]] = {
    ("nova", "nova-291", 0): (
        {
            "instances": ("id, uuid, deleted", [(1, "live", 0), (2, "gone", 2), (3, "clean", 0)]),
            "instance_system_metadata": (
                "id, instance_uuid, key, deleted",
                [
                    (1, "live", "instance_type_id", 0),
                    (2, "gone", "instance_type_id", 0),
                    (3, "clean", "image_os", 0),
                    (4, "clean", "instance_type_id", 4),
                ],
            ),
        },
        ("live",),
    ),
    ("nova", "nova-330", 0): (
        {
            "compute_nodes": (
                "id, hypervisor_hostname, uuid, deleted",
                [(1, "c1", None, 0), (2, "c2", "u", 0), (3, "c3", None, 3)],
            )
        },
        ("1/c1",),
    ),
    ("nova", "nova-330", 2): (
        {"aggregates": (SOFT, [(1, "a", None, 0), (2, "b", "u", 0), (3, "c", None, 3)])},
        ("1/a",),
    ),
    ("nova", "nova-330", 4): (
        {
            "pci_devices": (
                "id, address, parent_addr, dev_type, deleted",
                [
                    (1, "0000:81:00.1", None, "type-VF", 0),
                    (2, "0000:81:00.2", "0000:81:00.0", "type-VF", 0),
                    (3, "0000:81:00.0", None, "type-PF", 0),
                    (4, "0000:81:00.3", None, "type-VF", 4),
                ],
            )
        },
        ("1/0000:81:00.1",),
    ),
    ("nova", "nova-api-030", 0): (
        {"flavors": ("id, name", [(1, "tiny")]), "cell_mappings": ("id, uuid", [(1, CELL0)])},
        ("tiny",),
    ),
    ("nova", "nova-345", 0): ({"instance_types": (SOFT, [(1, "tiny", None, 0), (2, "old", None, 2)])}, ("tiny",)),
    ("nova", "nova-345", 2): (
        {"key_pairs": ("id, user_id, name, deleted", [(1, "u", "mine", 0), (2, "u", "old", 2)])},
        ("u/mine",),
    ),
    ("nova", "nova-345", 4): ({"aggregates": (SOFT, [(1, "ssd", "x", 0), (2, "old", "y", 2)])}, ("ssd",)),
    ("nova", "nova-345", 6): ({"instance_groups": (SOFT, [(1, "g", "g-1", 0), (2, "h", "g-2", 2)])}, ("g-1",)),
    ("nova", "nova-400", 0): (
        {
            "services": (
                "id, host, binary, uuid, deleted",
                [
                    (1, "c1", "nova-compute", None, 0),
                    (2, "c2", "nova-compute", "u", 0),
                    (3, "c3", "nova-compute", None, 3),
                ],
            )
        },
        ("c1/nova-compute",),
    ),
    ("cinder", "cinder-097", 0): ({"consistencygroups": ("id, deleted", [("g1", 0), ("g2", 1)])}, ("g1",)),
    ("cinder", "cinder-097", 1): ({"cgsnapshots": ("id, deleted", [("s1", 0), ("s2", 1)])}, ("s1",)),
    ("cinder", "cinder-097", 2): (
        {"messages": ("id, event_id, deleted", [("m1", "000002", 0), ("m2", "VOLUME_000002", 0), ("m3", "000002", 1)])},
        ("m1/000002",),
    ),
    ("cinder", "cinder-136", 0): (
        {"volumes": ("id, volume_type_id, deleted", [("v1", None, 0), ("v2", None, 1), ("v3", "t", 0)])},
        ("v1", "v2"),
    ),
    ("cinder", "cinder-136", 1): (
        {"snapshots": ("id, volume_type_id, deleted", [("s1", None, 0), ("s2", None, 1), ("s3", "t", 0)])},
        ("s1", "s2"),
    ),
    ("placement", "placement-611c", 0): (
        {"resource_providers": ("id, uuid, name, root_provider_id", [(1, "r1", "c1", None), (2, "r2", "c2", 2)])},
        ("r1/c1",),
    ),
    ("placement", "placement-b5c3", 0): (
        {"allocations": ("id, consumer_id", [(1, "a"), (2, "b")]), "consumers": ("id, uuid", [(1, "a")])},
        ("b/2",),
    ),
    ("glance", "glance-ocata-sync", 0): ({"images": ("id, visibility", [("i1", None), ("i2", "private")])}, ("i1",)),
    ("neutron", "neutron-1df2", 0): (
        {
            "ha_router_agent_port_bindings": (
                "port_id, router_id, l3_agent_id",
                [("p1", "r1", "a1"), ("p2", "r1", "a1"), ("p3", "r1", "a2")],
            )
        },
        ("r1/a1",),
    ),
    ("neutron", "neutron-030a", 0): (
        {"routerports": ("router_id, port_id", [("r1", "p1"), ("r2", "p1"), ("r1", "p2")])},
        ("p1",),
    ),
    ("neutron", "neutron-6b46", 0): (
        {
            "floatingips": (
                "id, floating_network_id, fixed_port_id, fixed_ip_address",
                [
                    (1, "n", "p", "10.0.0.1"),
                    (2, "n", "p", "10.0.0.1"),
                    (3, "n", "p", "10.0.0.2"),
                    (4, "n", None, None),
                    (5, "n", None, None),
                ],
            )
        },
        ("n/p/10.0.0.1",),
    ),
    ("neutron", "neutron-c613", 0): ({"subnets": ("id, name, network_id", [(1, "s", None), (2, "t", "n")])}, ("1/s",)),
    ("neutron", "neutron-f010", 0): (
        {"quotas": ("id, project_id, resource", [(1, "p", "port"), (2, "p", "port"), (3, "p", "network")])},
        ("p/port",),
    ),
}
for kind, table in enumerate(("volumes", "snapshots")):
    quota = {table: ("id, use_quota, deleted", [("a", None, 0), ("b", None, 1), ("c", 1, 0), ("d", 0, 1)])}
    CASES["cinder", "cinder-9ab1", kind] = quota, ("a",)
    CASES["cinder", "cinder-9ab1-deleted", kind] = quota, ("b",)
for name in ("glance-train-store", "glance-train-sync"):
    places = [("i1", '{"backend": "fast"}'), ("i2", '{"store": "backend"}'), ("i3", None)]
    CASES["glance", name, 0] = {"image_locations": ("image_id, meta_data", places)}, ("i1",)
IRONIC = {
    "nodes": ("uuid", "1.21", "1.20"),
    "ports": ("uuid", "1.7", "1.6"),
    "portgroups": ("uuid", "1.3", "1.2"),
    "chassis": ("uuid", "1.3", "1.2"),
    "conductors": ("hostname", "1.2", "1.1"),
    "volume_connectors": ("uuid", "1.0", "0.9"),
    "volume_targets": ("uuid", "1.0", "0.9"),
    "allocations": ("uuid", "1.0", "0.9"),
    "deploy_templates": ("uuid", "1.0", "0.9"),
}
for number, (table, (column, known, strange)) in enumerate(IRONIC.items()):
    versions = [("a", None), ("b", known), ("c", strange)]
    CASES["ironic", "ironic-objver", number] = {table: (f"{column}, version", versions)}, ("a/NULL", f"c/{strange}")
settings = [(1, "boot", None), (1, "cores", "1.0"), (2, "boot", "0.9")]
CASES["ironic", "ironic-objver", 9] = (
    {"bios_settings": ("node_id, name, version", settings)},
    ("1/boot/NULL", "2/boot/0.9"),
)
OLDEST = {
    "ussuri": 41,
    "wallaby": 52,
    "xena": 54,
    "yoga": 57,
    "2023.1": 61,
    "2024.1": 66,
    "2025.1": 66,
    "2026.1": 68,
    "2026.2": 72,
}
for name, low in OLDEST.items():
    computes = [
        ("old", "nova-compute", low - 1, 0),
        ("older", "nova-compute", None, 0),
        ("right", "nova-compute", low, 0),
        ("gone", "nova-compute", 1, 4),
        ("ctl", "nova-conductor", 1, 0),
    ]
    CASES["nova", f"nova-computes-{name}", 0] = (
        {"services": ("host, binary, version, deleted", computes)},
        (f"old/{low - 1}", "older/NULL"),
    )

GATES = {
    (service, rule.id, number): probe
    for service in load_catalog().services
    for rule in load_catalog().service(service).rules
    for number, probe in enumerate(rule.rows)
}


async def asked(path: Path, probe: RowProbe) -> Rows:
    seen = await SqlDatabases().rows(Database(name=probe.database, url=f"sqlite:///{path}"), None, probe)
    assert isinstance(seen, Known), seen
    return seen.value


@pytest.mark.parametrize("key", CASES, ids=str)
async def test_the_rows_in_the_way_are_found_and_no_others(key: tuple[str, str, int], tmp_path: Path) -> None:
    tables, keys = CASES[key]
    path = tmp_path / "db"
    with sqlite3.connect(path) as connection:
        for name, (columns, rows) in tables.items():
            connection.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" for _ in columns.split(","))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608
    connection.close()
    found = await asked(path, GATES[key])
    assert found == Rows(count=len(keys), sample=keys)


async def test_two_cells_or_no_flavor_open_the_gate_of_cells(tmp_path: Path) -> None:
    probe = GATES["nova", "nova-api-030", 0]
    for number, (flavors, cells, count) in enumerate(
        (([("tiny",)], [(CELL0,), ("c1",)], 0), ([], [], 0), ([("a",), ("b",)], [("c1",), ("c2",)], 2))
    ):
        path = tmp_path / f"db{number}"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE flavors (name)")
            connection.execute("CREATE TABLE cell_mappings (uuid)")
            connection.executemany("INSERT INTO flavors VALUES (?)", flavors)
            connection.executemany("INSERT INTO cell_mappings VALUES (?)", cells)
        connection.close()
        assert (await asked(path, probe)).count == count


def test_every_question_has_a_case() -> None:
    told = {(service, rule, replace(GATES[service, rule, number], database="")) for service, rule, number in CASES}
    assert {(service, rule, replace(probe, database="")) for (service, rule, _), probe in GATES.items()} == told
