"""Asks an HTTP probe until it was good often enough, or was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, AskHttp
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.probe import HttpProbe
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Timed
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
    """Judge samples in their order, None while more are needed.

    Bad ones before the first good one are forgiven for `warmup_s` seconds; after it none is. No answer is bad too:
    what cannot be reached is not healthy.
    """
    first = next((n for n, timed in enumerate(samples) if timed.sample.ok), None)
    if first is None:
        late = bool(samples) and samples[-1].elapsed_s >= probe.warmup_s
        return _failed(probe, samples[-1], 0) if late else None
    for good, timed in enumerate(samples[first:]):
        if not timed.sample.ok:
            return _failed(probe, timed, good)
        if good + 1 >= probe.count:
            return Done({}, f"probe {probe.name}: good {probe.count} times; last: {timed.sample.text}")
    return None


def next_wait(probe: HttpProbe, samples: Sequence[Timed]) -> float | None:
    """Return the seconds to wait before the next sample, None when the verdict stands."""
    if verdict(probe, samples) is not None:
        return None
    return probe.interval_s if samples else 0.0


def _failed(probe: HttpProbe, timed: Timed, good: int) -> Failed:
    where = f"{probe.method} {probe.url}, {timed.elapsed_s:.0f} s after the first question"
    what = (
        f"good {good} of {probe.count} times, then {timed.sample.text}" if good else f"never good: {timed.sample.text}"
    )
    return Failed(Reason.VERIFY_FAILED, f"probe {probe.name}: {what} ({where})", "Read the service's log on the host.")
