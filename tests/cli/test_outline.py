"""How a plan is divided for pictures."""

from __future__ import annotations

from dataclasses import replace

from reconciler.cli.outline import no_return, sections, waves_text
from reconciler.cli.words import few
from reconciler.planning.durations import Durations
from reconciler.planning.telling import tell
from tests.planning.graphs import ALL_STOPPED, plan, step


def drawn(of: object) -> list[tuple[str, list[str]]]:
    return [
        (part.title, [f"{line.title} on {', '.join(line.hosts)}" for line in part.lines])
        for section in sections(of)
        for part in section.parts
    ]


def test_what_is_the_same_on_many_hosts_is_one_line():
    assert drawn(ALL_STOPPED) == [
        ("", ["fetch on a, b"]),
        ("", ["stop on a, b"]),
        ("", ["sync on a"]),
        ("wave 0, the canary: a", ["install on a", "start on a", "check on a"]),
        ("wave 1: b", ["start on b"]),
        ("", ["smoke on "]),
    ]


def test_waves_that_do_the_same_are_one_part_but_for_the_canarys():
    rolling = plan(*(step(f"roll.restart@h{wave}", wave=wave) for wave in range(8)))

    assert drawn(rolling)[1] == (
        "waves 1 to 7, one after the other: h1; h2; h3; h4; ... 7 hosts in all",
        ["restart on h1, h2, h3, h4, h5, h6, h7"],
    )


def test_a_wave_that_does_something_else_is_a_part_of_its_own():
    rolling = plan(*(step(f"roll.{'restart' if wave != 2 else 'start'}@h{wave}", wave=wave) for wave in range(4)))

    assert [title for title, _ in drawn(rolling)] == [
        "wave 0, the canary: h0",
        "wave 1: h1",
        "wave 2: h2",
        "wave 3: h3",
    ]


def test_services_that_take_turns_on_their_hosts_are_drawn_one_by_one():
    turns = [
        step(f"quiesce.stop@{host}", service=service, id=f"{service}-{host}") for host in "ab" for service in ("s", "t")
    ]
    roll = [
        step(f"roll.start@{host}", service=service, id=f"{service}-{host}-up", wave=wave)
        for wave, host in enumerate("ab")
        for service in ("s", "t")
    ]

    assert drawn(plan(*turns, *roll)) == [
        ("s", ["stop on a, b"]),
        ("t", ["stop on a, b"]),
        ("s, t: wave 0, the canary: a", ["start on a"]),
        ("s, t: wave 1: b", ["start on b"]),
    ]


def test_what_only_advises_says_so():
    assert drawn(plan(step("preflight.ask@a", advisory=True), step("preflight.ask@b", advisory=True))) == [
        ("", ["ask (advisory) on a, b"])
    ]


def test_the_point_of_no_return_says_what_comes_after_it():
    ending = plan(step("contract.drop@a", point_of_no_return=True), step("retire.remove@a"), step("finish.smoke"))

    assert no_return(tell(ending, {}, Durations())) == "drop on a (contract); after it: remove, smoke"


def test_waves_of_services_that_move_alike_are_told_once():
    two = plan(*(step(f"roll.start@{host}", service=s, wave=n) for s in ("s", "t") for n, host in enumerate("ab")))

    assert list(waves_text(tell(two, {}, Durations()))) == ["s, t: 2 waves, 2 hosts: 0 (canary): a; 1: b"]


def test_long_lists_are_capped_and_counted():
    names = [f"h{number}" for number in range(100)]

    assert few(names) == "h0, h1, h2, h3, h4 and 95 more (100)"
    assert few(names[:6]) == "h0, h1, h2, h3, h4, h5"
    many = plan(
        *(replace(each, id=f"{each.id}-{n}", host=f"h{n}") for n, each in enumerate(ALL_STOPPED.steps[:2] * 50))
    )
    assert len(drawn(many)) == 1
