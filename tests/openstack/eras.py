"""Old code of Keystone, and code of other services: bare packages on the dependencies of their era.

They are laid out like the testdrive's Keystone, beside it: a base environment per era, and environments of releases that
find it through a path file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.testdrive import keystone
from reconciler.testdrive.keystone import Package, Store
from tests.openstack.interpreters import interpreter

REQUIREMENTS = Path(__file__).parent / "requirements"
PYTHONS = {"wallaby": "3.8", "antelope": "3.11"}
"""The eras of these packages, and the Python that carries each."""
TOOLS = {"keystone": "keystone-manage", "cinder": "cinder-manage", "placement": "placement-manage"}


def _packages(project: str, era: str, **versions: str) -> dict[str, Package]:
    return {name.replace("r20", "20").replace("_", "."): Package(at, era, project) for name, at in versions.items()}


PACKAGES: Mapping[str, Mapping[str, Package]] = {
    "keystone": {**keystone.PACKAGES, **_packages("keystone", "wallaby", train="16.0.2", xena="20.0.1")},
    "cinder": {
        **_packages("cinder", "wallaby", stein="14.3.1", train="15.6.0", ussuri="16.4.2", wallaby="18.2.1"),
        **_packages("cinder", "antelope", r2023_1="22.3.0", r2024_1="24.5.0"),
    },
    "placement": _packages("openstack-placement", "wallaby", stein="1.1.0", train="2.0.1"),
}


def provide(store: Store, package: Package) -> None:
    """Download a package and what carries it, but for what is there; raises MissingInterpreterError and KeystoneError."""
    if package.era not in PYTHONS:
        return
    with keystone.alone(store):
        lines = REQUIREMENTS / f"{package.era}-era.txt"
        keystone.build_base(store, package.era, lines, interpreter(PYTHONS[package.era]))
        keystone.fetch(store, package)
