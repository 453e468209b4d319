"""A small fleet in literals: one Keystone on three hosts, by environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import reconciler.catalog
from reconciler.desired import load_procedures
from reconciler.domain.desired import BuildSpec, ConfigFile, Database, Desired, Host, Service
from reconciler.domain.probe import HttpProbe
from reconciler.domain.procedure import Procedure
from reconciler.planning.action_forms import action_forms


def procedures() -> Mapping[str, Procedure]:
    folder = Path(reconciler.catalog.__file__).parent / "procedures"
    found = load_procedures({file.name: file.read_bytes() for file in sorted(folder.glob("*.yaml"))}, action_forms())
    assert isinstance(found, Mapping), found
    return found


HOSTS = {
    name: Host(
        name=name, address=f"10.0.0.{n}", zone="abc"[n - 1], roles=frozenset({"keystone"}), vars={"port": f"500{n}"}
    )
    for n, name in enumerate(("ks1", "ks2", "ks3"), start=1)
}

KEYSTONE = Service(
    name="keystone",
    component="keystone",
    series="openstack",
    release="yoga",
    procedure="fast-forward",
    policy="offline",
    hosts=("ks1", "ks2", "ks3"),
    bootstrap="ks1",
    databases={"main": Database(name="main", url="mysql+pymysql://keystone@db/keystone")},
    units=("keystone",),
    builds={
        "*": BuildSpec(
            form="environment",
            path="/srv/keystone/{release}",
            link="/srv/keystone/current",
            requirements=("keystone=={version}",),
        )
    },
    config={"*": (ConfigFile(path="/etc/keystone/keystone.conf", template="[DEFAULT]\nregion = {region}\n"),)},
    commands={"keystone-manage": ("{env}/bin/keystone-manage", "--config-file", "/etc/keystone/keystone.conf")},
    backup_dir="/var/backups/reconciler",
    verify=(HttpProbe(name="token", url="http://{address}:{port}/v3", count=2, interval_s=0.1, warmup_s=1.0),),
    smoke=(HttpProbe(name="token", url="http://{address}:{port}/v3", warmup_s=1.0),),
    vars={"region": "RegionOne"},
)

DESIRED = Desired(fleet="sample", hosts=HOSTS, services={"keystone": KEYSTONE}, groups={}, procedures=procedures())


def desired(**changes: object) -> Desired:
    """Return the sample with the Keystone service changed."""
    return replace(DESIRED, services={"keystone": replace(KEYSTONE, **changes)})
