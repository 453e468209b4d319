"""Turns relations between components into arrows: this leg before that one, because of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.domain.rule import Rule, RuleKind
from reconciler.errors import CatalogError
from reconciler.planning.ways import Node, Way


@dataclass(frozen=True, slots=True)
class Arrow:
    """Leg `first` must have ended before leg `then` begins; `text` says in one sentence why."""

    first: Node
    then: Node
    rule: Rule
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Two ways to keep a rule; one of them is enough."""

    options: tuple[Arrow, Arrow]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a leg from ever beginning; `host` is the one that holds it up, empty when it is a whole service."""

    node: Node
    rule: Rule
    text: str
    hint: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A relation that nobody here can keep or check, and that stops nothing."""

    group: str
    rule: Rule
    text: str


Found = Arrow | Choice | Obstacle | Note


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services that a rule relates: `way` is of the component that has the rule, `other` of the one it names."""

    rule: Rule
    way: Way
    other: Way

    @property
    def why(self) -> str:
        """Return the rule's reason, and for whom it holds if not for every fleet."""
        exposed = f" (for {self.rule.exposed}; nothing shows that this fleet is none)" if self.rule.exposed else ""
        return f"{self.rule.reason}{exposed}"

    def index(self, name: str) -> int:
        """Return a release of the other one's series as an index; raises CatalogError."""
        return self.other.component.series.find(name).index

    def obstacle(self, node: Node, text: str, hint: str, host: str = "") -> Obstacle:
        """Word what keeps a leg from beginning."""
        return Obstacle(node, self.rule, f"{text}: {self.why}", hint, host)

    def arrow(self, first: tuple[Way, int], then: tuple[Way, int], text: str) -> Iterator[Arrow | Obstacle]:
        """Yield the arrow from leg to leg, unless the order of the group keeps the rule already."""
        (one, number), (two, leg) = first, then
        if number == 0 or (one.group == two.group and number < leg):
            return
        if one.group != two.group or number > leg:
            yield Arrow(Node(one.group, number), Node(two.group, leg), self.rule, f"{text}: {self.why}")
        elif one.rank > two.rank and one.procedure != two.procedure:
            hint = f"Put {one.service} before {two.service} in group {one.group}."
            text = f"{text}; but group {one.group} takes {two.service} before {one.service}"
            yield self.obstacle(Node(two.group, leg), text, hint)


def relations(ways: Sequence[Way]) -> Iterator[Found]:
    """Yield what the rules of all components ask of the ways of this fleet's services."""
    for way in ways:
        for rule in way.component.rules:
            make = MAKERS.get(rule.kind)
            named = [each for each in ways if make and each.component.name == partner_of(rule)]
            partners = [each for each in named if each.service != way.service]
            if make and not named:
                yield from _unmanaged(way, rule)
            for partner in partners:
                assert make is not None
                yield from _between(make, Pair(rule, way, partner))


def partner_of(rule: Rule) -> str:
    """Return the component that a rule names; empty when it names none."""
    relation = rule.needs or rule.excludes or rule.skew
    return relation.service if relation else ""


def _between(make: Maker, pair: Pair) -> Iterator[Found]:
    unclear = next((each for each in (pair.way, pair.other) if each.start is None), None)
    if unclear is None:
        try:
            yield from make(pair)
        except CatalogError as error:  # a rule of somebody else's catalog may name what is not there
            yield Note(pair.way.group, pair.rule, f"rule {pair.rule.id} cannot be kept: {error}")
        return
    for each in {pair.way.service: pair.way, pair.other.service: pair.other}.values():
        if each.legs:
            text = f"where {unclear.service} stands cannot be told, and {each.service} depends on it"
            hint = f"`reconciler why {unclear.service}` says what is unknown."
            yield pair.obstacle(Node(each.group, 1), text, hint)


def _unmanaged(way: Way, rule: Rule) -> Iterator[Note]:
    if rule.needs and way.start is not None and way.hops_under(rule):
        what = f"{rule.needs.service} at {rule.needs.release} or later"
        yield Note(way.group, rule, f"{way.service} needs {what}, which nobody here moves or checks: {rule.reason}")


# ---------------------------------------------------------------- requires


def _requires(pair: Pair) -> Iterator[Found]:
    way, other, needs = pair.way, pair.other, pair.rule.needs
    assert needs is not None
    wanted = pair.index(needs.release)
    number = other.reaches(wanted)
    for due in _due(pair):
        leg = min(due, len(way.legs))
        text = f"{way.words(leg)} needs {other.service} at {needs.release} or later"
        if number is None:
            hint = f"Give {other.service} the release {needs.release} or a later one in the desired state."
            yield pair.obstacle(Node(way.group, leg), f"{text}, and it is to stay at {other.name(other.goal)}", hint)
            continue
        yield from _left_behind(pair, other, wanted, Node(way.group, leg), text)
        if due == leg:
            yield from pair.arrow((other, number), (way, leg), f"{other.words(number)} comes before {way.words(leg)}")


def _due(pair: Pair) -> Iterator[int]:
    """Yield the legs that wait for the other: those with the hop, or those after it where the other is to follow.

    The last one may be no leg any more: then nothing waits, but the other has to follow all the same.
    """
    way, rule = pair.way, pair.rule
    assert rule.needs is not None
    if rule.needs.when == "before":
        yield from way.hops_under(rule)
        return
    if way.legs and not rule.pairs and way.after(0) in rule.goals:
        yield 1
    yield from (leg + 1 for leg in way.hops_under(rule))


def _left_behind(pair: Pair, way: Way, wanted: int, node: Node, text: str) -> Iterator[Obstacle]:
    """Yield hosts that stay at a release that is too old, and those of which nobody knows what they run."""
    for host, stays in sorted(way.held.items()):
        if stays is None and wanted > 0:
            hint = f"Bring {host} back, or take it out of {way.service}."
            yield pair.obstacle(node, f"{text}, and nobody knows what {host} runs", hint, host)
        elif stays is not None and stays < wanted:
            hint = f"End the override of {host}, or take it out of {way.service}."
            yield pair.obstacle(node, f"{text}, and {host} is held at {way.name(stays)}", hint, host)


# ---------------------------------------------------------------- excludes


def _excludes(pair: Pair) -> Iterator[Found]:
    way, other, excludes = pair.way, pair.other, pair.rule.excludes
    assert excludes is not None
    low = pair.index(excludes.first) if excludes.first else 0
    high = pair.index(excludes.last) if excludes.last else None
    mine, theirs = way.within(pair.rule.goals.low, pair.rule.goals.high), other.within(low, high)
    if mine is None or theirs is None or mine[0] == theirs[0] == 0:
        return  # they never meet, or have met already: then every step away is a good one
    options = [*_leaves(pair, (way, mine), (other, theirs)), *_leaves(pair, (other, theirs), (way, mine))]
    arrows = [each for each in options if each is not None]
    if not options:
        node = Node(way.group, mine[0]) if mine[0] else Node(other.group, theirs[0])
        hint = f"Choose releases of {way.service} and {other.service} that may stand side by side."
        yield pair.obstacle(node, f"{way.service} and {other.service} would meet at these releases", hint)
    elif len(arrows) == len(options):
        yield arrows[0] if len(arrows) == 1 else Choice((arrows[0], arrows[1]))


def _leaves(pair: Pair, one: tuple[Way, tuple[int, int]], two: tuple[Way, tuple[int, int]]) -> Iterator[Arrow | None]:
    """Yield the arrow that lets one leave its stretch before the other enters its own; None: one leg does both."""
    (leaving, (_, last)), (entering, (first, _)) = one, two
    leave = last + 1
    if leave > len(leaving.legs) or first == 0:
        return
    if leaving.group != entering.group:
        text = f"{leaving.words(leave)} comes before {entering.words(first)}, for these releases must not meet"
        yield Arrow(Node(leaving.group, leave), Node(entering.group, first), pair.rule, f"{text}: {pair.why}")
    elif leave <= first:
        yield None


# ---------------------------------------------------------------- skew


def _skew(pair: Pair) -> Iterator[Found]:
    """Keep an agent at or behind its control component, and not farther behind than the rule allows."""
    way, other = pair.way, pair.other
    for leg in range(1, len(way.legs) + 1):
        number = other.reaches(way.after(leg))
        if number is None:
            text = f"{way.words(leg)} would be ahead of {other.service}, which is to stay at {other.name(other.goal)}"
            hint = f"Give {other.service} the release {way.name(way.after(leg))} too."
            yield pair.obstacle(Node(way.group, leg), text, hint)
        else:
            text = f"{other.words(number)} comes before {way.words(leg)}, for {way.service} is never ahead"
            yield from pair.arrow((other, number), (way, leg), text)
    assert pair.rule.skew is not None
    listed = {pair.index(name): pair.index(oldest) for name, oldest in pair.rule.skew.oldest.items()}
    for leg in range(1, len(other.legs) + 1):
        reached = other.after(leg)
        yield from _not_too_old(pair, leg, listed.get(reached, max(0, reached - pair.rule.skew.behind)))


def _not_too_old(pair: Pair, leg: int, oldest: int) -> Iterator[Found]:
    """Let a leg of the control component wait for agents that are older than the oldest it works with."""
    way, other = pair.way, pair.other
    node = Node(other.group, leg)
    text = f"{other.words(leg)} works with {way.service} from {other.name(oldest)} on"
    yield from _left_behind(pair, way, oldest, node, text)
    number = way.reaches(oldest)
    if number is None:
        hint = f"Give {way.service} the release {other.name(oldest)} or a later one, or {other.service} an older one."
        yield pair.obstacle(node, f"{text}, and it is to stay at {way.name(way.goal)}", hint)
    elif number and not (way.group == other.group and number <= leg):
        text = f"{way.words(number)} comes before {other.words(leg)}, which works with {other.name(oldest)} and later"
        yield Arrow(Node(way.group, number), node, pair.rule, f"{text}: {pair.why}")


Maker = Callable[[Pair], Iterator[Found]]

MAKERS: dict[RuleKind, Maker] = {
    RuleKind.REQUIRES: _requires,
    RuleKind.EXCLUDES: _excludes,
    RuleKind.SKEW: _skew,
}
