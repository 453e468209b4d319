"""Values that steps leave for later ones: `{value:NAME.KEY}` in arguments, filled when a step becomes ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from pydantic import ValidationError

from reconciler.domain.outcome import Failed
from reconciler.domain.placeholder import SECRET, VALUE
from reconciler.domain.plan import Json, Step
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Run
from reconciler.steps import kinds

MOST = 4096
"""Characters of one value: an id, a path or a short list, never a file."""


def with_values(step: Step, runs: Sequence[Run], bootstrap: str) -> Step | Failed:
    """Return a step with all values filled, or why it cannot be begun; `runs` are its own and those it follows.

    A value is that of the step so named on the same host, else on the bootstrap host, else of the daemon.
    """
    wanted = sorted(set(_wanted(step.args)))
    if not wanted:
        return step
    found: dict[tuple[str, str], str] = {}
    for name, key in wanted:
        value = _value(name, key, step, runs, bootstrap)
        if not value:
            return Failed(str(Reason.VALUE_MISSING), f"no step {name} left a value {key} for {step.title}")
        if flaw := _flaw(value):
            return Failed(str(Reason.VALUE_INVALID), f"value {name}.{key} {flaw}")
        found[name, key] = value
    return _checked(replace(step, args=cast("Mapping[str, Json]", _filled(step.args, found))))


def _flaw(value: str) -> str:
    """Say why a value may stand in no argument; who left it may be hostile."""
    if len(value) > MOST:
        return f"has more than {MOST} characters"
    if value.startswith("-"):
        return "begins with a dash: a command would take it for an option"
    return "names a secret" if f"{{{SECRET}" in value else ""


def _checked(step: Step) -> Step | Failed:
    try:
        kinds()[step.kind].Model.model_validate(step.args)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its arguments"
        return Failed(str(Reason.VALUE_INVALID), f"{step.title}, {place}: {first['msg']}")
    return step


def _value(name: str, key: str, step: Step, runs: Sequence[Run], bootstrap: str) -> str:
    left = {
        (each.service == step.service, each.host): run.values(each.id)[key]
        for run in reversed(runs)
        for each in run.plan.steps
        if each.name == name and run.done(each.id) and key in run.values(each.id)
    }
    places = [(own, host) for own in (True, False) for host in (step.host, bootstrap, "")]
    return next((left[place] for place in places if place in left), "")


def _wanted(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from ((found[1], found[2]) for found in VALUE.finditer(value))
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _wanted(each)


def _filled(value: object, found: Mapping[tuple[str, str], str]) -> object:
    if isinstance(value, str):
        return VALUE.sub(lambda match: found[match[1], match[2]], value)
    if isinstance(value, Mapping):
        return {key: _filled(each, found) for key, each in value.items()}
    return [_filled(each, found) for each in value] if isinstance(value, list | tuple) else value
