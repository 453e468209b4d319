"""Procedures of tests, written as sites write them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.desired import load_procedures
from reconciler.domain.procedure import Procedure
from reconciler.planning.action_forms import action_forms


def written(text: str) -> Mapping[str, Procedure]:
    """Read procedures from YAML; one that breaks the law fails the test."""
    found = load_procedures({"test.yaml": text.encode()}, action_forms())
    assert isinstance(found, Mapping), str(found)
    return found
