"""Reads a desired state together with what comes with the product: catalog, procedures and the words of these."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from reconciler.catalog.load import load_catalog
from reconciler.desired import Problems, read_desired
from reconciler.domain.desired import Desired
from reconciler.planning.action_forms import action_forms


def read_files(given: Mapping[str, bytes]) -> Desired | Problems:
    """Read the files of a desired state: POSIX path relative to its folder, to content."""
    return read_desired(given, load_catalog, procedures=builtin_procedures(), actions=action_forms())


@cache
def builtin_procedures() -> Mapping[str, bytes]:
    """Return the files of the procedures that come with the product, by name."""
    folder = files("reconciler.catalog") / "procedures"
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".yaml")), key=lambda each: each.name)
    return {f"built-in {each.name}": each.read_bytes() for each in found}
