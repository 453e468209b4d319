"""Makes up lives of a journal: whatever people and hosts may do, in any order, as entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from reconciler.domain.backup import Need
from reconciler.domain.journal import Draft, Entry, Kind
from reconciler.domain.plan import Json, Plan, ServiceRoute, Step, Undo
from reconciler.domain.procedure import Phase
from reconciler.domain.rehearsal import group_of
from reconciler.domain.run import History, Run
from reconciler.domain.segment import Keep
from reconciler.planning.checkpoint import cut
from reconciler.planning.history import fold
from reconciler.planning.kept import kept_sets
from reconciler.planning.plan_back import barred_by
from reconciler.planning.serial import plan_to_json, step_to_json
from tests.fakes.journal import MemoryJournal

KEEP = Keep(runs=1, days=0, at_once=1)
HOSTS = ("h1", "h2")
GROUPS = ("a", "b", group_of("a"))
ENDS = ("done", "done", "done", "done", "done", "superseded", "backed_out", "dropped", "abandoned", "failed", "done")
OFTEN = (1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9)
"""Runs that begin, go on and halt come more often than all else."""

Choice = tuple[int, int, int]
"""What is done, to whom, and how."""


SEAL = (0, 0, 0)


def choices(chance: Random, count: int) -> list[Choice]:
    """Draw what happens."""
    return [
        (chance.choice((*range(14), *OFTEN)), chance.choice((0, 0, 0, 1, 2)), chance.randrange(990))
        for _ in range(count)
    ]


def step(service: str, phase: Phase, kind: str, host: str = "h1", **changes: object) -> Step:
    name = f"{service}.{phase}.{kind}@{host}"
    made = Step(id=name, kind=kind, phase=phase, service=service, title=kind, host=host)
    return replace(made, **changes)


def steps_of(service: str, how: int) -> Iterator[Step]:
    if how & 16:
        yield step(service, Phase.BACKUP, "backup", args={"database": "main", "dir": "/b"})
    if how % 7 == 1:
        yield step(service, Phase.QUIESCE, "galera", "h2", args={"action": "hold", "datadir": "/d"})
    yield step(service, Phase.MIGRATE, "schema_sync", hop="x>y", undo=Undo("restore", {}, "restore"))
    yield from (step(service, Phase.ROLL, "verify_host", host, wave=at) for at, host in enumerate(HOSTS))
    if how % 7 == 2:
        yield step(service, Phase.CONTRACT, "schema_sync", point_of_no_return=True)
    if how % 7 == 4:
        yield step(service, Phase.CUTOVER, "endpoints", "")
    if how & 8:
        yield step(service, Phase.FINISH, "galera", "h2", args={"action": "rejoin"})
    yield step(service, Phase.FINISH, "prune_backups")


@dataclass
class Hours:
    """A clock that goes an hour on when told."""

    at: datetime = datetime(2026, 1, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@dataclass
class Life:
    """A journal that is sealed now and then, and the same entries in one that never is."""

    clock: Hours = field(default_factory=Hours)
    all: list[Entry] = field(default_factory=list)
    never: History = field(default_factory=History)
    seals: int = 0

    def __post_init__(self) -> None:
        self.journal = MemoryJournal(self.clock)

    @property
    def now(self) -> History:
        return fold(self.journal.read())

    def live(self, choices: list[Choice]) -> None:
        for what, whom, how in choices:
            self.clock.at += timedelta(hours=1)
            group = GROUPS[whom % len(GROUPS)]
            if what == 0:
                self.seal()
            else:
                self.write(self.drafts(what, group, how))

    def write(self, drafts: list[Draft]) -> None:
        entries = self.journal.append(drafts)
        self.all += entries
        self.never = fold(entries, self.never)

    def seal(self) -> None:
        found = cut(self.journal.read(), self.now, KEEP, HOSTS, self.clock.now())
        sealed = self.journal.seal(found) if found else None
        if sealed:
            self.all.append(sealed)
            self.seals += 1

    def drafts(self, what: int, group: str, how: int) -> list[Draft]:
        run = self.never.open_run(group)
        if what <= 7:
            return [self.pinned(group, how)] if run is None else [*self.going_on(run, how)]
        if what == 8 and run is not None:
            return [*self.halted(run, how)]
        return [*self.said(what, group, how)]

    def pinned(self, group: str, how: int) -> Draft:
        service = "a" if group in {"a", group_of("a")} else "b"
        releases = ("x", "y") if how % 3 else ("y", "y")
        moved = ServiceRoute(
            service=service,
            start=releases[0],
            goal=releases[1],
            route=tuple(dict.fromkeys(releases)),
            onto=("h2",) if how % 7 == 4 else (),
            off=("h1",) if how % 7 == 4 else (),
        )
        plan = Plan(
            id=f"p{how}", group=group, inputs=f"i{how % 4}", services=(moved,), steps=(*steps_of(service, how),)
        )
        standing, leg = self.never.completed(group), self.never.superseded(group)
        if group not in {"a", "b"}:
            plan = replace(plan, direction="rehearse", services=())
        elif leg is not None:
            plan = replace(plan, inherits=leg.id)
        elif standing and how % 2 and self.leads_back(standing):
            plan = replace(plan, direction="back", undoes=standing[-1].id)
        run_id = f"{plan.id}-{self.never.begun + 1}"
        return Draft(Kind.PLAN_PINNED, group, run_id, body={"plan": plan_to_json(plan)})

    def leads_back(self, standing: Sequence[Run]) -> bool:
        """Tell whether an older release is in reach: over builds alone nobody goes back."""
        for run in reversed(standing):
            if barred_by(run, self.never) is not None:
                return False
            if run.plan.hops:
                return True
        return False

    def going_on(self, run: Run, how: int) -> Iterator[Draft]:
        """Carry out a few steps, badly now and then, or end."""
        left = [each for each in run.plan.steps if not run.done(each.id)]
        if how % 16 == 15 and run.back is None:
            body: dict[str, Json] = {"text": "back", "steps": [step_to_json(step("a", Phase.BACK_OUT, "units"))]}
            yield Draft(Kind.TURNED_BACK, run.group, run.id, body=body)
        elif not left or how % 8 == 7:
            yield Draft(Kind.RUN_ENDED, run.group, run.id, body={"result": ENDS[how % len(ENDS)] if how else "done"})
        else:
            bad = how % 5 == 4
            for each in left[:1] if bad else left:
                number = len(run.attempts.get(each.id, ())) + 1
                yield Draft(Kind.INTENT, run.group, run.id, each.id, {"attempt": number, "epoch": 1})
                yield Draft(Kind.RESULT, run.group, run.id, each.id, {"attempt": number, **self.outcome(each, bad=bad)})
            if not bad and how % 3:
                yield Draft(Kind.RUN_ENDED, run.group, run.id, body={"result": ENDS[how % len(ENDS)]})

    def outcome(self, each: Step, *, bad: bool) -> Mapping[str, Json]:
        if bad:
            return {"outcome": "failed", "reason": "StepFailed", "text": "no", "hint": ""}
        values: dict[str, Json] = {}
        if each.kind == "backup":
            values = {"path": "/b/dump", "bytes": "7", "trust": "read_back"}
        if each.kind == "prune_backups":
            wanted = {each.run for each in kept_sets(self.never) if each.need is not Need.NONE}
            old = [run.id for run in self.never.runs if run.ended and run.id not in wanted][:-2]
            values = {"removed": " ".join(old)}
        return {"outcome": "done", "values": values, "text": ""}

    def halted(self, run: Run, how: int) -> Iterator[Draft]:
        number = f"h{self.never.halts_raised + 1}"
        body: dict[str, Json] = {"id": number, "scope": run.group, "reason": "StepFailed", "text": "t", "hint": "h"}
        body |= {"inputs": run.plan.inputs, "attempt": how % 3}
        yield Draft(Kind.HALT_RAISED, run.group, run.id, run.plan.steps[how % 3].id, body)
        if how % 3 == 0:
            yield Draft(Kind.HALT_CLEARED, run.group, run.id, body={"id": number, "by": "ada", "why": ""})

    def said(self, what: int, group: str, how: int) -> Iterator[Draft]:
        """Yield what people say."""
        by: dict[str, Json] = {"by": "ada", "why": str(how)}
        run = self.never.open_run(group)
        match what:
            case 9:
                yield from (
                    Draft(Kind.HALT_CLEARED, halt.group, halt.run, body={"id": halt.id, **by})
                    for halt in self.never.halts_of(group)
                )
                if how % 2:
                    yield Draft(Kind.HOLD_RELEASED, group, body=by)
            case 10:
                kind = Kind.SUSPENDED if how % 2 else Kind.RESUMED
                yield Draft(kind, "" if how % 5 == 0 else group, body=by)
            case 11:
                yield Draft(Kind.REHEARSAL_ASKED, group_of(group), body={"service": group, **by})
                if how % 4 == 0:
                    yield Draft(Kind.REHEARSAL_REFUSED, group_of(group), body={"service": group, "text": "no"})
            case 12 if run is not None:
                yield Draft(Kind.APPROVED, group, run.id, body={"plan": run.plan.id, "wave": None, **by})
            case _:
                yield self.committed(how)

    def committed(self, how: int) -> Draft:
        kinds = (Kind.REVISION_ACCEPTED, Kind.REVISION_ACCEPTED, Kind.REVISION_REFUSED, Kind.HISTORY_ACCEPTED)
        signed: dict[str, Json] = {"signed_by": "ada"} if how % 8 == 0 else {}
        return Draft(kinds[how % 4], body={"revision": f"c{len(self.all)}", "text": "", **signed})
