"""Tools and hosts that lie: each lie is told once or a few times, and then never again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.faults import LATEST, happens, upto

if TYPE_CHECKING:
    from tests.simulation.world import World


@happens(2, since=LATEST, steps=upto(3))
def deny_what_was_done(world: World, steps: int) -> None:
    """Have the next steps do all of their work, whatever it is, and say that they failed."""
    world.next_work += ["denied"] * steps


@happens(2, since=LATEST, steps=upto(2))
def do_nothing_and_say_done(world: World, steps: int) -> None:
    """Have the next steps exit 0 without doing anything, whatever they are."""
    world.next_work += ["idle"] * steps
