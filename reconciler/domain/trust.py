"""Whether new commits come from people who may change the fleet. Pure: what was signed by which key is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.domain.signers import FILE, Signers, Unreadable, fingerprint, read_signers

Mode = Literal["none", "head", "strict"]
"""Which commits must be signed: none, the one that is accepted, or every one since the last accepted."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that was not accepted yet. `key` made its signature, proved; where it is empty, `flaw` says why.

    `signers` is the content of its `allowed_signers`, None where it has none.
    """

    id: str
    parents: tuple[str, ...]
    key: bytes = b""
    flaw: str = "bears no signature"
    signers: bytes | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest commit may be followed; `by` names its signer and key."""

    by: str


@dataclass(frozen=True, slots=True)
class Doubted:
    """The newest commit must not be followed: `commit` is the first that is not in order."""

    commit: str
    text: str


@dataclass(frozen=True, slots=True)
class News:
    """All commits that `head` has and `accepted` has not, by id; `accepted` is empty at the first start."""

    commits: Mapping[str, Commit]
    head: str
    accepted: str


def judge(news: News, mode: Mode, signers: Signers, now: datetime) -> Signed | Doubted:
    """Tell whether the newest commit may be followed, by what counts since the accepted one: `signers`.

    Trust moves along the branch's first parents, oldest first: a commit there that descends from the accepted one, and
    is signed by a key that counted before it, says whose signatures count after it.
    A signature is held against the present, `now`: the time in a commit is what its author likes.
    """
    seen: set[str] = set()
    after = {news.accepted}
    found: Signed | Doubted = Doubted(news.head, "is not among the new commits")
    for commit in _line(news):
        brought = list(_brought(commit, news.commits, seen))
        if not news.accepted or any(parent in after for each in brought for parent in each.parents):
            after.add(commit.id)
        doubts = (signer_of(each, signers, now) for each in brought if mode == "strict")
        if doubt := next((each for each in doubts if isinstance(each, Doubted)), None):
            return doubt
        found = signer_of(commit, signers, now)
        if isinstance(found, Doubted) or commit.id not in after:
            continue
        moved = _moved_by(commit, signers)
        if isinstance(moved, Signers):
            signers = moved
        elif commit.id == news.head:
            return moved
    return found


def unverified_hint(head: str) -> str:
    """Say what to do about a head that is not followed."""
    return (
        "Find out who pushed it. If it is right, let an allowed signer sign it anew; only when nobody can sign any "
        f"more, `reconciler accept-history {head}`, which trusts it as a whole."
    )


def signer_of(commit: Commit, signers: Signers, now: datetime) -> Signed | Doubted:
    """Say who signed a commit, if that one may."""
    if not commit.key:
        return Doubted(commit.id, commit.flaw)
    lines = signers.of(commit.key)
    name = fingerprint(commit.key)
    if not lines:
        return Doubted(commit.id, f"is signed by the key {name}, which {signers.place} does not name")
    good = next((line for line in lines if not line.objection(now)), None)
    if good is None:
        last = lines[-1]
        text = f"is signed by the key {name} of {last.principals}, which by {signers.place}:{last.line}"
        return Doubted(commit.id, f"{text} {last.objection(now)}")
    return Signed(f"{good.principals} {name}")


def signers_of(commit: Commit, otherwise: Signers) -> Signers | Doubted:
    """Return whom a trusted commit lets sign; `otherwise` where it says nothing about it."""
    return otherwise if commit.signers is None else _moved_by(commit, otherwise)


def _moved_by(commit: Commit, signers: Signers) -> Signers | Doubted:
    """Return whose signatures count after a commit, or what is wrong with what it says about that."""
    if commit.signers is None:
        if signers.place != FILE:
            return signers
        return Doubted(commit.id, f"takes {FILE} away: nobody could sign after it")
    found = read_signers(commit.signers, FILE)
    if isinstance(found, Unreadable):
        return Doubted(commit.id, f"has an unfit {FILE}: " + "; ".join(found.problems[:5]))
    return found


def _line(news: News) -> list[Commit]:
    """Return the new commits along first parents, oldest first."""
    line: list[Commit] = []
    here = news.head
    while here in news.commits:
        line.append(news.commits[here])
        here = next(iter(line[-1].parents), "")
    return line[::-1]


def _brought(commit: Commit, commits: Mapping[str, Commit], seen: set[str]) -> Iterator[Commit]:
    """Yield the new commits that one has and those before it had not."""
    waiting = [commit.id]
    while waiting:
        each = waiting.pop()
        if each in commits and each not in seen:
            seen.add(each)
            yield commits[each]
            waiting.extend(commits[each].parents)
