"""A small model of what a history may be: a pure state machine that reads journal and deeds, and says where they stray.

It knows nothing of routes, plans or judgement; it shares no code with them. What it knows is the life of a run, an
attempt, a halt and a lease, and that what is said to be done was done, once, on the host that was told to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.domain.journal import Entry
from tests.fakes.fleet import Deed

Attempt = tuple[str, str, int]
"""Run, step and number."""
ASKING = {"http_probe", "probe", "verify_host", "seal", "unchanged", "row_gate", "soak", "watch"}
"""Kinds of steps that ask and do nothing: no host hears of them."""


@dataclass
class RunLife:
    """One run: `steps` are those that may be begun now, `hosts` those of all that might ever be."""

    group: str
    inherits: str
    steps: Mapping[str, Mapping[str, Any]]
    turned: bool = False
    ended: str = ""
    open: set[Attempt] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    last: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.take(self.steps)

    def take(self, steps: Mapping[str, Mapping[str, Any]]) -> None:
        """Let these be the steps from now on."""
        self.steps = steps
        self.hosts.update({name: str(step.get("host", "")) for name, step in steps.items()})


@dataclass
class Model:
    """What is known after a part of a history; `feed` takes in the next fact and yields what is wrong with it."""

    parents: Mapping[str, str]
    lies: frozenset[Attempt] = frozenset()
    left_alone: frozenset[str] = frozenset()
    runs: dict[str, RunLife] = field(default_factory=dict)
    deeds: dict[Attempt, list[Deed]] = field(default_factory=dict)
    halts: dict[str, str] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    accepted: str = ""
    epoch: int = 0

    def feed(self, fact: Entry | Deed) -> Iterator[str]:
        """Take in one fact."""
        if isinstance(fact, Deed):
            yield from self._deed(fact)
        elif (heard := getattr(self, f"_{fact.kind}", None)) is not None:
            yield from heard(fact)

    # ------------------------------------------------------------ what was done

    def _deed(self, deed: Deed) -> Iterator[str]:
        key = (deed.key.run, deed.key.step, deed.key.attempt)
        run = self.runs.get(deed.key.run)
        if run is None or deed.key.attempt > run.last.get(deed.key.step, 0):
            yield f"{key} was carried out before it was written down"
        if key in self.deeds:
            yield f"{key} was carried out twice"
        self.deeds.setdefault(key, []).append(deed)

    # ------------------------------------------------------------ what was written

    def _revision_accepted(self, entry: Entry) -> Iterator[str]:
        commit = str(entry.body["revision"])
        line = _line(commit, self.parents)
        if self.accepted and self.accepted not in line:
            yield f"{commit} was accepted, and does not descend from {self.accepted}"
        self.accepted = commit

    def _history_accepted(self, entry: Entry) -> Iterator[str]:
        self.accepted = str(entry.body["revision"])
        yield from ()

    def _plan_pinned(self, entry: Entry) -> Iterator[str]:
        plan: Any = entry.body["plan"]
        if entry.run in self.runs:
            yield f"{entry.run} was begun twice"
        others = [name for name, run in self.runs.items() if run.group == entry.group and not run.ended]
        if others:
            yield f"{entry.run} was begun while {others} of {entry.group} went on"
        reopens = any(".to-savepoint." in step["id"] for step in plan["steps"])
        left = {"superseded", "done"} if reopens else {"superseded"}
        if plan["inherits"] and self.runs[plan["inherits"]].ended not in left:
            yield f"{entry.run} goes on with {plan['inherits']}, which was not left to it"
        yield from _out_of_order(entry.run, plan["steps"])
        self.runs[entry.run] = RunLife(entry.group, plan["inherits"], _by_id(plan["steps"]))

    def _turned_back(self, entry: Entry) -> Iterator[str]:
        run = self.runs[entry.run]
        if run.turned or run.ended:
            yield f"{entry.run} was turned back when it was {run.ended or 'turned back already'}"
        run.turned = True
        yield from _out_of_order(entry.run, entry.body["steps"])
        run.take(_by_id(entry.body["steps"]))

    def _intent(self, entry: Entry) -> Iterator[str]:
        run, attempt, epoch = self.runs[entry.run], *_numbers(entry, "attempt", "epoch")
        if run.ended:
            yield f"{entry.step} was begun after {entry.run} had ended"
        if entry.step not in run.steps:
            yield f"{entry.step} was begun, and is no step of {entry.run} now"
        if attempt != run.last.get(entry.step, 0) + 1:
            yield f"{entry.step} of {entry.run} began with attempt {attempt}"
        if (entry.run, entry.step, attempt - 1) in run.open:
            yield f"{entry.step} of {entry.run} was begun anew before anybody knew how it had ended"
        asked = run.steps.get(entry.step, {}).get("phase") == "preflight"  # every six hours anew: law 7 counts them
        if entry.step in run.done and not asked:
            yield f"{entry.step} of {entry.run} was begun, and was done already"
        if epoch < self.epoch:
            yield f"{entry.step} was begun under epoch {epoch}, after {self.epoch}"
        if self.suspended & {"", entry.group}:
            yield f"{entry.step} was begun while {entry.group} was suspended"
        yield from self._too_early(entry, run)
        self.epoch = max(self.epoch, epoch)
        run.last[entry.step] = attempt
        run.open.add((entry.run, entry.step, attempt))

    def _too_early(self, entry: Entry, run: RunLife) -> Iterator[str]:
        """Find steps that had to be over and are not; what was left out of a plan on purpose is not in it."""
        for before in run.steps.get(entry.step, {}).get("after", ()):
            step = run.steps.get(before, {})
            if step and before not in run.done and not self._free(step):
                yield f"{entry.step} of {entry.run} was begun before {before} was done"

    def _free(self, step: Mapping[str, Any]) -> bool:
        """Tell whether nobody has to wait for a step: one that only advises, or one of a host that git leaves alone."""
        return bool(step.get("advisory")) or step.get("host") in self.left_alone

    def _result(self, entry: Entry) -> Iterator[str]:
        run, key = self.runs[entry.run], (entry.run, entry.step, *_numbers(entry, "attempt"))
        if key not in run.open:
            yield f"{key} ended, and was not going on"
        run.open.discard(key)
        if entry.body["outcome"] != "done":
            return
        run.done.add(entry.step)
        step = run.steps.get(entry.step, {})
        told = step.get("host") and step["kind"] not in ASKING
        if told and key not in self.deeds and key not in self.lies:
            yield f"{key} is said to be done on {step['host']}, and nobody did it"

    def _run_ended(self, entry: Entry) -> Iterator[str]:
        run = self.runs[entry.run]
        if run.ended and (run.ended, entry.body["result"]) != ("superseded", "abandoned"):
            yield f"{entry.run} ended twice"  # a leg that nobody took over yet is open, and may be abandoned
        if waited_for := {key for key in run.open if run.hosts[key[1]] not in self.left_alone}:
            yield f"{entry.run} ended while {sorted(waited_for)} went on"
        run.ended = str(entry.body["result"])
        lacking = [name for name, step in run.steps.items() if name not in run.done and not self._free(step)]
        if run.ended == "done" and lacking:
            yield f"{entry.run} is done without {lacking}"

    def _halt_raised(self, entry: Entry) -> Iterator[str]:
        name = str(entry.body["id"])
        if name in self.halts:
            yield f"halt {name} was raised twice"
        self.halts[name] = entry.group

    def _halt_cleared(self, entry: Entry) -> Iterator[str]:
        if self.halts.pop(str(entry.body["id"]), None) is None:
            yield f"halt {entry.body['id']} was cleared, and did not stand"

    def _suspended(self, entry: Entry) -> Iterator[str]:
        self.suspended.add(entry.group)
        yield from ()

    def _resumed(self, entry: Entry) -> Iterator[str]:
        self.suspended = {each for each in self.suspended if entry.group and each != entry.group}
        yield from ()


def judged(
    entries: Sequence[Entry],
    deeds: Iterable[Deed],
    parents: Mapping[str, str],
    lies: frozenset[Attempt],
    left_alone: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Judge a whole history: each deed stands behind the entries that were written before it.

    Nobody waits for what was begun on hosts that git wants `left_alone`.
    """
    model, after = Model(parents, lies, left_alone), sorted(deeds, key=lambda deed: deed.at)
    for index, entry in enumerate(entries):
        while after and after[0].at <= index:
            yield from model.feed(after.pop(0))
        yield from model.feed(entry)
    for deed in after:
        yield from model.feed(deed)


def _line(commit: str, parents: Mapping[str, str]) -> list[str]:
    """Return a commit and all before it."""
    line = []
    while commit:
        line.append(commit)
        commit = parents[commit]
    return line


def _out_of_order(run: str, steps: Any) -> Iterator[str]:
    """Find steps that stand before one that they wait for."""
    ahead = {step["id"] for step in steps}
    for step in steps:
        if late := ahead.intersection(step["after"]):
            yield f"{step['id']} of {run} stands before {sorted(late)}, for which it waits"
        ahead.discard(step["id"])


def _by_id(steps: Any) -> dict[str, Mapping[str, Any]]:
    return {step["id"]: step for step in steps}


def _numbers(entry: Entry, *names: str) -> tuple[int, ...]:
    return tuple(int(str(entry.body[name])) for name in names)
