"""Every schema that real Keystone has left since pike is told from its marker."""

from __future__ import annotations

import pytest

from reconciler.domain.schema import SchemaState
from tests.openstack.tools import RELEASES, Bench

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(60)]

VICTORIA = ("ussuri", "victoria", "wallaby")  # wallaby's first package, 19.0.0, still had the schema of ussuri
SHARED = (
    ("wallaby", "xena", "yoga"),
    VICTORIA,
    ("zed", "2023.1"),
    ("2024.1", "2024.2", "2025.1", "2025.2"),
    ("2026.1", "2026.2"),
)


@pytest.mark.parametrize("release", RELEASES)
async def test_names_the_releases_of_a_schema(bench: Bench, release: str) -> None:
    found = await bench.database(f"left_by_{release.replace('.', '_')}", release).found()
    assert found.state is SchemaState.AT
    assert found.releases == next((each for each in SHARED if release in each), (release,))


def test_knows_every_release_since_pike() -> None:
    assert len(RELEASES) == 19
