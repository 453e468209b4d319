"""Finds at plan time what fights the target: holds on packages, builds that are pinned, overrides past their day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reconciler.domain.build import Build
from reconciler.domain.desired import Host, Service
from reconciler.domain.plan import Block
from reconciler.domain.reasons import Reason
from reconciler.planning.build import build_for
from reconciler.planning.leg import Leg
from reconciler.planning.position import goal_of, version_of
from reconciler.planning.scene import Scene, accepted

NAMED = 5
"""How many hosts a sentence names."""


def pins_of(leg: Leg, scene: Scene) -> Iterator[Block]:
    """Yield what would keep a leg from leaving its hosts on their target, or what it would override unasked."""
    service = leg.service
    yield from _expired(service, scene)
    yield from _pinned(leg, scene)
    if service.name not in accepted("hold", scene):
        yield from _holds(leg, scene)


def _expired(service: Service, scene: Scene) -> Iterator[Block]:
    for host, term in sorted(service.override_terms.items()):
        if scene.now.date() > term.until:
            text = f"{service.name}: the override of {host} to {term.release} ended on {term.until}: {term.reason}"
            hint = f"Take it out, so that {host} follows, or give it a later day."
            yield Block(str(Reason.OVERRIDE_EXPIRED), text, hint)


def _pinned(leg: Leg, scene: Scene) -> Iterator[Block]:
    """Yield a release that is the same code as the one before it, by the word of the desired state."""
    for start, goal in leg.hops if leg.moving else ():
        one, two = _build(leg, leg.moving[0], start, scene), _build(leg, leg.moving[0], goal, scene)
        if one and two and _code(one) and _code(one) == _code(two):
            text = f"{leg.service.name}: its builds make {goal} the same as {start}: {', '.join(_code(two))}"
            hint = "Put {release} or {version} into the build, or give each release a build of its own."
            yield Block(str(Reason.PINNED), text, hint)


def _code(build: Build) -> tuple[str, ...]:
    """Return what a build pins, as text; nothing where it leaves all to others."""
    return (
        *(f"{name}=={version}" for name, version in sorted(build.versions.items())),
        *(f"{name}={version}" for name, version in sorted(build.packages.items())),
        *sorted(each.image for each in build.containers),
    )


def _build(leg: Leg, host: Host, release: str, scene: Scene) -> Build | None:
    return build_for(leg.service, host, release, version_of(leg.service, scene.catalog, release))


def _holds(leg: Leg, scene: Scene) -> Iterator[Block]:
    """Yield packages that somebody holds at a version which is neither the target's nor one that git names.

    A hold at the version that the desired state gives for the release where the host stands is no obstacle: that is
    what we leave behind ourselves.
    """
    held: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for host in leg.moving:
        at = leg.standing.get(host.name)
        if at is None or not at.held:
            continue
        target = _build(leg, host, leg.stops[-1] if leg.hops else goal_of(leg.service, host.name), scene)
        if target is None:
            continue
        known = _build(leg, host, at.release, scene) if at.release else None
        for name in sorted(at.held & set(target.packages)):
            version = (at.packages or {}).get(name, "")
            if version not in {target.packages[name], known.packages.get(name) if known else None}:
                held[name, version, target.packages[name]].append(host.name)
    for (name, version, wanted), hosts in held.items():
        text = f"{leg.service.name}: {name} is held at {version} on {_few(hosts)}, and is to become {wanted}"
        hint = f"`apt-mark unhold {name}` there, or accept `hold:{leg.service.name}` to have the hold moved."
        yield Block(str(Reason.PACKAGE_HELD), text, hint)


def _few(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - NAMED} more" if len(hosts) > NAMED else ""
    return ", ".join(hosts[:NAMED]) + more
