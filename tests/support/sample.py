"""A small fleet in literals: one Keystone on three hosts, by environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

import reconciler.catalog
from reconciler.domain.desired import BuildSpec, ConfigFile, Database, Desired, Host, Service
from reconciler.domain.probe import HttpProbe
from reconciler.domain.procedure import ActionSpec, Phase, PhaseSpec, Procedure, Selector


def procedures() -> dict[str, Procedure]:
    folder = Path(reconciler.catalog.__file__).parent / "procedures"
    return {file.stem: _procedure(yaml.load(file.read_text(), yaml.BaseLoader)) for file in sorted(folder.glob("*.yaml"))}


def _procedure(data: dict) -> Procedure:
    phases = tuple(
        PhaseSpec(Phase(p["phase"]), p["each"], Selector(p["on"]), tuple(_action(step) for step in p["steps"]))
        for p in data["phases"]
    )
    return Procedure(data["name"], data["text"], data["leg"], phases)


def _action(step: str | dict) -> ActionSpec:
    if isinstance(step, str):
        return ActionSpec(step)
    return ActionSpec(step["action"], {key: value for key, value in step.items() if key != "action"})


HOSTS = {
    name: Host(name=name, address=f"10.0.0.{n}", zone="abc"[n - 1], roles=frozenset({"keystone"}), vars={"port": f"500{n}"})
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

DESIRED = Desired(
    fleet="sample", hosts=HOSTS, services={"keystone": KEYSTONE}, groups={}, procedures=procedures()
)


def desired(**changes: object) -> Desired:
    """Return the sample with the Keystone service changed."""
    return replace(DESIRED, services={"keystone": replace(KEYSTONE, **changes)})
