"""The fleets of the practices as they stood before: what `observed.json` holds, made from the desired states.

python -m tests.practices.record            # write them anew
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.adapters.folder import read_folder
from reconciler.catalog import load_catalog
from reconciler.desired import Problems
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired
from reconciler.domain.observation import Observations
from reconciler.execution.read import read_files
from reconciler.planning.observed_json import observed_to_json
from tests.support.standing import standing

ROOT = Path(__file__).parents[2] / "desired-state/practices"
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
BEFORE: Mapping[str, Mapping[str, str]] = {
    "p1": {
        **dict.fromkeys(("keystone", "glance", "cinder", "neutron", "nova", "horizon"), "kilo"),
        **dict.fromkeys(("nova-compute", "neutron-agents"), "kilo"),
        "qemu": "1.5.3",
        "libvirt": "1.2.1",
    },
    "p2": dict.fromkeys(
        ("keystone", "glance", "cinder", "neutron", "nova", "heat", "neutron-agents", "nova-compute"), "newton"
    ),
    "p3": {"keystone-west": "newton", "keystone-north": "victoria", "keystone-east": "xena"},
    "p4": dict.fromkeys(("ceph-mon", "ceph-osd", "ceph-client"), "hammer"),
    "p5": {
        **dict.fromkeys(("keystone", "glance", "nova", "neutron", "cinder", "ironic"), "kilo"),
        **dict.fromkeys(("nova-compute", "neutron-agents"), "kilo"),
        "openvswitch": "2.3",
        "fabric": "4.2",
    },
}
"""Practice to service to the release at which it stands before."""

PRACTICES = tuple(BEFORE)


def practice(name: str) -> tuple[Desired, Catalog]:
    """Read a practice's desired state, with the catalog that it extends."""
    found = read_files(read_folder(ROOT / name))
    assert not isinstance(found, Problems), str(found)
    return found, load_catalog(found.catalog)


def at_start(desired: Desired, name: str) -> Desired:
    """Return a desired state that asks for nothing: every service at the release and deployment where it stands."""
    services = {
        service.name: replace(
            service, release=BEFORE[name].get(service.name, service.release), replacements={}, deployment=""
        )
        for service in desired.services.values()
    }
    return replace(desired, services=services)


def before(name: str) -> Observations:
    """Show a practice's fleet before."""
    desired, catalog = practice(name)
    return standing(desired, catalog, BEFORE[name], AT)


def recorded(name: str) -> dict[str, Any]:
    """Show it as `reconciler observe -o json` would."""
    return observed_to_json(before(name))


def main() -> None:
    """Write every observation anew."""
    for name in BEFORE:
        text = json.dumps(recorded(name), indent=1, sort_keys=True) + "\n"
        (ROOT / name / "observed.json").write_text(text)


if __name__ == "__main__":
    main()
