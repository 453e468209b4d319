"""How samples of a probe are taken and judged, whatever the probe asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.domain.outcome import Done, Failed, Life, Lost
from reconciler.domain.probe import Sampling
from reconciler.domain.reasons import Reason
from reconciler.steps import Timed

Verdict = Done | Failed | Lost


def verdict(probe: Sampling, samples: Sequence[Timed], where: str) -> Verdict | None:
    """Judge samples in their order, None while more are needed.

    `count` good ones in a row are wanted. Bad ones before the first good one are forgiven for `warmup_s` seconds, after
    it none is, nor ever of one that is `steady`. One that nobody could take counts for nothing, and breaks a row;
    `warmup_s` seconds of such are the end, and so are, after the first good one, more of them than good ones are
    wanted: else asking might never end. What was started anew between two good ones was bad between them.
    """
    good, untold, began, silent = 0, 0, False, None
    life: Life | None = None
    for timed in samples:
        if timed.sample.ok is None:
            good, silent, untold = 0, timed.elapsed_s if silent is None else silent, untold + began
            if timed.elapsed_s - silent >= probe.warmup_s or untold > probe.count:
                return _untold(probe, timed, silent, where)
            continue
        silent = None
        if not timed.sample.ok:
            if began or probe.steady or timed.elapsed_s >= probe.warmup_s:
                return _failed(probe, timed, good, where)
            continue
        if life and timed.sample.life and not timed.sample.life.is_of(life):
            return _failed(probe, _restarted(timed), good, where)
        good, began, life = good + 1, True, timed.sample.life or life
        if good >= probe.count:
            return Done({}, f"probe {probe.name}: good {probe.count} times; last: {timed.sample.text}")
    return None


def next_wait(probe: Sampling, samples: Sequence[Timed]) -> float | None:
    """Return the seconds to wait before the next sample, None when the verdict stands."""
    if verdict(probe, samples, "") is not None:
        return None
    return probe.interval_s if samples else 0.0


def _restarted(timed: Timed) -> Timed:
    text = f"it was started anew between two questions; now {timed.sample.text}"
    return replace(timed, sample=replace(timed.sample, text=text))


def _failed(probe: Sampling, timed: Timed, good: int, where: str) -> Failed:
    what = (
        f"good {good} of {probe.count} times, then {timed.sample.text}" if good else f"never good: {timed.sample.text}"
    )
    text = f"probe {probe.name}: {what} ({where}, {timed.elapsed_s:.0f} s after the first question)"
    return Failed(Reason.VERIFY_FAILED, text, "Look at what the probe asks about; the text says what it saw.")


def _untold(probe: Sampling, timed: Timed, since_s: float, where: str) -> Lost:
    lasted = timed.elapsed_s - since_s
    often = f"for {lasted:.0f} s" if lasted else "again and again"
    text = f"probe {probe.name}: nobody could tell {often}; last: {timed.sample.text} ({where})"
    return Lost(Reason.PROBE_INCONCLUSIVE, text)
