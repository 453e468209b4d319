"""The inputs that are kept, given to their targets without a fuzzer: what once broke something stays mended."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_kept_inputs_are_read_or_refused(target):
    kept = sorted((CORPUS / target).iterdir())
    assert kept
    for each in kept:
        TARGETS[target](each.read_bytes())
