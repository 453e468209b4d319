"""Databases, tools and hosts that lie: each lie is told once or a few times, and then never again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.faults import LATEST, RELEASES, happens, one_of, upto

if TYPE_CHECKING:
    from tests.simulation.world import World

TRUE_S = 60.0
"""For so long after a lie reads are true again: so long any two looks need, one after the other."""


@happens(2, since=LATEST, release=one_of("yoga", *RELEASES))
def read_another_marker(world: World, release: str) -> None:
    """Show an older or newer schema than there is to whoever reads next, once: a replica that lags catches up."""
    if world.loop.time() - world.lied_at > TRUE_S:
        world.fleet.untrue, world.lied_at = [release], world.loop.time()


@happens(2, since=LATEST, steps=upto(3))
def deny_what_was_done(world: World, steps: int) -> None:
    """Have the next steps do all of their work, whatever it is, and say that they failed."""
    world.next_work += ["denied"] * steps


@happens(2, since=LATEST, steps=upto(2))
def do_nothing_and_say_done(world: World, steps: int) -> None:
    """Have the next steps exit 0 without doing anything, whatever they are."""
    world.next_work += ["idle"] * steps
