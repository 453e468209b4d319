"""The author's hand in the testdrive: commits and reverts, as the daemon's source sees them."""

from __future__ import annotations

import pygit2
import pytest

from reconciler.testdrive.repository import Repository


@pytest.fixture
def repository(tmp_path) -> Repository:
    made = Repository(tmp_path / "bare.git", tmp_path / "clone")
    made.create()
    made.commit({"fleet.yaml": "release: yoga\n", "files/a": "1\n"}, "Begin")
    return made


def test_a_revert_is_a_commit_that_undoes_one_and_leaves_the_later(repository):
    advance = repository.commit({"fleet.yaml": "release: zed\n"}, "Advance")
    later = repository.commit({"files/a": "2\n"}, "Later")
    revert = repository.revert(advance)
    assert repository.read("fleet.yaml") == "release: yoga\n"
    assert repository.read("files/a") == "2\n"
    bare = pygit2.Repository(str(repository.bare))
    assert str(bare.head.target) == repository.head() == revert
    found = bare[revert].peel(pygit2.Commit)
    assert [str(parent) for parent in found.parent_ids] == [later]
    assert found.message == f'Revert "Advance"\n\nThis reverts commit {advance}.\n'


def test_after_a_revert_the_clone_is_clean(repository):
    repository.revert(repository.commit({"fleet.yaml": "release: zed\n"}, "Advance"))
    assert pygit2.Repository(str(repository.clone)).status() == {}
