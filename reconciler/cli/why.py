"""`reconciler why`: all that is known about why a service, or a host of it, is as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import world
from reconciler.cli.output import STYLES, Config, Format, Output, say, write_data
from reconciler.cli.status import halt_lines, refused
from reconciler.domain.outcome import Failed, Lost
from reconciler.domain.release import near_miss
from reconciler.domain.run import Run
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.adapters.journal import JournalReader


def why(
    target: str = typer.Argument(metavar="SERVICE[@HOST]", help="A service, or a service on one host."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Explain the verdict over a service.

    Reason and hint, targets that differ, the open run with its steps.
    """
    name, _, host = target.partition("@")
    with world.opened(world.settings_from(config)) as reader:
        status = world.published(reader, "status")
        places = _places(reader)
        runs = world.history_of(reader).runs
    service = _chosen(status["services"], "service", name)
    place = next((each for each in places if each["service"] == name), {})
    if host:
        place = {**place, "hosts": [_chosen(place.get("hosts", ()), "host", host)], "databases": []}
    found = {
        "service": service,
        "refused": list(refused(status)),
        "halts": [each for each in status["halts"] if each["scope"] == service["group"]],
        "place": place,
        "run": next(
            (_run(run, host) for run in reversed(runs) if run.group == service["group"] and not run.ended), None
        ),
    }
    if output is not Format.TABLE:
        write_data(found, output)
        return
    say(f"{service['service']}: {service['verdict']}, {service['reason']}", STYLES.get(service["verdict"], ""))
    for line in _lines(found):
        say(line)


def _places(reader: JournalReader) -> Sequence[Mapping[str, Any]]:
    """Return the targets of every service as last compared; nothing before the first look."""
    found = reader.document("diff")
    body: Any = found.body if found is not None else {"services": []}
    services: Sequence[Mapping[str, Any]] = body["services"]
    return services


def _chosen(all_of: Sequence[Mapping[str, Any]], kind: str, name: str) -> Mapping[str, Any]:
    for each in all_of:
        if each[kind] == name:
            return each
    known = [each[kind] for each in all_of]
    raise ReconcilerError(f"no {kind} {name!r}", reason=f"Unknown{kind.title()}", hint=near_miss(name, known))


def _run(run: Run, host: str) -> dict[str, Any]:
    """Say of an open run what is done, what runs, what failed and what comes next."""
    steps = [step for step in run.steps if not host or step.host == host]
    lasts = {step.id: run.last(step.id) for step in steps}
    titles = {step.id: f"{step.title}{f' on {step.host}' if step.host else ''}" for step in steps}
    return {
        "id": run.id,
        "going_back": run.going_back,
        "done": sum(run.done(step.id) for step in steps),
        "of": len(steps),
        "running": [titles[each] for each, last in lasts.items() if last is not None and last.outcome is None],
        "failed": [
            f"{titles[each]}: {last.outcome.reason}: {last.outcome.text}"
            for each, last in lasts.items()
            if last is not None and isinstance(last.outcome, Failed | Lost)
        ],
        "next": [titles[step.id] for step in steps if not run.attempted(step.id)][:5],
    }


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    service, place, run = found["service"], found["place"], found["run"]
    if service["text"] not in {halt["text"] for halt in found["halts"]}:
        yield f"  {service['text']}"
        yield f"  hint: {service['hint']}"
    at = f"desired {service['desired']}, position {service['position'] or 'unknown'}"
    yield f"  since {service['since'] or 'unknown'}; {at}"
    yield from (f"  {line}" for line in found["refused"])
    for halt in found["halts"]:
        yield f"  halt {halt['id']} since {halt['since']}"
        yield from (f"  {line}" for line in halt_lines(halt))
    for each in place.get("databases", ()):
        yield f"  database {each['name']}: {', '.join(each['releases']) or 'unknown'}. {each['text']}"
    for each in place.get("hosts", ()):
        said = each["unknown"] or "; ".join(each["drift"]) or "as desired"
        yield f"  host {each['host']} at {each['release'] or '?'}: {said}"
    told = {service["text"], *(each["unknown"] for each in place.get("hosts", ()))}
    for block in place.get("blocks", ()):
        if block["text"] not in told:
            yield f"  blocked, {block['reason']}: {block['text']}"
    if run:
        yield f"  run {run['id']}{' goes back' if run['going_back'] else ''}: {run['done']} of {run['of']} steps done"
        for word in ("running", "failed", "next"):
            yield from (f"    {word}: {each}" for each in run[word])
