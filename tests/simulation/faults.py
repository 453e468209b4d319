"""The menu of what happens to a fleet, its repository, its store and its daemon. Each entry says how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

from reconciler.domain.desired import Accept, ConfigFile, Service
from reconciler.domain.window import Window
from tests.fakes.journal import Fault
from tests.scenarios.stage import BROKEN_CONFIG
from tests.scenarios.test_savepoint import STOPS
from tests.simulation.weather import CALM, Weather, drawn

if TYPE_CHECKING:
    from tests.simulation.world import World

Draw = Callable[[Random], Any]

RELEASES = ("yoga", "zed", "2023.1", "2023.2", "2024.1", "2025.1", "2026.1", "2026.2")
PROCEDURES = ("fast-forward", "downtime", "zero-downtime")
HOSTS = ("ks1", "ks2", "ks3")
FOREVER = date(2099, 1, 1)


@dataclass(frozen=True)
class Entry:
    """One thing that may happen: how often beside others, what is drawn for it, and what it does."""

    weight: int
    draws: dict[str, Draw]
    act: Callable[..., None]
    since: int = 0


MENU: dict[str, Entry] = {}

LATER, LATEST, NEWEST = 100_000, 200_000, 300_000
"""From these seeds on later entries are on the menu too: a seed before goes on to mean the life that it meant."""


def menu_of(seed: int) -> dict[str, Entry]:
    """Return what may happen in the life of a seed."""
    return {name: entry for name, entry in MENU.items() if seed >= entry.since}


def happens(weight: int, *, since: int = 0, **draws: Draw) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put a function on the menu, under its own name."""

    def on_the_menu(act: Callable[..., None]) -> Callable[..., None]:
        MENU[act.__name__] = Entry(weight, draws, act, since)
        return act

    return on_the_menu


def one_of(*values: Any) -> Draw:
    return lambda rng: rng.choice(values)


def upto(most: int) -> Draw:
    return lambda rng: rng.randint(1, most)


a_host = one_of("ks1", *HOSTS)  # the first is bootstrap and canary: most happens there


def a_goal(rng: Random) -> dict[str, str]:
    """Draw what a commit asks of services."""
    return {
        "release": rng.choice(RELEASES),
        "procedure": rng.choice(PROCEDURES),
        "policy": rng.choice(("offline", "offline", "supported")),
        "config": rng.choice(("plain", "plain", "plain", "other", "broken")),
        "override": rng.choice(("", "", "", "", "", "", "ks3", "ks1")),
        "suspended": rng.choice(("", "", "", "", "", "storm")),
    }


# ---------------------------------------------------------------- git


@happens(6, goal=a_goal, which=one_of("first", "last", "all"))
def change_the_goal(world: World, goal: dict[str, str], which: str) -> None:
    names = list(world.wanted_now.services)
    chosen = {"first": names[:1], "last": names[-1:], "all": names}[which]
    services = [aimed(s, goal) if s.name in chosen else s for s in world.wanted_now.services.values()]
    world.want_all(replace(world.wanted_now, services={service.name: service for service in services}))


def aimed(service: Service, goal: dict[str, str]) -> Service:
    """Return a service with another goal."""
    override = {goal["override"]: "yoga"} if goal["override"] else {}
    changes: dict[str, Any] = {key: goal[key] for key in ("release", "procedure", "policy", "suspended")}
    return replace(service, **changes, overrides=override, config=_config(service.name, goal["config"]))


def _config(name: str, kind: str) -> dict[str, tuple[ConfigFile, ...]]:
    if kind == "broken":
        return BROKEN_CONFIG
    text = "[DEFAULT]\nregion = {region}\n" + ("connection = {secret:db}\n" if kind == "other" else "")
    return {"*": (ConfigFile(path=f"/etc/{name}/{name}.conf", template=text),)}


@happens(3, which=upto(30))
def revert(world: World, which: int) -> None:
    """Commit what an earlier commit wanted."""
    earlier = [wanted for wanted in world.wanted.values() if wanted is not None]
    world.want_all(earlier[-1 - which % len(earlier)])


@happens(3)
def go_back_to_the_start(world: World) -> None:
    """The most usual revert, and often enough to be met in mid-run."""
    services = {name: replace(service, release="yoga") for name, service in world.wanted_now.services.items()}
    world.want_all(replace(world.wanted_now, services=services))


@happens(1)
def commit_nonsense(world: World) -> None:
    world.commit(None)


@happens(1)
def commit_something_unrelated(world: World) -> None:
    world.commit(world.wanted_now)


@happens(1, count=upto(10))
def commit_many_at_once(world: World, count: int) -> None:
    for n in range(count):
        world.commit(world.wanted_now if n % 3 else None)


@happens(2)
def accept_losses(world: World) -> None:
    names = world.wanted_now.services
    accepts = tuple(Accept(what=f"data-loss:{name}", by="ada", reason="a test", until=FOREVER) for name in names)
    world.want_all(replace(world.wanted_now, accepts=() if world.wanted_now.accepts else accepts))


@happens(1, layout=one_of("group", "apart", "first only"))
def regroup(world: World, layout: str) -> None:
    kept = {name: world.wanted_now.services.get(name, service) for name, service in world.services.items()}
    if layout == "first only":
        kept = {"keystone": kept["keystone"]}
    groups = {"control": tuple(kept)} if layout == "group" else {}
    world.want_all(replace(world.wanted_now, services=kept, groups=groups))


@happens(2, since=LATER)
def walk_with_savepoints(world: World) -> None:
    """Have legs forward make a dump at each of their stops."""
    services = {name: replace(service, procedure=STOPS.name) for name, service in world.wanted_now.services.items()}
    world.want_all(replace(world.wanted_now, services=services))


@happens(2, since=LATER, release=one_of("2023.1", "2024.1", "2025.1"))
def stop_within_the_leg(world: World, release: str) -> None:
    """Ask for a release that a leg passes, whether there is a savepoint or not."""
    services = {name: replace(service, release=release) for name, service in world.wanted_now.services.items()}
    world.want_all(replace(world.wanted_now, services=services))


@happens(2, since=LATER, host=a_host)
def quarantine(world: World, host: str) -> None:
    """Switch a host off and leave it alone; its service needs another bootstrap meanwhile, as `validate` says."""
    world.fleet.hosts.kill(host, rebooted=True)
    world.fleet.hosts.cut(host)
    for site in world.fleet.sites.values():
        if host in site.machines:
            site.machines[host].running, site.machines[host].started_at = "", None
    world.leave_alone(host)


@happens(1, since=LATER)
def end_quarantine(world: World) -> None:
    world.leave_alone()


@happens(2, since=LATER, minutes=upto(59), seconds=one_of(5.0, 60.0, 1800.0))
def keep_to_a_window(world: World, minutes: int, seconds: float) -> None:
    """Allow legs only for so many seconds of each hour."""
    window = Window(name="hourly", effect="allow", zone="UTC", cron=f"{minutes} * * * *", duration_h=seconds / 3600)
    world.want_all(replace(world.wanted_now, windows=(window,)))


@happens(1)
def rewrite_history(world: World) -> None:
    """Push a commit that does not descend from what was accepted."""
    world.commit(world.wanted_now, parent="")


@happens(1)
def lose_the_repository(world: World) -> None:
    world.source.reachable = not world.source.reachable


# ---------------------------------------------------------------- the daemon, its store and time


@happens(3)
def kill_the_daemon(world: World) -> None:
    world.kill_daemon()


@happens(3, fault=one_of(*Fault), after=upto(12))
def break_the_store(world: World, fault: Fault, after: int) -> None:
    world.journal.fail(fault, world.journal.writes + after)


@happens(1, seconds=one_of(30.0, 200.0))
def freeze_the_leader(world: World, seconds: float) -> None:
    """Stop the daemon as SIGSTOP does, let another one take the lease, and let the first go on later."""
    world.freeze(seconds)


@happens(1)
def start_a_second_daemon(world: World) -> None:
    world.boot()


@happens(1, seconds=one_of(61.0, 700.0, 20000.0))
def pause_the_machine(world: World, seconds: float) -> None:
    world.loop.jump(seconds)


@happens(3, verb=one_of("suspend", "resume", "retry", "retry", "clear-halt", "accept-history"), which=upto(4))
def order(world: World, verb: str, which: int) -> None:
    groups = [*world.wanted_now.groups] or [*world.wanted_now.services]
    halts = [halt.id for halt in world.memory.history.halts] or ["h1"]
    subjects = {"clear-halt": halts, "retry": groups, "accept-history": [world.source.head]}.get(verb, ["", *groups])
    world.journal.ask(verb, subjects[which % len(subjects)], "ada", "a test")


# ---------------------------------------------------------------- hosts, databases, people


@happens(3, weather=drawn)
def change_the_weather(world: World, weather: Weather) -> None:
    world.weather = weather


@happens(2)
def calm_down(world: World) -> None:
    world.weather = CALM


@happens(3, host=a_host)
def cut(world: World, host: str) -> None:
    world.fleet.hosts.cut(host)


@happens(3, host=a_host)
def mend(world: World, host: str) -> None:
    world.fleet.hosts.mend(host)


@happens(1)
def cut_all_but_one(world: World) -> None:
    for host in HOSTS[1:]:
        world.fleet.hosts.cut(host)


@happens(2, host=a_host)
def reboot(world: World, host: str) -> None:
    """Reboot a host; one in quarantine is off."""
    if host not in {each.host for each in world.wanted_now.quarantined}:
        world.fleet.reboot(host)


@happens(2, host=a_host)
def toggle_api(world: World, host: str) -> None:
    world.fleet.dead_apis ^= {host}


@happens(2, which=upto(2))
def somebody_writes_a_row(world: World, which: int) -> None:
    sites = list(world.fleet.sites.values())
    site = sites[which % len(sites)]
    if any(machine.running for machine in site.machines.values()):
        world.rows += 1
        site.data.rows.append(f"row {world.rows}")


@happens(2, host=a_host, how=one_of("config", "link", "unit"))
def somebody_changes_a_host(world: World, host: str, how: str) -> None:
    machine = world.fleet.machines[host]
    if how == "unit":
        machine.running, machine.started_at = "", None
        return
    if how == "link":
        machine.link = "/srv/keystone/zed"
        machine.complete.add(machine.link)
    else:
        machine.stamp = "bad0"
    machine.changed_at = world.clock.now()
