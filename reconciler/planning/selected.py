"""On which hosts a phase is done, and in which rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.domain.desired import Host, Service
from reconciler.domain.procedure import Phase, PhaseSpec, Selector
from reconciler.planning.leg import Leg
from reconciler.planning.setting import UnfitError
from reconciler.planning.waves import by_role, canary_of, waves

NOWHERE = frozenset({Selector.DAEMON, Selector.PERSON})
MANY = frozenset(
    {Selector.WAVE, Selector.FIRST, Selector.OTHERS, Selector.ROLE, Selector.MOVED, Selector.PENDING, Selector.FLEET}
)
"""Selectors of hosts that move: services that share hosts go through these together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Hosts that go side by side; no name stands for no host. `onto` are those that went just before.

    `leads` is the role that its only host is the canary of, where the service goes over several.
    """

    hosts: tuple[str, ...]
    wave: int | None = None
    leads: str = ""
    onto: tuple[str, ...] = ()

    def before(self, place: int) -> str:
        """Return the host onto which the one at a place may drain."""
        return self.onto[place % len(self.onto)] if self.onto else ""


@dataclass(slots=True)
class Moved:
    """What roll phases have moved so far: hosts with their wave, and those of the newest round."""

    waves: dict[str, int] = field(default_factory=dict)
    newest: tuple[str, ...] = ()
    highest: int = -1

    def note(self, rounds: Sequence[Round]) -> None:
        """Take in what a roll phase moves."""
        for each in rounds:
            if each.wave is not None:
                self.waves |= {host: each.wave for host in each.hosts if host not in self.waves}
                self.newest, self.highest = each.hosts, max(self.highest, each.wave)

    def next(self, hosts: Sequence[str]) -> int:
        """Number a round: hosts of wave 0 stay there, others come after all that went."""
        if self.waves and all(self.waves.get(host) == 0 for host in hosts):
            return 0
        return self.highest + 1


def owner_of(phase: PhaseSpec, leg: Leg, services: Mapping[str, Service]) -> Service:
    """Return the service, or the deployment of it, whose hosts a phase is on; raises UnfitError."""
    if phase.on is Selector.SERVICE:
        return services[phase.subject]
    if phase.on is Selector.DEPLOYMENT and phase.subject == "old":
        if leg.old is None:
            raise UnfitError(
                f"procedure {leg.procedure.name} replaces a deployment, and {leg.service.name} has one only"
            )
        return leg.old
    return leg.service


def rounds(phase: PhaseSpec, crew: Sequence[Leg], moved: Moved, owner: Service) -> tuple[Round, ...]:
    """Return the rounds of a phase for services that share hosts, or for one alone."""
    if phase.on in NOWHERE:
        return (Round(hosts=("",)),)
    hosts, common = _chosen(phase, crew, moved, owner)
    if phase.on is Selector.WAVE:
        moving = [host for host in hosts if not isinstance(host, str)]
        found = waves(crew[0].service, moving, common, crew[0].there)
        return tuple(_numbered([(tuple(host.name for host in wave.hosts), wave.leads) for wave in found], moved))
    names = tuple(host if isinstance(host, str) else host.name for host in hosts)
    if phase.phase is Phase.ROLL and phase.on is not Selector.BOOTSTRAP:
        return tuple(_numbered(_rolled(names, phase, crew, moved), moved))
    return tuple(_in_turn(names, rolling=phase.rolling, moved=moved, roll=phase.phase is Phase.ROLL))


def _chosen(
    phase: PhaseSpec, crew: Sequence[Leg], moved: Moved, owner: Service
) -> tuple[Sequence[Host] | Sequence[str], Sequence[Host]]:
    """Return the hosts of a phase, and those of them that every service of the crew is on."""
    everyone = list({host.name: host for leg in crew for host in leg.moving}.values())
    common = [host for host in everyone if all(host.name in leg.names for leg in crew)]
    canary = canary_of(crew[0].service, common or everyone, crew[0].there) if everyone else None
    chosen: Sequence[Host] | Sequence[str] = everyone
    match phase.on:
        case Selector.BOOTSTRAP:
            chosen = (owner.bootstrap,)
        case Selector.SERVICE | Selector.DEPLOYMENT:
            chosen = owner.hosts
        case Selector.FIRST:
            chosen = [host for host in everyone if host is canary]
        case Selector.OTHERS:
            chosen = [host for host in everyone if host is not canary]
        case Selector.ROLE:
            chosen = [host for host in everyone if phase.subject in host.roles]
        case Selector.MOVED:
            chosen = [host for host in everyone if host.name in moved.waves]
        case Selector.PENDING:
            chosen = [host for host in everyone if host.name not in moved.waves]
    return chosen, common


Part = tuple[tuple[str, ...], str]
"""Hosts that are rolled side by side, and the role that they lead."""


def _rolled(names: tuple[str, ...], phase: PhaseSpec, crew: Sequence[Leg], moved: Moved) -> Iterator[Part]:
    """Divide hosts that are rolled: of each role the first one alone, unless one of their kind has gone before."""
    kinds = _kinds(crew)
    for role in dict.fromkeys(kinds.get(name, "") for name in names):
        part = tuple(name for name in names if kinds.get(name, "") == role)
        kin = part if phase.on is Selector.ROLE else [name for name in moved.waves if kinds.get(name, "") == role]
        first, rest = (part[:0], part) if any(name in moved.waves for name in kin) else (part[:1], part[1:])
        yield first, role
        yield from ((((name,), "") for name in rest) if phase.rolling else ((rest, ""),))


def _kinds(crew: Sequence[Leg]) -> Mapping[str, str]:
    """Return the role under which each host moves, none where the service has but one."""
    everyone = {host.name: host for leg in crew for host in leg.moving}
    parts = by_role(crew[0].service, everyone.values()).items()
    return {host.name: role for role, members in parts for host in members}


def _numbered(found: Iterator[Part] | Sequence[Part], moved: Moved) -> Iterator[Round]:
    """Number waves on from those before; each knows which hosts went just before it."""
    so_far = Moved(dict(moved.waves), moved.newest, moved.highest)
    for hosts, leads in found:
        if hosts:
            each = Round(hosts=hosts, wave=so_far.next(hosts), leads=leads, onto=so_far.newest)
            so_far.note((each,))
            yield each


def _in_turn(names: tuple[str, ...], *, rolling: bool, moved: Moved, roll: bool) -> Iterator[Round]:
    """Divide hosts that are not moved: all at once, or one after the other."""
    before: tuple[str, ...] = ()
    for hosts in ((name,) for name in names) if rolling else (names,):
        yield Round(hosts=hosts, wave=moved.next(hosts) if roll else None, onto=before)
        before = hosts
