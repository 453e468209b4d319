"""What every Source must do where commits must be signed; in git by ssh-keygen's own signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from reconciler.adapters.git import Follow, GitSource
from reconciler.adapters.git_signed import Signatures
from reconciler.domain.signers import Signers, read_signers
from reconciler.domain.trust import Mode
from reconciler.ports import Source
from tests.fakes.source import MemorySource
from tests.support.gitrepo import GitRepo
from tests.support.signers import key, line, real_key

FILES = {"fleet.yaml": b"fleet\n"}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Remote(Protocol):
    source: Source

    def commit(self, by: str = "", says: Sequence[str] = (), parents: Sequence[str] | None = None) -> str: ...

    def follow(self, mode: Mode) -> None: ...


def told(text: str) -> Signers:
    found = read_signers(text.encode(), "settings")
    assert isinstance(found, Signers)
    return found


class MemoryRemote:
    def __init__(self, folder: Path) -> None:
        self.source = self.memory = MemorySource()
        self.memory.signers = told(line("ada"))
        self.memory.now = NOW

    def follow(self, mode: Mode) -> None:
        self.memory.mode = mode

    def commit(self, by: str = "", says: Sequence[str] = (), parents: Sequence[str] | None = None) -> str:
        first, *others = [self.memory.head] if parents is None else parents
        commit = self.memory.commit(_files(says, {}), first)
        for other in others:
            self.memory.merge(commit, other)
        if by:
            self.memory.sign(commit, key(by))
        return commit


class GitRemote:
    def __init__(self, folder: Path) -> None:
        self.repo = GitRepo(folder / "remote.git")
        self.folder = folder
        self.keys = {name: real_key(folder / name) for name in ("ada", "bo", "eve")}
        self.head = ""
        self.follow("head")

    def follow(self, mode: Mode) -> None:
        rule = Signatures(mode, told(line("ada", self.keys["ada"])), lambda: NOW)
        follow = Follow(signatures=rule)
        self.source = GitSource(str(self.repo.path), "main", self.folder / "mirror", follow=follow)

    def commit(self, by: str = "", says: Sequence[str] = (), parents: Sequence[str] | None = None) -> str:
        above = [self.head] if parents is None else parents
        tree = self.repo.files(_files(says, self.keys))
        self.head = self.repo.commit(tree, *filter(None, above), key=self.folder / by if by else None)
        return self.head


def _files(says: Sequence[str], keys: Mapping[str, str]) -> Mapping[str, bytes]:
    text = "".join(line(name, keys.get(name, "")) for name in says)
    return FILES | ({"allowed_signers": text.encode()} if says else {})


@pytest.fixture(params=["memory", pytest.param("git", marks=pytest.mark.integration)])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    return MemoryRemote(tmp_path) if request.param == "memory" else GitRemote(tmp_path)


async def test_a_signed_commit_is_followed_and_its_signer_named(remote):
    commit = remote.commit("ada")
    state = await remote.source.latest("")
    assert (state.problem, state.revision.commit) == ("", commit)
    assert state.signed_by.startswith("ada@example.org SHA256:")


async def test_at_the_first_start_an_unsigned_commit_gives_nothing(remote):
    head = remote.commit()
    state = await remote.source.latest("")
    assert (state.problem, state.revision, state.head) == ("SourceUnverified", None, head)
    assert f"reconciler accept-history {head}" in state.hint


async def test_an_unsigned_commit_leaves_the_accepted_one(remote):
    good = remote.commit("ada")
    bad = remote.commit()
    state = await remote.source.latest(good, good)
    assert (state.problem, state.head, state.revision.commit) == ("SourceUnverified", bad, good)
    assert "bears no signature" in state.text
    assert bad[:12] in state.text
    mended = remote.commit("ada")
    assert (await remote.source.latest(good, good)).revision.commit == mended


async def test_a_stranger_s_key_leaves_the_accepted_one(remote):
    good = remote.commit("ada")
    remote.commit("eve")
    state = await remote.source.latest(good, good)
    assert (state.problem, state.revision.commit) == ("SourceUnverified", good)
    assert "which settings does not name" in state.text


async def test_strict_wants_every_commit_signed(remote):
    good = remote.commit("ada")
    side = remote.commit(parents=[good])
    merge = remote.commit("ada", parents=[good, side])
    assert (await remote.source.latest(good, good)).revision.commit == merge
    remote.follow("strict")
    state = await remote.source.latest(good, good)
    assert (state.problem, state.head) == ("SourceUnverified", merge)
    assert side[:12] in state.text


async def test_keys_change_by_a_commit_that_an_older_one_signed(remote):
    good = remote.commit("ada", says=["ada"])
    remote.commit("ada", says=["bo"])
    head = remote.commit("bo", says=["bo"])
    remote.follow("strict")
    assert (await remote.source.latest(good, good)).revision.commit == head
    remote.commit("ada", says=["bo"])
    state = await remote.source.latest(head, head)
    assert (state.problem, state.revision.commit) == ("SourceUnverified", head)
    assert "which allowed_signers does not name" in state.text


async def test_a_new_key_does_not_seal_itself(remote):
    good = remote.commit("ada", says=["ada"])
    remote.commit("eve", says=["ada", "eve"])
    assert (await remote.source.latest(good, good)).problem == "SourceUnverified"


async def test_what_a_commit_says_that_nobody_vouched_for_does_not_count(remote):
    """It was accepted while no signature was asked for: the settings count, not its own file."""
    good = remote.commit(says=["eve"])
    remote.commit("eve", says=["eve"])
    assert (await remote.source.latest(good, "")).problem == "SourceUnverified"
    head = remote.commit("ada", says=["ada"])
    assert (await remote.source.latest(good, "")).revision.commit == head


async def test_what_a_person_accepted_stays_and_names_the_next_signers(remote):
    lost = remote.commit(says=["bo"])
    assert (await remote.source.latest(lost, lost)).revision.commit == lost
    head = remote.commit("bo", says=["bo"])
    assert (await remote.source.latest(lost, lost)).revision.commit == head
