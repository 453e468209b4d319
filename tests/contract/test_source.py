"""What every Source must do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from reconciler.adapters.git import GitSource
from reconciler.ports import Source
from tests.fakes.source import MemorySource
from tests.support.gitrepo import GitRepo

OLD = {"fleet.yaml": b"old\n"}
NEW = {"fleet.yaml": b"new\n", "a/b.yaml": b"b\n"}


class Remote(Protocol):
    source: Source

    def commit(self, files: Mapping[str, bytes], parent: str | None = None, bad: bool = False) -> str: ...

    def cut(self) -> None: ...


class MemoryRemote:
    def __init__(self) -> None:
        self.source = self.memory = MemorySource()

    def commit(self, files, parent=None, bad=False):
        commit = self.memory.commit(files, parent)
        if bad:
            self.memory.refused.add(commit)
        return commit

    def cut(self):
        self.memory.reachable = False


class GitRemote:
    def __init__(self, folder: Path) -> None:
        self.repo = GitRepo(folder / "remote.git")
        self.source = GitSource(str(self.repo.path), "main", folder / "mirror")
        self.head = ""
        self.count = 0

    def commit(self, files, parent=None, bad=False):
        tree = self.repo.files(files)
        if bad:
            tree = self.repo.tree([("120000", b"link", self.repo.blob(b"/etc/shadow"))])
        parents = [p for p in [self.head if parent is None else parent] if p]
        self.count += 1
        self.head = self.repo.commit(tree, *parents, message=f"change {self.count}")
        return self.head

    def cut(self):
        self.repo.path.rename(self.repo.path.with_name("away"))


@pytest.fixture(params=["memory", pytest.param("git", marks=pytest.mark.integration)])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    return MemoryRemote() if request.param == "memory" else GitRemote(tmp_path)


async def test_anything_is_accepted_at_first(remote):
    commit = remote.commit(NEW)
    state = await remote.source.latest("")
    assert (state.problem, state.head) == ("", commit)
    assert state.revision.commit == commit
    assert list(state.revision.files.items()) == sorted(NEW.items())


async def test_a_descendant_is_followed(remote):
    old = remote.commit(OLD)
    remote.commit(NEW)
    new = remote.commit(NEW)
    state = await remote.source.latest(old)
    assert (state.problem, state.revision.commit) == ("", new)


async def test_the_same_commit_again_is_fine(remote):
    commit = remote.commit(OLD)
    for _ in range(2):
        assert (await remote.source.latest(commit)).revision.commit == commit


async def test_a_rewritten_history_is_not_followed(remote):
    base = remote.commit(OLD)
    accepted = remote.commit(NEW)
    assert (await remote.source.latest(base)).revision.commit == accepted
    other = remote.commit(OLD, parent=base)
    state = await remote.source.latest(accepted)
    assert (state.problem, state.head) == ("HistoryRewritten", other)
    assert state.revision.commit == accepted
    assert other in state.hint
    assert (await remote.source.latest(other)).revision.commit == other


async def test_a_branch_set_back_is_a_rewritten_history(remote):
    base = remote.commit(OLD)
    accepted = remote.commit(NEW)
    await remote.source.latest(base)
    remote.commit(OLD, parent="")
    state = await remote.source.latest(accepted)
    assert (state.problem, state.revision.commit) == ("HistoryRewritten", accepted)


async def test_a_refused_commit_leaves_the_accepted_one(remote):
    accepted = remote.commit(OLD)
    bad = remote.commit(NEW, bad=True)
    state = await remote.source.latest(accepted)
    assert (state.problem, state.head) == ("SourceRefused", bad)
    assert state.revision.commit == accepted
    assert state.text
    assert await remote.source.revision(bad) is None
    mended = remote.commit(NEW)
    assert (await remote.source.latest(accepted)).revision.commit == mended


async def test_an_unreachable_remote_leaves_the_accepted_one(remote):
    accepted = remote.commit(OLD)
    await remote.source.latest("")
    remote.cut()
    state = await remote.source.latest(accepted)
    assert (state.problem, state.head) == ("SourceUnreachable", accepted)
    assert state.revision.commit == accepted
    assert state.text
    assert state.hint


async def test_an_unreachable_remote_without_an_accepted_commit_gives_none(remote):
    remote.commit(OLD)
    await remote.source.latest("")
    remote.cut()
    state = await remote.source.latest("")
    assert (state.problem, state.revision) == ("SourceUnreachable", None)


async def test_an_empty_repository_gives_none(remote):
    state = await remote.source.latest("")
    assert (state.problem, state.revision, state.head) == ("SourceUnreachable", None, "")


async def test_known_commits_can_be_read(remote):
    old = remote.commit(OLD)
    remote.commit(NEW)
    await remote.source.latest("")
    assert (await remote.source.revision(old)).files == OLD
    assert await remote.source.revision("f" * 40) is None
