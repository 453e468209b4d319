"""What others move: it is looked at, and said where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.domain.position import Position
from reconciler.planning.scene import Scene


def away_with_others(positions: Sequence[Position], scene: Scene) -> str:
    """Say which services others have still to move; empty when none is away from its release."""
    services = [(scene.desired.services[each.service], each) for each in positions]
    away = [
        f"{service.name} is at {at.release or 'no release that could be told'}, to be brought to {service.release}"
        for service, at in services
        if service.moved_by == "others" and at.release != service.release
    ]
    return "; ".join(away)
