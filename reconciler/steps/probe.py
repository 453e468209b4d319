"""Asks a probe other than HTTP until it was good often enough, was not, or nobody could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, cast

from pydantic import Field

from reconciler.domain.desired import Database
from reconciler.domain.effect import Ask, AskProbe
from reconciler.domain.outcome import Failed, Lost, Outcome
from reconciler.domain.probe import (
    CommandProbe,
    ContainerProbe,
    MetricProbe,
    OtherProbe,
    RowsProbe,
    TcpProbe,
    UnitProbe,
)
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Timed
from reconciler.steps._sampling import verdict
from reconciler.steps._show import typed

KIND = "probe"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = True

Discriminated = Annotated[OtherProbe, Field(discriminator="kind")]


class Model(Args):
    """A probe with its placeholders filled, the host it is asked on, and the database it asks.

    `canary` names the reason of a failure.
    """

    probe: Discriminated
    host: str = ""
    database: Database | None = None
    canary: bool = False


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def asked(args: Model) -> str:
    """Say in one line what is asked, and where."""
    match args.probe:
        case TcpProbe(host=host, port=port):
            return f"connect to {host}:{port}"
        case MetricProbe(promql=promql):
            return f"ask Prometheus: {promql}"
        case RowsProbe(database=database, sql=sql):
            return f"ask database {database}: {sql}"
        case CommandProbe(argv=argv):
            return f"on {args.host}: {typed(argv)}"
        case UnitProbe(unit=unit):
            return f"on {args.host}: is unit {unit} active"
        case ContainerProbe(container=container):
            return f"on {args.host}: does container {container} run"


def _good(probe: OtherProbe) -> str:
    match probe:
        case MetricProbe(good=good):
            return "no sample" if good == "none" else "samples"
        case RowsProbe(good=good):
            return "no row" if good == "none" else "rows"
        case CommandProbe(ok=ok, output=output):
            code = f"exit code {' or '.join(map(str, ok))}"
            return f"{code}, with {output!r} in the output" if output else code
    return "yes"


def shows(args: Model) -> tuple[str, ...]:
    """Show the question, what is good, and how often it is asked."""
    probe = args.probe
    often = f"{probe.count} times, {probe.interval_s:g} s apart" if probe.count > 1 else "once"
    return (f"{asked(args)}  # {_good(probe)} expected, {often}",)


def proved(args: Model) -> tuple[str, ...]:
    """Say which answers are wanted."""
    times = f"{args.probe.count} times in a row" if args.probe.count > 1 else "once"
    return (f"{_good(args.probe)} to: {asked(args)}, {times}",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask the probe; it is asked again while the rule of sampling says so."""
    return (AskProbe(probe=args.probe, host=args.host, database=args.database),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Judge all samples; a probe that was left before its end tells nothing."""
    taken = evidence.answers.get(proofs(args)[0])
    samples = cast("Sequence[Timed]", taken) if isinstance(taken, tuple) else ()
    left = Lost(Reason.STEP_LOST, f"probe {args.probe.name} was left after {len(samples)} of {args.probe.count}")
    found = verdict(args.probe, samples, asked(args)) or left
    return replace(found, reason=str(Reason.CANARY_FAILED)) if args.canary and isinstance(found, Failed) else found
