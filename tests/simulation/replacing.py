"""Worlds from seed 300,000 on: Keystone may get a second deployment, on hosts and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import reconciler.catalog
from reconciler.domain.desired import OWN, Canary, Database, Deployment, Desired, Host, Service, Waves
from reconciler.domain.procedure import Procedure
from tests.fakes.fleet import Deed
from tests.simulation.faults import NEWEST, PROCEDURES, RELEASES, happens, one_of
from tests.support.procedures import written
from tests.support.sample import KEYSTONE

if TYPE_CHECKING:
    from tests.simulation.world import World

NEW = ("new1", "new2")
NEW_HOSTS = {name: Host(name=name, address=f"10.0.0.{n}", vars={"port": "5000"}) for n, name in enumerate(NEW, start=4)}
DATABASES = {"main": Database(name="main", url="mysql+pymysql://keystone@newdb/keystone_new")}
RETIRE = (
    '    - {phase: retire, on: deployment old, steps: [{action: command, name: give-up, argv: [give-up, "{host}"]}]}\n'
)


def retiring() -> Procedure:
    """Return the packaged replacement, at whose end the old hosts give something up."""
    text = (Path(reconciler.catalog.__file__).parent / "procedures/replacement.yaml").read_text()
    return written(text.replace("replacement:", "retiring:") + RETIRE)["retiring"]


RETIRING = retiring()
REPLACING = ("replacement", RETIRING.name)


def fitting(wanted: Desired) -> Desired:
    """Let a commit ask for nothing that `validate` refuses: what has further deployments moves by a procedure for them."""
    services = {
        name: replace(each, procedure=REPLACING[0]) if each.replacements and each.procedure not in REPLACING else
        replace(each, procedure=PROCEDURES[0]) if not each.replacements and each.procedure in REPLACING else each
        for name, each in wanted.services.items()
    }  # fmt: skip
    return replace(wanted, services=services)


def replaced(service: Service, at: str) -> Service:
    """Return a service with another deployment that takes its place at a release."""
    kept = ("units", "builds", "config", "commands", "vars", "backup_dir")
    same = {key: getattr(service, key) for key in kept}
    new = Deployment(hosts=NEW, bootstrap=NEW[0], databases=DATABASES, **same)
    own = replace(service, hosts=KEYSTONE.hosts, bootstrap=KEYSTONE.bootstrap, databases=KEYSTONE.databases)
    return replace(own, replacements={at: new}, deployment=OWN)


# ---------------------------------------------------------------- the menu


@happens(
    12, since=NEWEST, release=one_of(*RELEASES[2:]), at=one_of("", "", "", *RELEASES), procedure=one_of(*REPLACING)
)
def replace_the_deployment(world: World, release: str, at: str, procedure: str) -> None:
    """Ask for a second deployment at the goal, or at another release."""
    keystone = replace(world.wanted_now.services["keystone"], release=release, procedure=procedure)
    _ask_for(world, replaced(keystone, at or release))


@happens(1, since=NEWEST)
def forget_the_replacement(world: World) -> None:
    """Take the second deployment out of git, whether it is live or not."""
    _ask_for(world, replace(world.wanted_now.services["keystone"], replacements={}, deployment=""))


@happens(1, since=NEWEST)
def make_the_replacement_the_own(world: World) -> None:
    """Make the keys of the second deployment the service's own, as one does once it is live for good."""
    keystone = replace(world.wanted_now.services["keystone"], replacements={}, deployment="", overrides={})
    _ask_for(world, replace(keystone, hosts=NEW, bootstrap=NEW[0], databases=DATABASES))


def _ask_for(world: World, keystone: Service) -> None:
    world.want_all(replace(world.wanted_now, services={**world.wanted_now.services, "keystone": keystone}))


@happens(5, since=NEWEST, host=one_of(*NEW), how=one_of("cut", "mend", "mend", "reboot", "api", "unit", "config"))
def befall_a_new_host(world: World, host: str, how: str) -> None:
    """Let something happen to a host of the second deployment."""
    machine = world.fleet.sites["keystone@new"].machines[host]
    match how:
        case "cut":
            world.fleet.hosts.cut(host)
        case "mend":
            world.fleet.hosts.mend(host)
        case "reboot":
            world.fleet.reboot(host)
        case "api":
            world.fleet.dead_apis ^= {host}
        case "unit":
            machine.running, machine.started_at = "", None
        case "config" if machine.stamp:
            machine.stamp, machine.changed_at = "bad0", world.clock.now()


@happens(2, since=NEWEST, seconds=one_of(0.0, 5.0, 20.0), size=one_of(1, 2))
def change_how_waves_go(world: World, seconds: float, size: int) -> None:
    """Let canaries soak, and waves be larger."""
    changes = {"canary": Canary(soak_s=seconds), "waves": Waves(sizes=(size,))}
    services = {name: replace(each, **changes) for name, each in world.wanted_now.services.items()}
    world.want_all(replace(world.wanted_now, services=services))


# ---------------------------------------------------------------- the judge


def misplaced(deeds: Sequence[Deed]) -> Iterator[str]:
    """Yield what was done to one deployment while another one served: it was not done for what people write by then."""
    for deed in deeds:
        if deed.beside and deed.code == 0 and deed.what in {"load", "sync", "started", "restarted"}:
            yield f"{deed.key} did {deed.what} on {deed.host} while {', '.join(deed.beside)} served {deed.service}"
