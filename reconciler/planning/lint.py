"""Looks for what is wrong with a catalog although every file of it has the right form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from reconciler.catalog.names import wrong_names
from reconciler.domain.catalog import Catalog, Service, ServiceRelease
from reconciler.domain.rule import ADMITTING, RELATING, Note, Rule, RuleKind
from reconciler.planning.edges import Edge, applies, refuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: `check` names the kind, `subject` a release or rule of the service."""

    service: str
    check: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class _Hop:
    """A hop with the rules that are about it."""

    edge: Edge
    rules: tuple[Rule, ...]

    @property
    def words(self) -> str:
        return f"{self.edge.start.release.id} to {self.edge.goal.release.id}"


def lint(catalog: Catalog) -> tuple[Finding, ...]:
    """Return every finding, service by service.

    Raises:
        CatalogError: a file cannot be read at all.
    """
    found: list[Finding] = []
    alive: dict[str, set[str]] = defaultdict(set)
    for service in catalog.services.values():
        hops = tuple(_hops(service))
        for hop in hops:
            alive[service.series.name] |= {rule.id for rule in hop.rules}
        found += [*_placed(service, hops), *_sourced(service), *_contradictions(service, hops), *_markers(service)]
        found += _partners(service, catalog)
    for service in catalog.services.values():
        found += _dead(service, alive[service.series.name])
    return tuple(sorted(found, key=lambda each: (each.service, each.check, each.subject)))


def _hops(service: Service) -> Iterator[_Hop]:
    for start, goal in combinations(service.releases, 2):
        edge = Edge(service, start, goal)
        yield _Hop(edge, tuple(rule for rule in service.rules if applies(rule, edge)))


# ---------------------------------------------------------------- the checks


def _placed(service: Service, hops: Sequence[_Hop]) -> Iterator[Finding]:
    """Every release is in the line without a gap, and some rule says of it how it is reached or left."""
    if not service.releases:
        yield Finding(service=service.name, check="placed", subject=service.name, text="it has no release at all")
        return
    has = {each.release.index for each in service.releases}
    for release in service.series.releases[min(has) : max(has) + 1]:
        if release.index not in has:
            ends = f"{service.releases[0].release.id} and {service.releases[-1].release.id}"
            text = f"{release.id} is missing between {ends}"
            yield Finding(service=service.name, check="placed", subject=release.id, text=text)
    spoken = {
        index
        for hop in hops
        if any(r.kind in ADMITTING or refuses(r, hop.edge) for r in hop.rules)
        for index in hop.edge.places
    }
    for index in sorted(has - spoken) if len(has) > 1 else ():
        name = service.series.releases[index].id
        text = f"no rule says how {name} is reached or left"
        yield Finding(service=service.name, check="placed", subject=name, text=text)


def _sourced(service: Service) -> Iterator[Finding]:
    said: tuple[Rule | Note, ...] = (*service.rules, *service.notes)
    for each in said:
        if not each.source.strip(" ?.-") or each.source.strip().upper().startswith(("TODO", "TBD", "FIXME")):
            yield Finding(
                service=service.name, check="sourced", subject=each.id, text="nothing says where it comes from"
            )


def _contradictions(service: Service, hops: Sequence[_Hop]) -> Iterator[Finding]:
    """Two rules that name the very same hop must not say the opposite; a gate must be met by some release."""
    for hop in hops:
        named = [rule for rule in hop.rules if rule.pairs]
        yes = next((rule for rule in named if rule.kind in ADMITTING), None)
        no = next((rule for rule in named if refuses(rule, hop.edge)), None)
        if yes and no:
            text = f"{hop.words} is admitted here and refused by {no.id}, and both name it"
            yield Finding(service=service.name, check="contradiction", subject=yes.id, text=text)
    places = [each.release.index for each in service.releases]
    for rule in service.rules:
        for key, span in (("met_by", rule.met_by), ("cured_by", rule.cured_by)):
            if span is not None and not any(index in span for index in places):
                text = f"{key} names releases that {service.name} does not have: nobody can meet it"
                yield Finding(service=service.name, check="contradiction", subject=rule.id, text=text)


def _dead(service: Service, alive: set[str]) -> Iterator[Finding]:
    """A hop rule must be about some hop of a service of its series; one of its own that never decides is dead too."""
    for rule in service.rules:
        if rule.kind not in (RuleKind.EXCLUDES, RuleKind.SKEW) and rule.id not in alive:
            text = "it is about no hop of any release that the catalog has"
            yield Finding(service=service.name, check="dead", subject=rule.id, text=text)


def _markers(service: Service) -> Iterator[Finding]:
    """Releases that share the markers of all databases must follow each other: then they share the schema."""
    shared: dict[str, list[ServiceRelease]] = defaultdict(list)
    for each in service.releases:
        if each.schema:
            key = {
                name: (sorted(m[0].alembic), sorted(m[0].migrate.items())) for name, m in sorted(each.schema.items())
            }
            shared[str(key)].append(each)
    for releases in shared.values():
        for one, two in pairwise(releases):
            if two.release.index != one.release.index + 1:
                text = f"its markers are those of {one.release.id}, but not of what lies between"
                yield Finding(service=service.name, check="markers", subject=two.release.id, text=text)


def _partners(service: Service, catalog: Catalog) -> Iterator[Finding]:
    """What a rule says of another component must be there."""
    for rule in service.rules:
        if rule.kind in RELATING:
            for text in wrong_names(rule, service.series, catalog):
                yield Finding(service=service.name, check="relation", subject=rule.id, text=text)
