"""Carries one step from its start to its outcome, and says the same thing however often it is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.domain.desired import Desired, Host
from reconciler.domain.effect import HostScript, UpdateDns
from reconciler.domain.outcome import Exited, Failed, Lost, Outcome, Sample
from reconciler.domain.plan import Step
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.errors import SecretError
from reconciler.execution.prove import ask
from reconciler.execution.sampling import resolve
from reconciler.ports import Died, Fenced, Guard, HostStep, NeverStarted, Order, Ports, Reverted, Running, Unreachable
from reconciler.steps import Evidence, kinds

ASK_ANEW_S = 3.0
"""How long between two new connections to a host that a step may have cut off."""

_SECRET = re.compile(r"\{secret:([A-Za-z0-9_.-]+)\}")


async def carry(
    step: Step, key: StepKey, desired: Desired, ports: Ports, *, may_start: bool
) -> Outcome | Unreachable | NeverStarted:
    """Start a step or attach to it, wait for its end, prove it, and judge.

    Unreachable means that nothing is known yet: ask again in a later pass. A step that a host has never heard of is
    started only when `may_start`, and else is NeverStarted.
    """
    kind = kinds()[step.kind]
    args = kind.Model.model_validate(step.args)
    effect = kind.effect(args)
    exited: Exited | None = None
    acted: Sample | None = None
    if isinstance(effect, UpdateDns):
        did = await _act(effect, ports) if may_start else NeverStarted()
        if not isinstance(did, Sample):
            return did
        acted = did
    if isinstance(effect, HostScript):
        ended = await _on_host(step, key, effect, desired, ports, may_start)
        if not isinstance(ended, Exited):
            return ended
        exited = replace(ended, output=ports.secrets.redact(ended.output))
    proofs = kind.proofs(args) if exited is None or exited.code == 0 else ()
    answers = {question: await ask(question, desired, ports) for question in proofs}
    return kind.judge(args, Evidence(exited=exited, acted=acted, answers=answers))


async def _act(change: UpdateDns, ports: Ports) -> Sample | Failed:
    """Do what the daemon does itself; it may be done twice, and a proof tells whether it happened."""
    try:
        key = None if change.key_secret is None else ports.secrets.resolve(change.key_secret)
    except SecretError as error:
        return Failed(str(Reason.SECRET_MISSING), str(error), error.hint)
    return await ports.dns.update(change, key)


async def _on_host(  # noqa: PLR0913, PLR0917 - one step's whole context
    step: Step,
    key: StepKey,
    script: HostScript,
    desired: Desired,
    ports: Ports,
    may_start: bool,
) -> Exited | Outcome | Unreachable | NeverStarted:
    host = desired.hosts.get(step.host)
    if host is None:
        return Lost(str(Reason.STEP_LOST), f"host {step.host} is no longer in the desired state")
    missing: SecretError | None = None
    try:
        secrets = _filled(script, ports)
    except SecretError as error:
        missing = error  # no reason not to follow what runs already
    if missing is None and may_start:
        order = Order(key, ports.journal.epoch, script, secrets, step.timeout_s, _guard(step))
        reply = await (_guarded(host, order, ports) if order.guard else ports.hosts.start(host, order))
    else:
        reply = await (_disarmed if step.cuts_link else _asked)(host, key, ports)
    if missing and may_start and isinstance(reply, NeverStarted):
        return Failed(str(Reason.SECRET_MISSING), str(missing), missing.hint)
    if isinstance(reply, Running):
        await ports.hosts.wait(host, key)
        reply = await _asked(host, key, ports)
    if missing and isinstance(reply, Exited):
        reply = replace(reply, output=f"what it said is withheld, for secrets in it would not be known: {missing}")
    return _read(reply, step)


def _guard(step: Step) -> Guard | None:
    if step.cuts_link is None:
        return None
    revert = HostScript(body='exec "$@"\n', args=step.cuts_link.revert)
    return Guard(revert, limit_s=step.timeout_s, within_s=step.cuts_link.within_s)


async def _guarded(host: Host, order: Order, ports: Ports) -> HostStep | Unreachable:
    """Start a step that may cut its host off, unless that was done before, and follow it."""
    reply = await ports.hosts.disarm(host, order.key, order.epoch)
    if isinstance(reply, NeverStarted):
        begun = await ports.hosts.start(host, order)
        if isinstance(begun, Unreachable | Fenced):
            return begun
        reply = Running()
    return await _disarmed(host, order.key, ports) if isinstance(reply, Running) else reply


async def _disarmed(host: Host, key: StepKey, ports: Ports) -> HostStep | Unreachable:
    """Follow it by new connections alone: one that lives on proves nothing, and may be dead without telling."""
    while isinstance(reply := await ports.hosts.disarm(host, key, ports.journal.epoch), Running):
        await ports.clock.sleep(ASK_ANEW_S)
    return reply


async def _asked(host: Host, key: StepKey, ports: Ports) -> HostStep | Unreachable:
    answer = await ports.hosts.ask(host, [key])
    return answer if isinstance(answer, Unreachable) else answer.get(key, NeverStarted())


def _read(reply: HostStep | Unreachable, step: Step) -> Exited | Outcome | Unreachable | NeverStarted:
    match reply:
        case Exited() | Unreachable() | NeverStarted():
            return reply
        case Died(rebooted):
            cause = "the host rebooted" if rebooted else "its process was killed"
            return Lost(str(Reason.STEP_LOST), f"the step left no exit code: {cause}")
        case Reverted(code, output):
            return Failed(str(Reason.LINK_CUT), _cut_text(step, code, output))
        case Fenced(epoch):
            return Failed(str(Reason.HOST_FENCED), f"{step.host} obeys a daemon of epoch {epoch}")
        case Running():
            return Unreachable(str(Reason.HOST_UNREACHABLE), f"the link to {step.host} was lost while the step ran")


def _cut_text(step: Step, code: int, output: str) -> str:
    assert step.cuts_link is not None
    how = "took it back by itself" if code == 0 else f"could not take it back by itself: exit code {code}"
    said = f": {output.strip()}" if output.strip() else ""
    return f"{step.host} took no new connection within {step.cuts_link.within_s:g} s after it, and {how}{said}"


def _filled(script: HostScript, ports: Ports) -> Mapping[str, str]:
    """Fill `{secret:NAME}` in a script's secret variables; raises SecretError."""
    wanted = {name for text in script.secrets.values() for name in _SECRET.findall(text)}
    missing = sorted(wanted - set(script.secret_refs))
    if missing:
        raise SecretError(
            f"secret {missing[0]} is used but not declared", reason=str(Reason.SECRET_MISSING), hint="declare it"
        )
    values = resolve({name: script.secret_refs[name] for name in sorted(wanted)}, ports)
    return {name: _SECRET.sub(lambda match: values[match[1]], text) for name, text in script.secrets.items()}
