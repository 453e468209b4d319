"""Asks several probes side by side for a while; the first that is not good ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from reconciler.domain.effect import Ask, AskHttp, AskProbe, AskSoak
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Timed, http_probe, probe

KIND = "soak"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = True

Taken = Sequence[tuple[Timed, ...]]


class Model(Args):
    """Probes by HTTP, and others, each with the count that makes its span."""

    http: tuple[http_probe.Model, ...] = ()
    others: tuple[probe.Model, ...] = ()


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show every probe, all of which are asked side by side."""
    return (
        *(line for each in args.http for line in http_probe.shows(each)),
        *(line for each in args.others for line in probe.shows(each)),
    )


def proved(args: Model) -> tuple[str, ...]:
    """Say which answers are wanted."""
    return (
        *(line for each in args.http for line in http_probe.proved(each)),
        *(line for each in args.others for line in probe.proved(each)),
    )


def asks(args: Model) -> tuple[AskHttp | AskProbe, ...]:
    """Return what each probe asks, in their order."""
    by_http = (AskHttp(probe=each.probe, secret_refs=each.secret_refs) for each in args.http)
    others = (AskProbe(probe=each.probe, host=each.host, database=each.database) for each in args.others)
    return (*by_http, *others)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask all of them side by side."""
    return (AskSoak(asks(args)),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Judge each probe by its own samples: the first that failed tells, then one of which nobody could tell."""
    taken = cast("Taken", evidence.answers.get(proofs(args)[0], ()))
    if len(taken) != len(asks(args)):
        return Lost(Reason.STEP_LOST, "the probes were not asked")
    outcomes = tuple(judged(ask, samples) for ask, samples in zip(asks(args), taken, strict=True))
    failed = [each for each in outcomes if isinstance(each, Failed)]
    silent = [each for each in outcomes if isinstance(each, Lost) and each.reason == Reason.PROBE_INCONCLUSIVE]
    lost = [each for each in outcomes if isinstance(each, Lost)]
    worst: tuple[Outcome, ...] = (*failed, *silent, *lost)
    if worst:
        return worst[0]
    return Done({}, "; ".join(each.text for each in outcomes if isinstance(each, Done)))


def judged(ask: AskHttp | AskProbe, samples: tuple[Timed, ...]) -> Outcome:
    """Judge the samples of one probe."""
    evidence = Evidence(answers={ask: samples})
    if isinstance(ask, AskHttp):
        return http_probe.judge(http_probe.Model(probe=ask.probe, secret_refs=ask.secret_refs), evidence)
    return probe.judge(probe.Model(probe=ask.probe, host=ask.host, database=ask.database), evidence)
