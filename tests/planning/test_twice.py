"""The same inputs give the same plan, byte for byte, whatever order they come in and whichever process makes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Canary, Desired, Host, Waves
from reconciler.domain.observation import Environment, HostFacts, HostReport, Known, Observations, Unit
from reconciler.domain.plan import Plan
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.plan_json import plans_to_json
from reconciler.planning.preview import preview
from reconciler.planning.serial import plan_to_json
from tests.support.sample import DESIRED, KEYSTONE

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/cases/cli"
AT = datetime(2026, 1, 2, tzinfo=UTC)
CATALOG = load_catalog()
YOGA = SchemaMarker(
    alembic=None,
    migrate={"keystone": 109, "keystone_contract": 79, "keystone_data_migrate": 79, "keystone_expand": 79},
    tables=47,
)

Shape = tuple[int, str, tuple[int, ...], bool]
services = st.tuples(
    st.integers(1, 5),
    st.sampled_from(["downtime", "fast-forward", "zero-downtime"]),
    st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
    st.booleans(),
)
"""A service: how many hosts, its procedure, the sizes of its waves, and whether its last host is its canary."""


def fleet(shapes: list[Shape], *, grouped: bool) -> Desired:
    hosts: dict[str, Host] = {}
    made = {}
    for number, (count, procedure, sizes, last) in enumerate(shapes):
        name = f"k{number}"
        names = tuple(f"{name}-{host}" for host in range(count))
        hosts |= {
            each: Host(name=each, address=each, labels={"b": "1", "a": "2"}, vars={"port": "1"}) for each in names
        }
        made[name] = replace(
            KEYSTONE,
            name=name,
            release="2026.1" if procedure == "fast-forward" else "2023.1",
            procedure=procedure,
            hosts=names,
            bootstrap=names[0],
            waves=Waves(sizes=sizes),
            canary=Canary(host=names[-1] if last else ""),
        )
    groups = {"all": tuple(made)} if grouped else {}
    return replace(DESIRED, hosts=hosts, services=made, groups=groups)


def seen(desired: Desired, at: datetime) -> Observations:
    report = HostReport(
        facts=Known(HostFacts("boot"), at),
        environments={
            "/srv/keystone/current": Known(Environment("/srv/keystone/yoga", AT, {"keystone": "21.0.1"}), at)
        },
        units={"keystone": Known(Unit("active", AT), at)},
    )
    return Observations(
        hosts={name: Known(report, at) for name in desired.hosts},
        databases={(name, "main"): Known(YOGA, at) for name in desired.services},
    )


def shuffled(desired: Desired, random: Random) -> Desired:
    """Put everything that has no order of its own into another one."""

    def mixed(mapping: object) -> dict[str, object]:
        pairs = list(dict(mapping).items())
        random.shuffle(pairs)
        return dict(pairs)

    return replace(
        desired,
        hosts=mixed({name: replace(host, labels=mixed(host.labels)) for name, host in desired.hosts.items()}),
        procedures=mixed(desired.procedures),
        services={name: replace(each, builds=mixed(each.builds)) for name, each in desired.services.items()},
    )


def written(desired: Desired, at: datetime, now: datetime) -> str:
    found = preview(desired, CATALOG, seen(desired, at), now)
    plans: list[Plan] = [each.plan for each in found if each.plan is not None]
    assert any(plan.steps for plan in plans)
    return json.dumps([plans_to_json(found), [plan_to_json(plan) for plan in plans]])


@settings(max_examples=40, deadline=None)
@given(st.lists(services, min_size=1, max_size=3), st.booleans(), st.randoms(use_true_random=False))
def test_plans_made_twice_are_byte_equal(shapes: list[Shape], grouped: bool, random: Random):
    desired = fleet(shapes, grouped=grouped)
    later = AT + timedelta(days=random.randint(0, 1000))

    assert written(desired, AT, AT) == written(shuffled(desired, random), later, later)


def test_another_process_with_another_order_of_sets_makes_the_same_plan():
    argv = (sys.executable, "-m", "reconciler", "plan", CASES / "fleet", "--observed", CASES / "observed/yoga.json")

    def made(seed: str) -> bytes:
        environ = os.environ | {"PYTHONHASHSEED": seed}
        return subprocess.run([*argv, "-o", "json"], env=environ, capture_output=True, check=True, cwd=ROOT).stdout

    assert made("1") == made("2")
