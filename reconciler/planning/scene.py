"""All that planning looks at, and what it says of groups as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.domain.backup import Trust
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Service
from reconciler.domain.memo import memo
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Observed
from reconciler.domain.plan import Block, Plan, digest_of_all
from reconciler.domain.quarantine import Aside
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.run import History
from reconciler.domain.said import FORM, digest_of_said
from reconciler.domain.step_key import StepKey
from reconciler.gates import gates
from reconciler.planning.relations import Order

NO_ORDER = Order()
"""The order of a fleet in which no rule relates one component to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that planning looks at; `pinned` are plans of other groups that begin in this very pass.

    `order` is that of the legs of all groups, None while it cannot be told because part of the fleet was not looked at.
    `alerts` is what fires, by the alert's name in git; `unseen` are the hosts that nobody can tell of; `free`
    are bytes by host and path; `aside` is what was seen of quarantined hosts; `unheard` are runs, by host, that the
    journal does not know. `now` bears on what has expired, never on what a plan says otherwise; `followed_s` is how
    long the attempt of a step runs that this daemon follows.
    """

    desired: Desired
    catalog: Catalog
    history: History
    now: datetime
    pinned: tuple[Plan, ...] = ()
    order: Order | None = NO_ORDER
    unseen: frozenset[str] = frozenset()
    free: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    alerts: Mapping[str, Observed[tuple[MetricSample, ...]]] = field(default_factory=dict)
    aside: tuple[Aside, ...] = ()
    followed_s: Mapping[StepKey, float] = field(default_factory=dict)
    unheard: Mapping[str, str] = field(default_factory=dict)


@memo
def groups_of(desired: Desired) -> dict[str, tuple[str, ...]]:
    """Return every group with its services; a service that no group names is a group of its own."""
    grouped = {service for members in desired.groups.values() for service in members}
    alone = {name: (name,) for name in desired.services if name not in grouped}
    return dict(sorted({**desired.groups, **alone}.items()))


@memo
def inputs_of(group: str, desired: Desired) -> str:
    """Digest what the desired state says of a group: its services, procedures, hosts and accepted risks.

    When it may move is no part of what it does: windows and what waives gates change no plan, nor what a halt stops.
    """
    services = [desired.services[name] for name in groups_of(desired)[group]]
    names = {service.name for service in services}
    risks = [(each.what.partition(":"), each) for each in desired.accepts]
    accepts = [each for (risk, _, subject), each in risks if subject in names and risk not in gates()]
    value = (
        [replace(service, suspended="") for service in services],
        [desired.procedures.get(service.procedure) for service in services],
        [desired.hosts[name] for service in services for name in hosts_of_service(service)],
        [desired.probes[name] for name in _probes_of(services, desired)],
        accepts,
        group in desired.one_by_one,
        [name for name in sorted(names) if desired.backups_of(name).trust is Trust.RESTORED],
    )
    return digest_of_said(value)


def still_wanted(group: str, inputs: str, scene: Scene) -> bool:
    """Tell whether a digest is of what git says of a group now; of one that is gone it says nothing.

    One of an older form, made by the daemon that this one has replaced, is compared with nothing: it is, as long as no
    commit was accepted since the newest run that bears it began.
    """
    if group not in groups_of(scene.desired):
        return False
    if inputs.startswith(FORM):
        return inputs == inputs_of(group, scene.desired)
    began = [run.started_at for run in scene.history.runs if (run.group, run.plan.inputs) == (group, inputs)]
    accepted_at = scene.history.accepted_at
    return bool(began) and accepted_at is not None and max(began) >= accepted_at


def hosts_of_service(service: Service) -> tuple[str, ...]:
    """Return the hosts of all deployments of a service."""
    return (*service.hosts, *(host for each in service.replacements.values() for host in each.hosts))


def _probes_of(services: Sequence[Service], desired: Desired) -> tuple[str, ...]:
    """Return the probes that the services' procedures name."""
    procedures = [each for service in services if (each := desired.procedures.get(service.procedure))]
    specs = [spec for each in procedures for phase in each.phases for spec in phase.steps]
    specs += [watch.probe for each in procedures for watch in each.watches]
    named = {each for spec in specs for each in spec.args.values() if isinstance(each, str)}
    return tuple(sorted(named & set(desired.probes)))


def accepted_losses(scene: Scene) -> frozenset[str]:
    """Return the services whose data somebody agreed to lose."""
    return accepted("data-loss", scene)


def accepted(risk: str, scene: Scene) -> frozenset[str]:
    """Return what somebody took a risk for; an acceptance holds to the end of its last day, UTC."""
    today = scene.now.date()
    taken = [a.what for a in scene.desired.accepts if a.what.startswith(f"{risk}:") and today <= a.until]
    return frozenset(what.partition(":")[2] for what in taken)


def finished(plan: Plan) -> Plan:
    """Name a plan by the digest of all that it says."""
    head = (plan.group, plan.inputs, plan.direction, plan.undoes, plan.inherits, plan.services, plan.blocked)
    return replace(plan, id=digest_of_all((head, *plan.steps))[:12])


def block(reason: Reason, text: str) -> Block:
    """Say why a plan may not go on, with the hint of the reason."""
    return Block(str(reason), text, TEXTS[reason][1])
