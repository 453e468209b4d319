"""What goes wrong by chance: how often words are lost, how long things take, how steps end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from random import Random

from reconciler.domain.desired import Host
from reconciler.domain.outcome import Exited
from reconciler.ports import Died, HostStep, Order
from tests.fakes.fleet import Fleet


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Chances between 0 and 1, and longest times in seconds.

    Of words between daemon and hosts: `lost` on the way there, `unheard` on the way back, `slow` ones outlast every
    deadline; answers may be `cut_off` in the middle. Of steps: `fails` does nothing, `denied` does all and says that it
    failed, `lies` does nothing and says that it is done, `dies` leaves no exit code, before its work or after it;
    `stuck` ones outlast every timeout.
    """

    delay_s: float = 0.01
    work_s: float = 0.5
    lost: float = 0.0
    unheard: float = 0.0
    slow: float = 0.0
    cut_off: float = 0.0
    fails: float = 0.0
    denied: float = 0.0
    lies: float = 0.0
    dies: float = 0.0
    stuck: float = 0.0


CALM = Weather()
RARE = 0.03
CHANCES = tuple(each.name for each in fields(Weather) if not each.name.endswith("_s"))
AS_SAID = {"denied": Weather(denied=1.0), "idle": Weather(lies=1.0)}
"""A weather in which everything ends in one way."""
STUCK_S = 30_000.0
SLOW_S = 90.0


def drawn(rng: Random) -> Weather:
    """Draw a weather in which some things go wrong, and others never."""
    armed = {name: rng.random() * RARE for name in CHANCES if rng.random() < 0.25}
    return replace(CALM, **armed, delay_s=rng.choice((0.01, 0.5, 3.0)), work_s=rng.choice((0.5, 5.0, 60.0)))


def work(fleet: Fleet, host: Host, order: Order, weather: Weather, rng: Random) -> tuple[HostStep, str]:
    """Let a host do what it was told, as the weather wants; say what it claims and how that is a lie, if it is."""
    endings: tuple[tuple[float, Callable[[], HostStep], str], ...] = (
        (weather.fails, lambda: _fails(fleet, host, order), ""),
        (weather.denied, lambda: _denied(fleet, host, order), ""),
        (weather.lies, lambda: Exited(0, ""), "did nothing"),
        (weather.dies / 2, lambda: Died(rebooted=False), ""),
        (weather.dies / 2, lambda: _dies_after(fleet, host, order), ""),
    )
    dice = rng.random()
    for chance, end, lie in endings:
        if dice < chance:
            return end(), lie
        dice -= chance
    return fleet.obey(host, order), ""


def _fails(fleet: Fleet, host: Host, order: Order) -> HostStep:
    fleet.failing.add(order.key.step)
    exited = fleet.obey(host, order)
    fleet.failing.discard(order.key.step)
    return exited


def _denied(fleet: Fleet, host: Host, order: Order) -> HostStep:
    fleet.obey(host, order)
    return Exited(1, "as the weather wants")


def _dies_after(fleet: Fleet, host: Host, order: Order) -> HostStep:
    fleet.obey(host, order)
    return Died(rebooted=False)
