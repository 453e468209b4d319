"""Takes the samples of probes, until their own rule says that enough is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from reconciler.domain.desired import Desired, SecretRef
from reconciler.domain.effect import AskHttp, AskProbe, AskSoak
from reconciler.domain.outcome import Done, Sample
from reconciler.errors import SecretError
from reconciler.execution.sample import take_sample
from reconciler.ports import Ports
from reconciler.steps import Timed, _sampling, http_probe, soak

Samples = tuple[Timed, ...]


async def sampled(question: AskHttp | AskProbe, desired: Desired, ports: Ports) -> Samples:
    """Ask one probe to its verdict."""
    taken: list[Timed] = []
    await _take(question, taken, desired, ports)
    return tuple(taken)


async def soaked(question: AskSoak, desired: Desired, ports: Ports) -> tuple[Samples, ...]:
    """Ask probes side by side; what one that is not good leaves of the others is enough."""
    taken: list[list[Timed]] = [[] for _ in question.asks]
    tasks = {
        asyncio.create_task(_take(ask, samples, desired, ports)): (ask, samples)
        for ask, samples in zip(question.asks, taken, strict=True)
    }
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            ended = [(task.result(), tasks[task]) for task in done]
            if not all(isinstance(soak.judged(ask, tuple(samples)), Done) for _, (ask, samples) in ended):
                break
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    return tuple(tuple(samples) for samples in taken)


async def _take(question: AskHttp | AskProbe, taken: list[Timed], desired: Desired, ports: Ports) -> None:
    began = ports.clock.elapsed_s()
    while (wait := _next_wait(question, taken)) is not None:
        await ports.clock.sleep(wait)
        sample = await _once(question, desired, ports)
        taken.append(Timed(ports.clock.elapsed_s() - began, sample))


def _next_wait(question: AskHttp | AskProbe, taken: list[Timed]) -> float | None:
    if isinstance(question, AskHttp):
        return http_probe.next_wait(question.probe, taken)
    return _sampling.next_wait(question.probe, taken)


async def _once(question: AskHttp | AskProbe, desired: Desired, ports: Ports) -> Sample:
    if isinstance(question, AskProbe):
        return await take_sample(question, desired, ports)
    try:
        secrets = resolve(question.secret_refs, ports)
    except SecretError as error:
        return Sample(ok=None, text=str(error))
    return await ports.http.sample(question, secrets)


def resolve(refs: Mapping[str, SecretRef], ports: Ports) -> dict[str, str]:
    """Resolve secrets by name; raises SecretError."""
    return {name: ports.secrets.resolve(ref) for name, ref in refs.items()}
