"""What a catalog asks of this fleet, once it is known to which rules the fleet is exposed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired
from reconciler.domain.memo import memo
from reconciler.domain.observation import Known, Observations, Observed, Unknown
from reconciler.domain.relation import Finding
from reconciler.domain.rule import Rule
from reconciler.planning.scene import Scene, accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of the catalog that bears on a service of the fleet."""

    service: str
    rule: Rule


def questions(desired: Desired, catalog: Catalog) -> tuple[Asked, ...]:
    """Return what the fleet is to be asked: for each service every rule that says how to find out."""
    return tuple(
        Asked(service=name, rule=rule)
        for name, service in desired.services.items()
        for rule in catalog.service(service.component).rules
        if rule.exposure is not None and rule.exposure.asks
    )


def bound(scene: Scene, seen: Observations) -> Scene:
    """Return the scene with the catalog as it binds this fleet.

    A rule to which the fleet is known not to be exposed, or of which somebody said so, is left out. One to which it is
    exposed, or nobody can tell, holds like a rule without condition, and says why. What only a person can tell stays.
    """
    return replace(scene, catalog=_bound(scene.desired, scene.catalog, seen, accepted("not-exposed", scene)))


@memo
def _bound(desired: Desired, catalog: Catalog, seen: Observations, said: frozenset[str]) -> Catalog:
    fitted: dict[str, tuple[Rule, ...]] = {}
    for component in {service.component for service in desired.services.values()}:
        rules = catalog.service(component).rules
        fitting = tuple(_fitted(rules, component, said, desired, seen))
        if fitting != rules:
            fitted[component] = fitting
    if not fitted:
        return catalog
    services = {name: replace(catalog.service(name), rules=rules) for name, rules in fitted.items()}
    return replace(catalog, services={**catalog.services, **services})


def together(answers: Iterable[Observed[Finding] | None]) -> Finding | Unknown | None:
    """Sum up the answers of all services of a component; None when none was asked.

    One that is exposed is enough; after that one that nobody can tell of; only all of them are not exposed.
    """
    known = list(answers)
    exposed = [each.value for each in known if isinstance(each, Known) and each.value.exposed]
    unknown = [each for each in known if isinstance(each, Unknown)]
    clear = [each.value for each in known if isinstance(each, Known)]
    if exposed or unknown:
        return exposed[0] if exposed else unknown[0]
    return clear[0] if clear and len(clear) == len(known) else None


def _fitted(
    rules: Iterable[Rule], component: str, said: frozenset[str], desired: Desired, seen: Observations
) -> Iterator[Rule]:
    names = [name for name, service in desired.services.items() if service.component == component]
    for rule in rules:
        if not rule.exposed:
            yield rule
            continue
        if rule.id in said:
            continue
        answer = together(seen.exposures.get((name, rule.id)) for name in names)
        if answer is None:
            yield rule
        elif isinstance(answer, Unknown):
            yield _holding(rule, f"nobody can tell whether this fleet is: {answer.text}")
        elif answer.exposed:
            yield _holding(rule, f"this fleet is: {answer.text}")


def _holding(rule: Rule, why: str) -> Rule:
    return replace(rule, reason=f"{rule.reason} For {rule.exposed}; {why}.", exposed="", exposure=None)
