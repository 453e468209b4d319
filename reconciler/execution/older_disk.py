"""Sees that a host which never heard of a step has not just forgotten it, with all else that it did in the run."""

from __future__ import annotations

from reconciler.domain.desired import Desired
from reconciler.domain.outcome import Lost
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Ready
from reconciler.ports import NeverStarted, Ports, Unreachable


async def older_disk(ready: Ready, key: StepKey, desired: Desired, ports: Ports) -> Lost | Unreachable | None:
    """Lose a step whose host knows neither of it nor of one that it did before: its disk is older than that.

    Such a host would carry the step out a second time, on whatever the first time left elsewhere.
    """
    host = desired.hosts.get(ready.step.host)
    if ready.before is None or host is None:
        return None
    step, attempt = ready.before
    witness = StepKey(key.run, step.id, attempt)
    found = await ports.hosts.ask(host, [key, witness])
    if isinstance(found, Unreachable):
        return found
    if all(isinstance(found.get(each, NeverStarted()), NeverStarted) for each in (key, witness)):
        text = f"{host.name} has forgotten this run, {step.title} too: its disk or state_dir is older than that"
        return Lost(str(Reason.STEP_LOST), text)
    return None
