"""Asks an HTTP probe until it was good often enough, or was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, AskHttp
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.probe import HttpProbe
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Timed, _sampling
from reconciler.steps._show import typed

KIND = "http_probe"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = True


class Model(Args):
    """A probe with its placeholders filled, secrets excepted; `canary` names the reason of a failure."""

    probe: HttpProbe
    secret_refs: Mapping[str, SecretRef] = {}
    canary: bool = False


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show the request, and how often it is made."""
    probe = args.probe
    headers = [word for name, value in probe.headers.items() for word in ("-H", f"{name}: {value}")]
    body = ("-d", probe.body) if probe.body else ()
    curl = typed(("curl", "-X", probe.method, *headers, *body, probe.url))
    often = f"{probe.count} times, {probe.interval_s:g} s apart" if probe.count > 1 else "once"
    return (f"{curl}  # {probe.status} expected, {often}",)


def proved(args: Model) -> tuple[str, ...]:
    """Say which answers are wanted."""
    probe = args.probe
    times = f"{probe.count} times in a row" if probe.count > 1 else "once"
    return (f"{probe.url} answers {probe.status} {times}",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask the probe; it is asked again while `next_wait` says so."""
    return (AskHttp(probe=args.probe, secret_refs=args.secret_refs),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Judge all samples; a probe that could never be asked tells nothing."""
    taken = evidence.answers.get(proofs(args)[0])
    samples = cast("Sequence[Timed]", taken) if isinstance(taken, tuple) else ()
    outcome = verdict(args.probe, samples)
    if outcome is None:
        return Lost(Reason.STEP_LOST, f"probe {args.probe.name} was left after {len(samples)} of {args.probe.count}")
    if isinstance(outcome, Failed):
        return Failed(Reason.CANARY_FAILED if args.canary else outcome.reason, outcome.text, outcome.hint)
    return outcome


def verdict(probe: HttpProbe, samples: Sequence[Timed]) -> Done | Failed | None:
    """Judge samples in their order, None while more are needed; no answer is bad too: what is silent is not healthy."""
    heard = [replace(timed, sample=replace(timed.sample, ok=bool(timed.sample.ok))) for timed in samples]
    found = _sampling.verdict(probe, heard, f"{probe.method} {probe.url}")
    assert not isinstance(found, Lost)
    return replace(found, hint="Read the service's log on the host.") if isinstance(found, Failed) else found


def next_wait(probe: HttpProbe, samples: Sequence[Timed]) -> float | None:
    """Return the seconds to wait before the next sample, None when the verdict stands."""
    if verdict(probe, samples) is not None:
        return None
    return probe.interval_s if samples else 0.0
