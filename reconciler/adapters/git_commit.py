"""The files of any commit of a repository on this machine, with the same eyes as the daemon's."""

from __future__ import annotations

from pathlib import Path

import pygit2

from reconciler.adapters.git_mirror import BROKEN
from reconciler.adapters.git_tree import read_tree, shown
from reconciler.domain.reasons import Reason
from reconciler.errors import SourceError


def read_commit(repository: Path, revision: str, folder: str = "") -> dict[str, bytes]:
    """Return the files below a folder of a commit, which is named as git understands it (branch, tag, id, HEAD~1).

    Raises SourceError: no repository, no such commit, or something in it that the daemon would refuse.
    """
    found = opened(repository)
    try:
        tree = read_tree(found, commit_of(found, revision), folder.strip("/"))
    except BROKEN as error:
        raise _error(f"{repository}: {shown(revision)} cannot be read", "`git fsck` says what is damaged.") from error
    finally:
        found.free()
    if tree.problems:
        raise _error("\n".join(f"{shown(revision)}: {each}" for each in tree.problems), "The daemon refuses it too.")
    return tree.files


def opened(repository: Path) -> pygit2.Repository:
    """Open a repository, to be freed by the caller; raises SourceError."""
    try:
        return pygit2.Repository(str(repository))
    except BROKEN as error:
        raise _error(f"{repository} is no git repository that can be read", "Name one with --repo.") from error


def commit_of(found: pygit2.Repository, revision: str) -> pygit2.Commit:
    """Return a commit by any name that git understands; raises SourceError."""
    try:
        return found.revparse_single(revision).peel(pygit2.Commit)
    except BROKEN as error:
        hint = "Name a branch, a tag or a commit id; fetch it first if it is only on the server."
        raise _error(f"{found.workdir or found.path} has no commit {shown(revision)!r}", hint) from error


def _error(text: str, hint: str) -> SourceError:
    return SourceError(text, reason=str(Reason.SOURCE_REFUSED), hint=hint)
