"""Turns operators' commands into journal entries, or says why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from reconciler.domain.desired import Desired
from reconciler.domain.journal import Command, Draft, Kind
from reconciler.domain.rehearsal import group_of as rehearsals_of
from reconciler.domain.release import near_miss
from reconciler.domain.run import Halt, History
from reconciler.planning.scene import groups_of

Answer = tuple[tuple[Draft, ...], str]


def answer(
    command: Command, history: History, desired: Desired | None, head: str, unheard: Collection[str] = ()
) -> Answer:
    """Return what a command writes, and the sentence that answers it.

    `head` is the newest commit that was fetched; `unheard` are the runs that hosts know and the journal does not.
    """
    if command.verb == "accept-history":
        return _accept_history(command, head)
    if command.verb == "abandon" and command.subject in unheard:
        return _give_up(command)
    handler = _VERBS.get(command.verb)
    if handler is None:
        return (), f"refused: {command.verb} is not a command"
    return handler(command, history, desired)


def group_of(subject: str, desired: Desired | None) -> str | None:
    """Return the group that a group's or service's name means."""
    groups = {} if desired is None else groups_of(desired)
    if subject in groups:
        return subject
    return next((group for group, services in groups.items() if subject in services), None)


def _suspend(command: Command, history: History, desired: Desired | None) -> Answer:
    group = "" if not command.subject else group_of(command.subject, desired)
    if group is None:
        return _unknown(command, desired)
    what = command.subject or "the fleet"
    return (Draft(Kind.SUSPENDED, group=group, body=_by(command)),), f"{what} is suspended; running steps go on"


def _resume(command: Command, history: History, desired: Desired | None) -> Answer:
    group = "" if not command.subject else group_of(command.subject, desired)
    if group is None:
        return _unknown(command, desired)
    if not any(s.scope == group or not group for s in history.suspensions):
        return (), f"refused: {command.subject or 'the fleet'} is not suspended by command"
    return (Draft(Kind.RESUMED, group=group, body=_by(command)),), f"{command.subject or 'the fleet'} is resumed"


def _retry(command: Command, history: History, desired: Desired | None) -> Answer:
    group = group_of(command.subject, desired)
    if group is None:
        return _unknown(command, desired)
    halts = history.halts_of(group)
    if not halts and not any(hold[0] == group for hold in history.holds):
        return (), f"refused: nothing of {command.subject} failed"
    released = Draft(Kind.HOLD_RELEASED, group=group, body=_by(command))
    return (*(_cleared(halt, command) for halt in halts), released), f"{command.subject} is tried again"


def _approve(command: Command, history: History, desired: Desired | None) -> Answer:
    """Take a yes to a plan that waits: by its id, or by its group or service; `/N` after it means wave N."""
    name, _, wave = command.subject.partition("/")
    group = group_of(name, desired)
    waiting = [run for run in history.runs if not run.ended and not run.going_back]
    run = next((each for each in waiting if each.plan.id == name or each.group == group), None)
    if run is None:
        known = ", ".join(f"{each.plan.id} ({each.group})" for each in waiting) or "none"
        return (), f"refused: no plan {name!r} waits; waiting or going on: {known}"
    waves = {str(step.wave) for step in run.plan.steps if step.wave}
    if wave and wave not in waves:
        return (), f"refused: plan {run.plan.id} has no wave {wave} after the canary"
    body = {"plan": run.plan.id, "wave": int(wave) if wave else None, **_by(command)}
    what = f"wave {wave} of plan {run.plan.id}" if wave else f"plan {run.plan.id}"
    return (Draft(Kind.APPROVED, group=run.group, run=run.id, body=dict(body)),), f"{what} is approved by {command.by}"


def _rehearse(command: Command, history: History, desired: Desired | None) -> Answer:
    """Take note of a rehearsal that somebody wants; the pass begins it as soon as it knows where the service stands."""
    service = None if desired is None else desired.services.get(command.subject)
    if service is None:
        return _unknown(command, desired)
    if service.rehearsal is None:
        return (), f"refused: {service.name} has no databases for rehearsals; name them under its `rehearsal` in git"
    group = rehearsals_of(service.name)
    if history.open_run(group) is not None:
        return (), f"refused: a rehearsal of {service.name} is under way"
    draft = Draft(Kind.REHEARSAL_ASKED, group=group, body={"service": service.name, **_by(command)})
    return (draft,), f"{service.name} is rehearsed; `reconciler status` shows how it goes"


def _clear_halt(command: Command, history: History, desired: Desired | None) -> Answer:
    halt = next((halt for halt in history.halts if halt.id == command.subject), None)
    if halt is None:
        known = ", ".join(halt.id for halt in history.halts) or "none"
        return (), f"refused: no open halt {command.subject!r}; open: {known}"
    return (_cleared(halt, command),), f"halt {halt.id} is cleared; what failed stays held until retry or new inputs"


def _abandon(command: Command, history: History, desired: Desired | None) -> Answer:
    """End a leg that can neither go on nor back; a person sees to its services."""
    open_ = {run.id: run for run in history.open_legs()}
    run = open_.get(command.subject)
    if run is None:
        return (), f"refused: no open run {command.subject!r}; open: {', '.join(open_) or 'none'}"
    gone = frozenset(each.host for each in desired.quarantined) if desired else frozenset()
    steps = (step for step in (*run.plan.steps, *(run.back or ())) if step.host not in gone)
    unsettled = next((step for step in steps if (last := run.last(step.id)) and last.outcome is None), None)
    if unsettled is not None:
        text = f"{unsettled.title} still runs on {unsettled.host or 'the daemon'}"
        return (), f"refused: {text}; if that host is gone for good, put it into quarantine in git first"
    end = Draft(Kind.RUN_ENDED, group=run.group, run=run.id, body={"result": "abandoned", **_by(command)})
    cleared = tuple(_cleared(halt, command) for halt in history.halts_of(run.group))
    return (*cleared, end), f"run {run.id} is abandoned: nothing leads back over it; `reconciler retry` plans anew"


def _give_up(command: Command) -> Answer:
    """Note that nobody here knows what a run did, nor those before it: the next run has a number beyond theirs."""
    end = Draft(Kind.RUN_ENDED, run=command.subject, body={"result": "abandoned", **_by(command)})
    return (end,), f"run {command.subject} is of no journal of ours; the fleet is taken as it is seen"


def _accept_history(command: Command, head: str) -> Answer:
    """Accept the newest commit and no other: a mistyped one would leave the daemon without anything to follow."""
    if command.subject != head:
        newest = f"the newest commit is {head}" if head else "no commit was fetched yet"
        return (), f"refused: {command.subject} is not what the branch stands at; {newest}"
    body = {"revision": command.subject, **_by(command)}
    return (Draft(Kind.HISTORY_ACCEPTED, body=dict(body)),), f"history up to {command.subject} is accepted"


def _cleared(halt: Halt, command: Command) -> Draft:
    body = {"id": halt.id, "by": command.by, "why": command.why}
    return Draft(Kind.HALT_CLEARED, group=halt.group, run=halt.run, body=dict(body))


def _by(command: Command) -> Mapping[str, str]:
    return {"by": command.by, "why": command.why}


def _unknown(command: Command, desired: Desired | None) -> Answer:
    names = {} if desired is None else {*groups_of(desired), *desired.services}
    known = near_miss(command.subject, names) if names else "known: none, since no revision was accepted yet"
    return (), f"refused: no service or group {command.subject!r}; {known}"


_VERBS: Mapping[str, Callable[[Command, History, Desired | None], Answer]] = {
    "suspend": _suspend,
    "resume": _resume,
    "retry": _retry,
    "approve": _approve,
    "rehearse": _rehearse,
    "clear-halt": _clear_halt,
    "abandon": _abandon,
}
