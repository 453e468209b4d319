"""Makes probes from their models."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.desired.probe_model import KINDS, ProbeModel
from reconciler.desired.world import World
from reconciler.domain.probe import (
    CommandProbe,
    ContainerProbe,
    HttpProbe,
    MetricProbe,
    Probe,
    RowsProbe,
    TcpProbe,
    UnitProbe,
)


def build_probe(name: str, world: World) -> Probe:
    """Make the probe of a name; it was checked before."""
    model: ProbeModel | None = world.tree.probes[name].model
    assert model is not None
    kind = next(each for each in KINDS if getattr(model, each) is not None)
    given = getattr(model, kind).model_dump()
    named = {"query": "promql", "select": "sql"}
    return PROBES[kind](name=name, **{named.get(key, key): value for key, value in given.items()})


PROBES: Mapping[str, Callable[..., Probe]] = {
    "http": HttpProbe,
    "tcp": TcpProbe,
    "promql": MetricProbe,
    "sql": RowsProbe,
    "command": CommandProbe,
    "unit": UnitProbe,
    "container": ContainerProbe,
}
