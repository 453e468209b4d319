"""Where all services stand, worked out once for what was seen and what the journal tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired
from reconciler.domain.observation import Observations
from reconciler.domain.position import Position
from reconciler.domain.run import History
from reconciler.execution.defects import placed
from reconciler.planning.position import position_of

Basis = tuple[Desired, Catalog, Observations, History]


@dataclass(slots=True)
class Standing:
    """Positions by service. An idle pass finds nothing new under the sun, and should take no time to say so."""

    basis: Basis | None = None
    positions: dict[str, Position] = field(default_factory=dict)

    def of(self, service: str, basis: Basis) -> Position:
        """Return a service's position; one that cannot be worked out is blocked by the defect."""
        if self.basis is None or any(old is not new for old, new in zip(self.basis, basis, strict=True)):
            self.basis, self.positions = basis, {}
        if service not in self.positions:
            desired = basis[0]
            self.positions[service] = placed(service, lambda: position_of(desired.services[service], *basis))
        return self.positions[service]
