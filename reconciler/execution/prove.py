"""Asks the questions that prove a step, from the daemon's machine."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.domain.desired import Desired, SecretRef
from reconciler.domain.effect import Ask, AskFingerprint, AskHost, AskHttp, AskMarker
from reconciler.domain.observation import Unknown
from reconciler.domain.outcome import Sample
from reconciler.domain.reasons import Reason
from reconciler.errors import SecretError
from reconciler.execution.look import look_at_host, password_of, read_marker, services_on
from reconciler.ports import Ports
from reconciler.steps import Answered, Timed
from reconciler.steps.http_probe import next_wait


async def ask(question: Ask, desired: Desired, ports: Ports) -> Answered:
    """Ask one question; what cannot be answered comes back as Unknown."""
    match question:
        case AskMarker(database):
            return await read_marker(database, ports)
        case AskFingerprint(database):
            return await _fingerprint(question, ports)
        case AskHost(host, _):
            return await look_at_host(desired.hosts[host], services_on(desired, host), ports)
        case AskHttp():
            return await _samples(question, ports)


async def _fingerprint(question: AskFingerprint, ports: Ports) -> Answered:
    try:
        password = password_of(question.database, ports)
    except SecretError as error:
        return Unknown(str(Reason.SECRET_MISSING), str(error), ports.clock.now())
    return await ports.databases.fingerprint(question.database, password)


async def _samples(question: AskHttp, ports: Ports) -> tuple[Timed, ...]:
    """Ask until the probe's own rule says that enough is known."""
    try:
        secrets = resolve(question.secret_refs, ports)
    except SecretError as error:
        return (Timed(question.probe.warmup_s, Sample(ok=None, text=str(error))),)
    began = ports.clock.now()
    samples: list[Timed] = []
    while (wait := next_wait(question.probe, samples)) is not None:
        await ports.clock.sleep(wait)
        sample = await ports.http.sample(question, secrets)
        samples.append(Timed((ports.clock.now() - began).total_seconds(), sample))
    return tuple(samples)


def resolve(refs: Mapping[str, SecretRef], ports: Ports) -> dict[str, str]:
    """Resolve secrets by name; raises SecretError."""
    return {name: ports.secrets.resolve(ref) for name, ref in refs.items()}
