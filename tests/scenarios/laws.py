"""What must always hold (design.md, section 6), judged from the journal and the deeds alone, without planning code.

Each law is a function whose name bears its number there, and yields a sentence for every breach.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from reconciler.catalog import load_catalog
from reconciler.domain.chain import verify
from reconciler.domain.desired import Deployment, Desired, Service
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.marker import Marker
from reconciler.domain.reasons import Reason
from reconciler.domain.rule import Rule, RuleKind
from reconciler.domain.verdict import Report, State
from tests.fakes.fleet import Deed, Fleet

SECRET = "s3cret"
TAKEN = {Kind.REVISION_ACCEPTED, Kind.HISTORY_ACCEPTED}
PREPARING = {"preflight", "prepare"}
SCHEMA = {"sync", "expand", "migrate", "contract"}


@dataclass
class Case:
    """What a judge has before him: the journal, what was done on hosts, and what each commit wanted."""

    entries: Sequence[Entry]
    deeds: Sequence[Deed]
    wanted: Mapping[str, Desired | None]
    plans: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    steps: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)  # by run and id
    forward: set[tuple[str, str]] = field(default_factory=set)  # those that a plan forward has
    pinned: dict[str, int] = field(default_factory=dict)  # run to index of its pin, and to that of each turn
    turned: dict[str, int] = field(default_factory=dict)
    results: dict[tuple[str, str, int], tuple[int, str]] = field(default_factory=dict)
    intents: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, entry in enumerate(self.entries):
            key = (entry.run, entry.step, entry.body.get("attempt", 0))
            match entry.kind:
                case Kind.PLAN_PINNED:
                    plan = entry.body["plan"]
                    self.plans[entry.run], self.pinned[entry.run] = plan, index
                    self._know(entry.run, plan["steps"], forward=plan["direction"] == "forward")
                case Kind.TURNED_BACK:
                    self.turned[entry.run] = index
                    self._know(entry.run, entry.body["steps"], forward=False)
                case Kind.INTENT:
                    self.intents.setdefault(key, (index, entry.body["epoch"]))
                case Kind.RESULT:
                    self.results.setdefault(key, (index, entry.body["outcome"]))

    def _know(self, run: str, steps: Sequence[Mapping[str, Any]], *, forward: bool) -> None:
        self.steps |= {(run, step["id"]): step for step in steps}
        self.forward |= {(run, step["id"]) for step in steps if forward}

    def accepted(self, before: int) -> Desired:
        """Return the desired state in force when the journal held so many entries: the newest that can be read."""
        commits = [str(e.body["revision"]) for e in self.entries[:before] if e.kind in TAKEN]
        return next(found for each in reversed(commits) if (found := self.wanted[each]) is not None)

    def chain(self, run: str) -> list[str]:
        """Return a run with those whose open leg it took over, newest first."""
        before = self.plans[run]["inherits"]
        return [run, *(self.chain(before) if before else [])]

    def done(self, run: str, step: str) -> int | None:
        """Return when a step of a run was first done."""
        found = [at for (r, s, _), (at, how) in self.results.items() if (r, s, how) == (run, step, "done")]
        return min(found, default=None)

    def done_before(self, run: str, kind: str, service: str, before: int, *, after: int = -1) -> bool:
        """Tell whether a step of a kind was done for a service in a run's leg, in a stretch of the journal."""
        leg = self.chain(run)
        return any(
            how == "done" and after < at < before and r in leg and self._is(r, s, kind, service)
            for (r, s, _), (at, how) in self.results.items()
        )

    def _is(self, run: str, step: str, kind: str, service: str) -> bool:
        known = self.steps.get((run, step), {})
        return known.get("kind") == kind and known.get("service") == service


# ---------------------------------------------------------------- the catalog's edges, worked out anew


@cache
def edges(policy: str) -> frozenset[tuple[str, str]]:
    """Return the hops of Keystone that the catalog's rules allow under a policy."""
    component = load_catalog().service("keystone")
    kinds = {RuleKind.SEQUENTIAL, RuleKind.SLURP} | ({RuleKind.DIRECT} if policy == "offline" else set())
    found = set()
    for low in component.releases:
        for high in component.releases[low.release.index + 1 :]:
            about = [rule for rule in component.rules if _about(rule, low.release.index, high.release.index)]
            no = any(rule.kind in {RuleKind.POISONS, RuleKind.COLLAPSED} for rule in about)
            if not no and any(rule.kind in kinds for rule in about):
                found.add((low.release.id, high.release.id))
    return frozenset(found)


def _about(rule: Rule, low: int, high: int) -> bool:
    releases = load_catalog().service("keystone").releases
    if rule.pairs:
        return (low, high) in rule.pairs
    if low not in rule.origins or high not in rule.goals:
        return False
    if rule.kind is RuleKind.SEQUENTIAL:
        return high == low + 1
    if rule.kind is RuleKind.SLURP:
        between = [each for each in releases[low + 1 : high] if each.release.slurp]
        return releases[low].release.slurp and releases[high].release.slurp and not between
    return rule.when is None or rule.when.holds(marker(releases[low].release.id))


@cache
def marker(release: str) -> Marker:
    return load_catalog().service("keystone").at(release).schema["main"][0]


def same_schema(release: str) -> list[str]:
    """Return the releases that cannot be told apart by their marker."""
    every = load_catalog().service("keystone").releases
    return [each.release.id for each in every if marker(each.release.id) == marker(release)]


# ---------------------------------------------------------------- the laws


def law_1_one_hop_at_a_time_along_allowed_edges(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        if deed.what not in SCHEMA or deed.code != 0:
            continue
        if not deed.was:
            yield f"{deed.key.step} made {deed.now} of a database that held nothing"
            continue
        policy = case.accepted(case.pinned[deed.key.run]).services[deed.service].policy
        starts = same_schema(deed.was)
        # Contract ends the hop that expand began, and a repeated step changes nothing.
        if deed.now not in starts and not any((start, deed.now) in edges(policy) for start in starts):
            yield f"{deed.key.step} took {deed.service} from {deed.was} to {deed.now}, which {policy} does not allow"
        # Where both releases have one schema, to expand it changed nothing: it is not half-way to anywhere.
        half_way = deed.expanded and deed.expanded not in starts
        if half_way and deed.now not in same_schema(deed.expanded):
            yield f"{deed.key.step} went to {deed.now} from a schema half-way to {deed.expanded}"
        if deed.torn:
            yield f"{deed.key.step} ran on a torn schema"


def law_1_one_schema_step_at_a_time(case: Case) -> Iterator[str]:
    open_: dict[str, str] = {}
    for index, entry in enumerate(case.entries):
        step = case.steps.get((entry.run, entry.step), {})
        if step.get("kind") != "schema_sync":
            continue
        off = {each.host for each in case.accepted(index).quarantined}  # somebody answers for it that they are
        if open_.get(step["service"], "").rpartition("@")[2] in off:
            del open_[step["service"]]
        if entry.kind == Kind.INTENT and open_.setdefault(step["service"], entry.step) != entry.step:
            yield f"{entry.step} began while {open_[step['service']]} ran on the same database"
        if entry.kind == Kind.RESULT:
            open_.pop(step["service"], None)


def law_1_host_code_goes_once_per_leg(case: Case) -> Iterator[str]:
    moved = Counter(
        (d.key.run, d.service, d.host) for d in case.deeds if d.what == "switch" and d.was != d.now and _on(case, d)
    )
    yield from (
        f"code of {service} moved {n} times on {host} in {run}" for (run, service, host), n in moved.items() if n > 1
    )


def law_2_each_roles_canary_is_verified_before_any_other_host_of_it_starts_new_code(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        if deed.what not in {"started", "restarted"} or deed.was == deed.now or not _on(case, deed):
            continue
        rolled = [
            step
            for step in case.plans[deed.key.run]["steps"]
            if step["phase"] == "roll" and step["wave"] is not None and step["service"] == deed.service
        ]
        wave = max((step["wave"] for step in rolled if step["host"] == deed.host), default=0)
        led = max((step["wave"] for step in rolled if step["leads"] and step["wave"] <= wave), default=0)
        canary = [step for step in rolled if step["wave"] == led]
        hosts = {step["host"] for step in canary}
        if len(hosts) > 1:
            yield f"{deed.key.run} has {len(hosts)} canaries for {deed.service}: {sorted(hosts)}"
        if deed.host in hosts:
            continue
        missing = [step["id"] for step in canary if not _by(case.done(deed.key.run, step["id"]), deed.at)]
        if missing or not canary:
            yield f"{deed.key.step} started {deed.now} before {missing or 'any canary'} was done"


def law_3_every_effect_has_an_intent_and_happens_once(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        index, epoch = case.intents.get((deed.key.run, deed.key.step, deed.key.attempt), (None, 0))
        if index is None or index >= deed.at:
            yield f"{deed.key} was carried out without an intent"
        elif deed.epoch < epoch:
            yield f"{deed.key} was carried out under epoch {deed.epoch}, recorded under {epoch}"
    counts = Counter((deed.host, deed.key) for deed in case.deeds)
    yield from (f"{key} was carried out {n} times on {host}" for (host, key), n in counts.items() if n > 1)


def law_4_no_host_obeys_an_older_epoch(case: Case) -> Iterator[str]:
    newest: dict[str, int] = {}
    for deed in sorted(case.deeds, key=lambda deed: deed.arrived):  # what was taken in time may end late
        if deed.epoch < newest.get(deed.host, 0):
            yield f"{deed.key} came to {deed.host} under the old epoch {deed.epoch}"
        newest[deed.host] = max(newest.get(deed.host, 0), deed.epoch)


def law_5_plans_follow_the_accepted_revision(case: Case) -> Iterator[str]:
    order = [each.release.id for each in load_catalog().service("keystone").releases]
    accepted = [str(e.body["revision"]) for e in case.entries if e.kind == Kind.REVISION_ACCEPTED]
    yield from (f"{commit} was accepted, and cannot be read" for commit in accepted if case.wanted[commit] is None)
    for run, index in case.pinned.items():
        wanted, plan = case.accepted(index).services, case.plans[run]
        for route in plan["services"]:
            ends = order.index(route["goal"]) - order.index(wanted[route["service"]].release)
            if ends > 0 and plan["direction"] == "forward":
                yield f"{run} goes beyond the accepted goal of {route['service']}"


def law_6_a_backup_set_before_every_schema_step(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        began = case.intents.get((deed.key.run, deed.key.step, deed.key.attempt), (0, 0))[0]
        if deed.what in SCHEMA and not case.done_before(deed.key.run, "backup", deed.service, began):
            yield f"{deed.key.step} of {deed.key.run} ran without a backup before it"


def law_6_no_row_is_lost_without_a_name_under_it(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        said = case.turned.get(deed.key.run, case.pinned[deed.key.run])
        accepts = {accept.what for accept in case.accepted(said).accepts}
        if deed.lost and f"data-loss:{deed.service}" not in accepts:
            yield f"{deed.key.step} of {deed.key.run} lost {', '.join(deed.lost)} of {deed.service}"


def law_6_a_restore_only_after_proof_or_acceptance(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        if deed.what != "restore":
            continue
        run = deed.key.run
        began = case.intents[run, deed.key.step, deed.key.attempt][0]
        said = max(at for at in (case.pinned[run], case.turned.get(run, 0)) if at < began)
        if f"data-loss:{deed.service}" in {accept.what for accept in case.accepted(said).accepts}:
            continue
        # A leg that was left before its seal has started nothing, whether its own run takes it back or a later one.
        leg = case.plans[run]["undoes"] or run
        left = leg != run or run in case.turned or case.plans[run]["inherits"]
        never_started = left and not case.done_before(leg, "seal", deed.service, said)
        if not never_started and not case.done_before(run, "unchanged", deed.service, began, after=said):
            yield f"{deed.key.step} of {run} restored without proof that nothing was written"


def law_6_nothing_is_put_back_before_its_dump_was_read_back(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        if deed.what == "restore":
            run = deed.key.run
            began = case.intents[run, deed.key.step, deed.key.attempt][0]
            # A run that is turned anew, for a loss was accepted, has read its dump back on its first way.
            if not case.done_before(run, "read_back", deed.service, began, after=case.pinned[run]):
                yield f"{deed.key.step} of {run} restored from a dump that nobody had read back"


def law_6_no_service_runs_while_its_database_is_changed_offline(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        if deed.what in {"sync", "restore"} and deed.code == 0 and deed.serving:
            yield f"{deed.key.step} ran while {', '.join(deed.serving)} served {deed.service}"
        at = deed.expanded or deed.was  # what is contracted once more changes nothing
        older = {host: release for host, release in deed.serving.items() if release != at}
        if deed.what == "contract" and older:
            yield f"{deed.key.step} was tried while {older} could not survive it"


def law_6_nothing_starts_on_a_torn_schema(case: Case) -> Iterator[str]:
    for deed in case.deeds:
        if deed.what in {"started", "restarted"} and deed.torn:
            yield f"{deed.key.step} started {deed.service} on a schema torn on the way to {deed.torn}"


def law_7_an_attempt_is_settled_before_the_next(case: Case) -> Iterator[str]:
    retried = [(index, entry.group) for index, entry in enumerate(case.entries) if entry.kind == Kind.HOLD_RELEASED]
    for (run, step, attempt), (index, _) in case.intents.items():
        if attempt == 1:
            continue
        settled, how = case.results.get((run, step, attempt - 1), (index, "nothing"))
        said = any(settled < at < index and group == case.plans[run]["group"] for at, group in retried)
        repeatable = how == "lost" and case.steps[run, step]["repeatable"]
        waited = case.entries[index].at - case.entries[settled].at if settled < index else timedelta()
        old = how == "done" and case.steps[run, step]["phase"] == "preflight" and waited > timedelta(hours=6)
        if settled >= index or not (said or repeatable or old):
            yield f"{step} of {run} was attempted again after {how}, and nobody said retry"


def law_8_nothing_forward_starts_while_suspended_or_halted(case: Case) -> Iterator[str]:
    suspended: set[str] = set()
    halts: dict[str, str] = {}
    in_force: Desired | None = None
    for entry in case.entries:
        match entry.kind:
            case Kind.REVISION_ACCEPTED | Kind.HISTORY_ACCEPTED:
                in_force = case.wanted[str(entry.body["revision"])]
            case Kind.SUSPENDED:
                suspended.add(entry.group)
            case Kind.RESUMED:
                suspended = {each for each in suspended if entry.group and each != entry.group}
            case Kind.HALT_RAISED:
                halts[str(entry.body["id"])] = entry.group
            case Kind.HALT_CLEARED:
                halts.pop(str(entry.body["id"]), None)
            case Kind.INTENT:
                service = in_force and in_force.services.get(case.steps[entry.run, entry.step]["service"])
                if suspended & {"", entry.group} or (service and service.suspended):
                    yield f"{entry.step} began while {entry.group} was suspended"
                if entry.group in halts.values() and (entry.run, entry.step) in case.forward:
                    yield f"{entry.step} began while {entry.group} was halted"


def law_8_what_failed_is_held_until_retry(case: Case) -> Iterator[str]:
    held: set[tuple[str, str]] = set()
    for entry in case.entries:
        if entry.kind == Kind.HALT_RAISED:
            held.add((entry.group, str(entry.body["inputs"])))
        if entry.kind == Kind.HOLD_RELEASED:
            held = {each for each in held if each[0] != entry.group}
        if entry.kind == Kind.PLAN_PINNED and (entry.group, entry.body["plan"]["inputs"]) in held:
            yield f"{entry.run} was begun with inputs that failed before"


def law_9_every_halt_says_why_and_what_to_do(case: Case) -> Iterator[str]:
    ids = Counter(str(entry.body["id"]) for entry in case.entries if entry.kind == Kind.HALT_RAISED)
    yield from (f"halt {name} was raised {n} times" for name, n in ids.items() if n > 1)
    for entry in case.entries:
        if entry.kind == Kind.HALT_RAISED:
            lacking = [key for key in ("reason", "text", "hint") if not str(entry.body[key]).strip()]
            yield from (f"halt {entry.body['id']} has no {key}" for key in lacking)
            if entry.body["reason"] not in set(Reason):
                yield f"halt {entry.body['id']} has the unknown reason {entry.body['reason']}"
            if "the daemon failed while it carried" in str(entry.body["text"]):
                yield f"a defect of the daemon: {entry.body['text']}"


def law_10_no_secret_is_written_down(case: Case) -> Iterator[str]:
    yield from (f"entry {entry.seq} holds a secret" for entry in case.entries if SECRET in str(entry.body))


def law_plans_claim_what_they_change(case: Case) -> Iterator[str]:
    """A group has one run at a time, and no two runs change one service or one host (section 3, Plan).

    A run that only prepares claims nothing yet: it does so from its first step on that touches what serves.
    """
    open_: dict[str, str] = {}  # run to group
    claims: dict[str, set[str]] = {}  # of those that have begun
    left: set[str] = set()  # superseded: open for the one run that goes on with it or takes it back
    for entry in case.entries:
        if entry.kind == Kind.PLAN_PINNED:
            plan = entry.body["plan"]
            for run in left & {plan["inherits"], plan["undoes"]}:
                open_.pop(run)
            left &= set(open_)
            yield from (f"{entry.run} began while {run} was open" for run, g in open_.items() if g == entry.group)
            open_[entry.run] = entry.group
        touches = entry.kind == Kind.INTENT and case.steps[entry.run, entry.step]["phase"] not in PREPARING
        if touches and entry.run not in claims:
            mine = {step[key] for step in case.plans[entry.run]["steps"] for key in ("service", "host") if step[key]}
            others = {run: claims[run] & mine for run in sorted(open_.keys() & claims.keys())}
            yield from (
                f"{entry.run} began while {run} went on: {sorted(both)}" for run, both in others.items() if both
            )
            claims[entry.run] = mine
        if entry.kind == Kind.RUN_ENDED and entry.body["result"] == "superseded":
            left.add(entry.run)
        elif entry.kind == Kind.RUN_ENDED:
            open_.pop(entry.run, None)


def law_the_chain_holds(case: Case) -> Iterator[str]:
    broken = verify(case.entries)
    if broken:
        yield broken.text


def _on(case: Case, deed: Deed) -> bool:
    """Tell whether a deed belongs to a plan forward."""
    return (deed.key.run, deed.key.step) in case.forward


def _by(index: int | None, at: int) -> bool:
    return index is not None and index < at


LAWS = [law for name, law in sorted(globals().items()) if name.startswith("law_")]


def breaches(case: Case) -> list[str]:
    """Return every breach of every law."""
    return [f"{law.__name__}: {breach}" for law in LAWS for breach in law(case)]


# ---------------------------------------------------------------- what a report says


def law_9_every_verdict_explains_itself(report: Report) -> Iterator[str]:
    for decision in report.decisions:
        verdict = decision.verdict
        if not verdict.text.strip() or not verdict.hint.strip() or verdict.reason not in set(Reason):
            yield f"{verdict.group} is {verdict.state} for {verdict.reason!r}: {verdict.text!r}, {verdict.hint!r}"
        if verdict.reason == Reason.DEFECT:
            yield f"a defect of the daemon: {verdict.text}"


def serving(service: Service) -> Service | Deployment:
    """Return the deployment that serves at the goal: the newest that takes over there or before."""
    order = [each.release.id for each in load_catalog().service("keystone").releases]
    due = [each for each in service.replacements if order.index(each) <= order.index(service.release)]
    return service.replacements[due[-1]] if due else service


def law_12_in_sync_is_true(report: Report, fleet: Fleet) -> Iterator[str]:
    """A group that is said to be in sync is: on every host, and in the database; for a fleet at rest."""
    assert report.desired is not None
    grouped = {name: group for group, names in report.desired.groups.items() for name in names}
    states = {decision.verdict.group: decision.verdict.state for decision in report.decisions}
    for name, service in report.desired.services.items():
        if states[grouped.get(name, name)] is not State.IN_SYNC:
            continue
        live = serving(service)
        site = fleet.site(name, live.hosts[0])
        if site.data.torn or (site.data.release not in same_schema(service.release)):
            yield f"{name} is in sync with {service.release}, and its schema is {site.data}"
        for host in live.hosts:
            goal, machine = service.overrides.get(host, service.release), site.machines[host]
            if machine.running != f"/srv/{name}/{goal}" or machine.link != machine.running:
                yield f"{name} is in sync, and {host} runs {machine.running or 'nothing'} instead of {goal}"
