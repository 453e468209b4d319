"""The form of a recorded observation: what `reconciler observe -o json` writes and `reconciler plan DIR` reads.

Every answer is one of three: known (with its value), absent, unknown (with reason and text); each with the time it was
seen. Times are ISO 8601 with their zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, model_validator

from reconciler.domain.observation import (
    Absent,
    ConfigState,
    Container,
    Environment,
    HostFacts,
    HostReport,
    Known,
    Observations,
    Observed,
    Package,
    Unit,
    Unknown,
)
from reconciler.domain.relation import Finding
from reconciler.domain.schema import SchemaMarker
from reconciler.errors import ReconcilerError

T = TypeVar("T")
FORMAT: Literal["reconciler-observed/1"] = "reconciler-observed/1"


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ObservedForm(_Form, Generic[T]):
    """One answer: `value` where it is known, `reason` and `text` where nobody can tell."""

    state: Literal["known", "absent", "unknown"]
    at: AwareDatetime
    value: T | None = None
    reason: str = ""
    text: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.state == "known") != (self.value is not None):
            raise ValueError("a known answer has a value, and no other has one")
        if (self.state == "unknown") != bool(self.reason):
            raise ValueError("an unknown answer has a reason, and no other has one")
        return self


class MarkerForm(_Form):
    """The version tables of one database; null: there is no such table."""

    alembic: tuple[str, ...] | None
    migrate: dict[str, int] | None
    tables: int


class ReportForm(_Form):
    """What one host said, by observer and subject."""

    facts: ObservedForm[HostFacts]
    packages: dict[str, ObservedForm[Package]] = {}
    environments: dict[str, ObservedForm[Environment]] = {}
    containers: dict[str, ObservedForm[Container]] = {}
    units: dict[str, ObservedForm[Unit]] = {}
    configs: dict[str, ObservedForm[ConfigState]] = {}


class ObservedFile(_Form):
    """A recorded look at a fleet: hosts by name, databases by service and name, exposures by service and rule."""

    format: Literal["reconciler-observed/1"] = FORMAT
    hosts: dict[str, ObservedForm[ReportForm]]
    databases: dict[str, dict[str, ObservedForm[MarkerForm]]]
    exposures: dict[str, dict[str, ObservedForm[Finding]]] = {}


PARTS = ("packages", "environments", "containers", "units", "configs")


def observed_to_json(seen: Observations) -> dict[str, Any]:
    """Render what is known of a fleet, in a stable order."""
    databases: dict[str, dict[str, Any]] = {}
    for (service, name), marker in sorted(seen.databases.items()):
        databases.setdefault(service, {})[name] = _form(marker, _marker_form)
    exposures: dict[str, dict[str, Any]] = {}
    for (service, rule), finding in sorted(seen.exposures.items()):
        exposures.setdefault(service, {})[rule] = _form(finding)
    more = {"exposures": exposures} if exposures else {}
    hosts = {name: _form(report, _report_form) for name, report in sorted(seen.hosts.items())}
    return ObservedFile(format=FORMAT, hosts=hosts, databases=databases, **more).model_dump(
        mode="json", exclude_unset=True
    )


def observed_from_json(text: bytes | str, where: str = "the observation") -> Observations:
    """Read what `observed_to_json` wrote.

    Raises:
        ReconcilerError: the text is not of this form; every mistake is listed with its path.
    """
    try:
        file = ObservedFile.model_validate_json(text)
    except ValidationError as error:
        lines = [f"{where}: {'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors()[:20]]
        hint = "Write it with `reconciler observe -o json`; schemas/observe.json describes it."
        raise ReconcilerError("\n".join(lines), reason="ObservationInvalid", hint=hint) from None
    return Observations(
        hosts={name: _observed(form, _report) for name, form in file.hosts.items()},
        databases={
            (service, name): _observed(form, _marker)
            for service, below in file.databases.items()
            for name, form in below.items()
        },
        exposures={
            (service, rule): _observed(form)
            for service, below in file.exposures.items()
            for rule, form in below.items()
        },
    )


def _form(seen: Observed[Any], convert: Any = lambda value: value) -> Any:  # noqa: ANN401 - one shape for every value
    match seen:
        case Known(value, at):
            return {"state": "known", "at": at, "value": convert(value)}
        case Absent(at):
            return {"state": "absent", "at": at}
        case Unknown(reason, text, at):
            return {"state": "unknown", "at": at, "reason": reason, "text": text}


def _report_form(report: HostReport) -> Mapping[str, Any]:
    parts = {part: {key: _form(seen) for key, seen in sorted(getattr(report, part).items())} for part in PARTS}
    return {"facts": _form(report.facts), **parts}


def _marker_form(marker: SchemaMarker) -> Mapping[str, Any]:
    return marker.as_json()


def _observed(form: ObservedForm[Any], convert: Any = lambda value: value) -> Any:  # noqa: ANN401 - as above
    if form.state == "known":
        return Known(convert(form.value), form.at)
    return Absent(form.at) if form.state == "absent" else Unknown(form.reason, form.text, form.at)


def _report(form: ReportForm) -> HostReport:
    parts = {part: {key: _observed(seen) for key, seen in getattr(form, part).items()} for part in PARTS}
    return HostReport(facts=_observed(form.facts), **parts)


def _marker(form: MarkerForm) -> SchemaMarker:
    return SchemaMarker(
        alembic=None if form.alembic is None else frozenset(form.alembic), migrate=form.migrate, tables=form.tables
    )
