"""A held-back node in place of a dump, from literals."""

from __future__ import annotations

from reconciler.domain.plan import Json, Step, Undo
from reconciler.domain.procedure import Phase
from reconciler.planning.held_node import leading, led, undo_of

RESTORE: dict[str, Json] = {"service": "k", "database": "main", "engine": "sqlite", "dir": "/b", "path": "/d"}


def node(action: str, host: str = "c", service: str = "k") -> Step:
    undo = Undo("galera", {"action": "bootstrap"}, "lead") if action in {"hold", "yield", "follow"} else None
    return step(f"{action}@{host}", "galera", {"action": action}, undo, service)


def step(
    name: str, kind: str, args: dict[str, Json] | None = None, undo: Undo | None = None, service: str = "k"
) -> Step:
    return Step(
        id=name, kind=kind, phase=Phase.BACKUP, service=service, title=name, host="c", args=args or {}, undo=undo
    )


SYNC = step("sync", "schema_sync", undo=Undo("restore", RESTORE, "restore"))
HOLD = node("hold")


def restore(*after: str, keep: bool) -> Step:
    args: dict[str, Json] = {**RESTORE, "run": "", "keep_present": keep}
    made = step("back.sync", "restore", args)
    return Step(**{**{name: getattr(made, name) for name in made.__slots__}, "after": after})


def test_a_node_leads_once_something_was_written_that_it_has_not():
    assert leading([HOLD]) == frozenset()
    assert leading([HOLD, SYNC]) == {"k"}
    assert leading([SYNC, HOLD]) == frozenset()  # it has what was written before
    assert leading([HOLD, step("other", "schema_sync", undo=SYNC.undo, service="x")]) == frozenset()


def test_a_node_that_was_let_back_leads_no_more():
    assert leading([HOLD, SYNC, node("rejoin")]) == frozenset()


def test_without_a_leading_node_the_held_one_joins_again_and_the_others_stay():
    undo = undo_of(HOLD, frozenset())
    assert undo is not None
    assert undo.args["action"] == "rejoin"
    assert undo_of(node("yield"), frozenset()) is None
    assert undo_of(node("follow"), frozenset()) is None


def test_with_a_leading_node_all_stay_as_they_are():
    assert [undo_of(each, frozenset({"k"})) for each in (HOLD, SYNC)] == [HOLD.undo, SYNC.undo]


def test_what_is_there_is_kept_and_nothing_is_put_back():
    (kept,) = led((restore("proof", keep=True),), frozenset({"k"}))
    assert (kept.kind, kept.args["database"], kept.after) == ("backup", "main.present", ("proof",))
    assert set(kept.args) == set(RESTORE)


def test_a_restore_that_keeps_nothing_is_left_out_and_waited_for_no_more():
    then = Step(**{**{name: getattr(HOLD, name) for name in HOLD.__slots__}, "after": ("back.sync",)})
    (only,) = led((restore("proof", keep=False), then), frozenset({"k"}))
    assert (only.id, only.after) == (HOLD.id, ("proof",))


def test_other_services_get_their_dumps_back():
    untouched = (restore(keep=True),)
    assert led(untouched, frozenset({"x"})) == untouched
