"""What a Prometheus server answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSample:
    """One sample of a query's answer."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Write the sample as Prometheus does: its name, its labels, then its value."""
        name = self.labels.get("__name__", "")
        pairs = ", ".join(f"{key}={_quoted(value)}" for key, value in sorted(self.labels.items()) if key != "__name__")
        return f"{name}{{{pairs}}} {self.value:g}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
