"""Who may change the fleet: literals in, a signer or a doubt out. `a` is the accepted commit, `o` an older one."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.signers import Signers, read_signers
from reconciler.domain.trust import Commit, Doubted, Mode, News, Signed, judge, signers_of
from tests.support.signers import key, line, lines

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def signers(*names: str, place: str = "/etc/allowed_signers") -> Signers:
    found = read_signers(lines(*names), place)
    assert isinstance(found, Signers)
    return found


ADA = signers("ada")
OURS = signers("ada", place="allowed_signers")


def commit(name: str, parents: str, by: str = "", says: bytes | None = None) -> Commit:
    return Commit(name, tuple(parents.split()), key(by) if by else b"", signers=says)


def judged(*commits: Commit, mode: Mode = "strict", known: Signers = ADA, accepted: str = "a") -> Signed | Doubted:
    return judge(News({each.id: each for each in commits}, commits[-1].id, accepted), mode, known, NOW)


def test_a_signed_commit_is_followed_and_its_signer_named():
    found = judged(commit("b", "a", "ada"))
    assert isinstance(found, Signed)
    assert found.by.startswith("ada@example.org SHA256:")


def test_an_unsigned_commit_is_doubted():
    assert judged(commit("b", "a"), mode="head") == Doubted("b", "bears no signature")


def test_a_key_that_nobody_named_is_doubted():
    found = judged(commit("b", "a", "eve"))
    assert isinstance(found, Doubted)
    assert "which /etc/allowed_signers does not name" in found.text


def test_head_asks_only_for_the_newest_and_strict_for_all():
    history = (commit("b", "a"), commit("c", "b", "ada"))
    assert isinstance(judged(*history, mode="head"), Signed)
    assert judged(*history) == Doubted("b", "bears no signature")


def test_strict_asks_for_second_parents_too():
    history = (commit("s", "o", "ada"), commit("t", "s"), commit("m", "a t", "ada"))
    assert isinstance(judged(*history, mode="head"), Signed)
    assert judged(*history) == Doubted("t", "bears no signature")


def test_at_the_first_start_the_newest_is_held_against_the_settings():
    assert isinstance(judged(commit("b", "a", "ada"), accepted=""), Signed)
    assert isinstance(judged(commit("b", "a", "eve", lines("eve")), accepted=""), Doubted)


def test_a_new_key_counts_after_the_commit_that_names_it():
    history = (commit("b", "a", "ada", lines("ada", "bo")), commit("c", "b", "bo", lines("bo")))
    for mode in ("head", "strict"):
        assert isinstance(judged(*history, mode=mode), Signed)


def test_a_new_key_does_not_seal_itself():
    found = judged(commit("b", "a", "bo", lines("ada", "bo")))
    assert isinstance(found, Doubted)
    assert found.commit == "b"


def test_an_unsigned_commit_moves_no_trust_in_mode_head():
    history = (commit("b", "a", "", lines("eve")), commit("c", "b", "eve", lines("eve")))
    assert isinstance(judged(*history, mode="head"), Doubted)


def test_a_removed_key_does_not_count_any_more():
    history = (commit("b", "a", "ada", lines("bo")), commit("c", "b", "ada", lines("bo")))
    found = judged(*history)
    assert isinstance(found, Doubted)
    assert found.commit == "c"


def test_a_branch_from_before_a_key_was_removed_does_not_bring_it_back():
    """Ada once let Bo sign, on `o`; the accepted commit does not. Bo builds on an old commit of Ada's and merges."""
    old = lines("ada", "bo")
    history = (commit("s", "o", "ada", old), commit("t", "s", "bo", old), commit("m", "t a", "bo", old))
    for mode in ("head", "strict"):
        assert isinstance(judged(*history, mode=mode, known=OURS), Doubted)


def test_the_file_may_not_go_away_once_it_counts():
    found = judged(commit("b", "a", "ada"), known=OURS)
    assert found == Doubted("b", "takes allowed_signers away: nobody could sign after it")


def test_an_unfit_file_is_refused_with_its_line():
    found = judged(commit("b", "a", "ada", line("ada", options="").encode()))
    assert isinstance(found, Doubted)
    assert found.text.startswith("has an unfit allowed_signers: allowed_signers:1: lacks `namespaces")


def test_an_unfit_file_that_was_mended_since_is_no_hindrance():
    history = (commit("b", "a", "ada", b"?"), commit("c", "b", "ada", lines("ada")))
    assert isinstance(judged(*history), Signed)


def test_a_key_out_of_its_time_is_doubted():
    text = line("ada", options='namespaces="git",valid-before="20260531Z"')
    known = read_signers(text.encode(), "f")
    assert isinstance(known, Signers)
    found = judged(commit("b", "a", "ada"), known=known)
    assert isinstance(found, Doubted)
    assert found.text.endswith("which by f:1 counted only before 2026-05-31 00:00Z")


def test_what_a_trusted_commit_says_goes_before_the_settings():
    assert signers_of(commit("a", "o"), ADA) is ADA
    found = signers_of(commit("a", "o", "", lines("bo")), ADA)
    assert isinstance(found, Signers)
    assert [each.principals for each in found.lines] == ["bo@example.org"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Commit, ...]:
    """Draw histories after `a`: each commit has one or two parents among the older ones, `a` and what was before it."""
    made: list[Commit] = []
    for number in range(draw(st.integers(1, 7))):
        known = ["o", "a", *(each.id for each in made)]
        parents = draw(st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True))
        says = draw(st.sampled_from([None, lines("ada"), lines("ada", "bo"), lines("bo"), lines("eve"), b"?"]))
        by = draw(st.sampled_from(["", "ada", "bo", "eve"]))
        made.append(commit(f"c{number}", " ".join(parents), by, says))
    top = commit("top", " ".join(dict.fromkeys([made[-1].id, "a"])), draw(st.sampled_from(["", "ada", "bo", "eve"])))
    return (*made, top)


def above(history: tuple[Commit, ...]) -> dict[str, Commit]:
    """Keep what the newest commit reaches."""
    known = {each.id: each for each in history}
    reached, waiting = {}, ["top"]
    while waiting:
        if (each := known.get(waiting.pop())) is not None and each.id not in reached:
            reached[each.id] = each
            waiting += each.parents
    return reached


@given(histories())
def test_nobody_gets_in_whom_no_allowed_signer_let_in(history):
    """Eve signs only what she made herself, so a history that she signed at its top has somebody's word for her."""
    commits = above(history)
    for mode in ("head", "strict"):
        found = judge(News(commits, "top", "a"), mode, ADA, NOW)
        if isinstance(found, Signed) and "ada" not in found.by:
            assert any(each.key == key("ada") and each.signers is not None for each in commits.values())


@given(histories())
def test_what_strict_lets_in_head_lets_in_too(history):
    commits = above(history)
    if isinstance(judge(News(commits, "top", "a"), "strict", ADA, NOW), Signed):
        assert isinstance(judge(News(commits, "top", "a"), "head", ADA, NOW), Signed)
        assert all(each.key for each in commits.values())
