"""A probe of whatever kind, as a step asks it: its question, how that is shown, and the verdict on its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.domain.desired import Database, SecretRef
from reconciler.domain.effect import AskHttp, AskProbe
from reconciler.domain.probe import HttpProbe, RowsProbe
from reconciler.steps import Timed, _sampling, http_probe, probe

AnyProbe = HttpProbe | probe.Discriminated


@dataclass(frozen=True, slots=True)
class Place:
    """Where probes are asked: `host` for those that ask one, `databases` by the names that probes have for them."""

    host: str
    databases: Mapping[str, Database]
    secret_refs: Mapping[str, SecretRef]


def ask(asked: AnyProbe, place: Place) -> AskHttp | AskProbe:
    """Return the question of a probe."""
    if isinstance(asked, HttpProbe):
        return AskHttp(probe=asked, secret_refs=place.secret_refs)
    database = place.databases.get(asked.database) if isinstance(asked, RowsProbe) else None
    return AskProbe(probe=asked, host=place.host, database=database)


def shows(question: AskHttp | AskProbe) -> tuple[str, ...]:
    """Show it as a person would type it."""
    if isinstance(question, AskHttp):
        return http_probe.shows(http_probe.Model(probe=question.probe))
    return probe.shows(_model(question))


def verdict(question: AskHttp | AskProbe, samples: Sequence[Timed]) -> _sampling.Verdict | None:
    """Judge samples in their order, None while more are needed."""
    if isinstance(question, AskHttp):
        return http_probe.verdict(question.probe, samples)
    return _sampling.verdict(question.probe, samples, probe.asked(_model(question)))


def _model(question: AskProbe) -> probe.Model:
    return probe.Model(probe=question.probe, host=question.host, database=question.database)
