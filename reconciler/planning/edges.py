"""Whether one hop may be taken, and which rules say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from reconciler.domain.catalog import Service, ServiceRelease
from reconciler.domain.release import Release, Series
from reconciler.domain.route import VERDICTS, EdgeVerdict, Hop, HopGate, HopKind, Reason, Refusal, RoutePolicy
from reconciler.domain.rule import ADMITTING, REFUSING, Rule, RuleKind, SchemaTest

ADMITTED_BY = {
    RoutePolicy.SUPPORTED: (RuleKind.SEQUENTIAL, RuleKind.SLURP, RuleKind.SKIP),
    RoutePolicy.OFFLINE: ADMITTING,
}
OURS = "docs/reference/catalog.md, How a hop is judged"


@dataclass(frozen=True, slots=True)
class Edge:
    """Two releases of one service, the older first."""

    service: Service
    start: ServiceRelease
    goal: ServiceRelease

    @property
    def places(self) -> tuple[int, int]:
        """The indexes of both in the series."""
        return self.start.release.index, self.goal.release.index


@dataclass(frozen=True, slots=True)
class Hops:
    """The rules of a service that decide whether an edge is a hop: quick where nothing more is asked."""

    admitting: tuple[Rule, ...]
    against: tuple[Rule, ...]

    @classmethod
    def of(cls, service: Service, policy: RoutePolicy) -> Hops:
        """Pick the rules that decide under a policy."""
        admits = ADMITTED_BY[policy]
        return cls(
            admitting=tuple(rule for rule in service.rules if rule.kind in admits),
            against=tuple(rule for rule in service.rules if rule.kind in REFUSING or rule.kind is RuleKind.GATE),
        )

    def hop(self, edge: Edge) -> bool:
        """Say whether `judge_hop` would return a hop."""
        return any(applies(rule, edge) for rule in self.admitting) and not any(
            refuses(rule, edge) and applies(rule, edge) for rule in self.against
        )


def judge_hop(edge: Edge, policy: RoutePolicy) -> Hop | Refusal:
    """Return the hop with its reasons and gates, or why it may not be taken.

    A refusing rule outweighs every admitting one; a gate that no code from the start on can meet refuses.
    """
    rules = [rule for rule in edge.service.rules if applies(rule, edge)]
    against = next((rule for rule in rules if refuses(rule, edge)), None)
    if against:
        return replace(_refusal(edge, _reason(against)), verdict=VERDICTS[against.kind])
    admitting = _best([rule for rule in rules if rule.kind in ADMITTED_BY[policy]])
    if not admitting:
        return _refusal(edge, _unadmitted(edge, rules, policy))
    return Hop(
        start=edge.start.release.id,
        goal=edge.goal.release.id,
        kind=HopKind(admitting[0].kind.value),
        reasons=tuple(_reason(rule) for rule in admitting),
        gates=tuple(_gate(rule) for rule in rules if _conditional(rule)),
    )


def gates_of(edge: Edge, stops: str) -> tuple[Rule, ...]:
    """Return the gates of a hop that are about rows, which stop its sync or the start of its services."""
    return tuple(rule for rule in edge.service.rules if rule.rows and rule.stops == stops and applies(rule, edge))


def verdict_on(edge: Edge) -> EdgeVerdict | None:
    """Say what the goal's code does with the schema of the start; None: no rule tells."""
    judged = judge_hop(edge, RoutePolicy.OFFLINE)
    return EdgeVerdict.OK if isinstance(judged, Hop) else judged.verdict


def applies(rule: Rule, edge: Edge) -> bool:
    """Say whether a rule is about this hop; one about where services stand is about none."""
    if rule.kind in (RuleKind.EXCLUDES, RuleKind.SKEW):
        return False
    start, goal = edge.places
    if rule.pairs:
        return (start, goal) in rule.pairs
    if start not in rule.origins or goal not in rule.goals:
        return False
    if rule.kind is RuleKind.SEQUENTIAL:
        return goal == start + 1
    if rule.kind is RuleKind.SLURP:
        return _slurp_pair(edge.service.series, edge.start.release, edge.goal.release)
    return rule.when is None or _test(rule.when, edge)


def _slurp_pair(series: Series, start: Release, goal: Release) -> bool:
    return start.slurp and series.next_slurp(start) == goal


def _test(when: SchemaTest, edge: Edge) -> bool:
    """Put the question to the marker of the start's last package; without a database nothing holds."""
    markers = edge.start.schema.get(when.database, ())
    return bool(markers) and when.holds(markers[0], edge.service.database(when.database).ancestry(markers[0].alembic))


def refuses(rule: Rule, edge: Edge) -> bool:
    """Say whether a rule that is about a hop refuses it."""
    if rule.kind is RuleKind.GATE:
        return rule.met_by is not None and edge.start.release.index < rule.met_by.low
    return rule.kind in REFUSING and not rule.exposed


def _conditional(rule: Rule) -> bool:
    return rule.kind in (RuleKind.GATE, RuleKind.REQUIRES) or bool(rule.exposed)


def _best(rules: list[Rule]) -> list[Rule]:
    """Keep the rules of the strongest kind: sequential before slurp before skip before direct."""
    kind = min((rule.kind for rule in rules), key=ADMITTING.index, default=None)
    return [rule for rule in rules if rule.kind is kind]


def _gate(rule: Rule) -> HopGate:
    exposed = f"Only for {rule.exposed}:" if rule.exposed else ""
    return HopGate(
        id=rule.id,
        text=" ".join(part for part in (exposed, rule.reason, rule.meet) if part),
        needs=rule.needs,
    )


def _reason(rule: Rule) -> Reason:
    return Reason(rule=rule.id, text=rule.reason, source=rule.source)


def _refusal(edge: Edge, reason: Reason) -> Refusal:
    return Refusal(start=edge.start.release.id, goal=edge.goal.release.id, reason=reason)


def _unadmitted(edge: Edge, rules: list[Rule], policy: RoutePolicy) -> Reason:
    """Word why nothing admits the hop."""
    start, goal = edge.start.release.id, edge.goal.release.id
    by_code = next((rule for rule in rules if rule.kind is RuleKind.DIRECT), None)
    if policy is RoutePolicy.SUPPORTED and by_code:
        text = (
            f"Upstream does not support {start} to {goal} in one hop, "
            "though the code takes the schema with services stopped (policy offline)."
        )
        return Reason(rule="not-supported", text=text, source=by_code.source)
    if policy is RoutePolicy.SUPPORTED:
        text = f"Upstream does not support {start} to {goal} in one hop."
        return Reason(rule="not-supported", text=text, source=OURS)
    text = f"No rule of the catalog says that the code of {goal} takes a schema of {start}."
    return Reason(rule="not-known", text=text, source=OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is known of one hop: `verdict` is what admits it, or else why not; `rule` decides."""

    start: str
    goal: str
    verdict: str
    rule: str
    text: str


def edges_of(service: Service) -> Iterator[Judged]:
    """Yield every hop of a service.

    The verdict is the kind that admits it when upstream supports it, `direct` when only the code takes it with
    services stopped, else what the code does, and `unknown` where no rule tells.
    """
    for start, goal in combinations(service.releases, 2):
        edge = Edge(service, start, goal)
        supported = judge_hop(edge, RoutePolicy.SUPPORTED)
        judged = supported if isinstance(supported, Hop) else judge_hop(edge, RoutePolicy.OFFLINE)
        if isinstance(judged, Hop):
            verdict, reason = judged.kind.value, judged.reasons[0]
        else:
            verdict, reason = judged.verdict.value if judged.verdict else "unknown", judged.reason
        yield Judged(
            start=edge.start.release.id, goal=goal.release.id, verdict=verdict, rule=reason.rule, text=reason.text
        )
