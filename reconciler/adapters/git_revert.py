"""Writes the commit that reverts another, on a branch of a repository on this machine; no working tree is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from reconciler.adapters.git_commit import commit_of, opened
from reconciler.adapters.git_mirror import BROKEN
from reconciler.adapters.git_tree import shown
from reconciler.domain.text import one_line
from reconciler.errors import SourceError

MAX_COMMITS = 1000
"""How far back a change of release is looked for along the first parents."""

MAX_SUBJECT = 200
"""Characters of the subject of the commit that is taken back."""


def changes(repository: Path, revision: str, folder: str) -> Iterator[tuple[str, str]]:
    """Yield the commits that changed a folder and their first parents, newest first; raises SourceError."""
    found = opened(repository)
    try:
        walk = found.walk(commit_of(found, revision).id, SortMode.TOPOLOGICAL)
        walk.simplify_first_parent()
        for _, commit in zip(range(MAX_COMMITS), walk, strict=False):
            parent = commit.parents[0] if commit.parents else None
            if parent is not None and _tree(commit, folder) != _tree(parent, folder):
                yield str(commit.id), str(parent.id)
    except BROKEN as error:
        text = f"{repository}: the history of {shown(revision)!r} cannot be read"
        raise _error(text, "A shallow clone lacks it: `git fetch --unshallow`.") from error
    finally:
        found.free()


def write_revert(repository: Path, commit: str, onto: str, branch: str) -> str:
    """Write a commit on a new branch that takes back what `commit` changed, on top of `onto`; return its id.

    The branch starts at `onto`. Raises SourceError: the branch is there, the changes conflict, nobody's name is known.
    """
    found = opened(repository)
    try:
        return _written(found, commit_of(found, commit), commit_of(found, onto), branch)
    except BROKEN as error:
        raise _error(f"{repository}: {error}", "Revert by hand: `git revert`.") from error
    finally:
        found.free()


def _written(found: pygit2.Repository, commit: pygit2.Commit, onto: pygit2.Commit, branch: str) -> str:
    if branch in found.branches.local:
        raise _error(
            f"branch {branch} is there already", f"Look at it, delete it (`git branch -D {branch}`), or name another."
        )
    index = found.revert_commit(commit, onto, 1 if len(commit.parents) > 1 else 0)
    if index.conflicts is not None:
        paths = sorted({side.path for sides in index.conflicts for side in sides if side is not None})
        text = f"later commits changed what {str(commit.id)[:12]} changed: {', '.join(map(shown, paths))}"
        raise _error(text, f"Revert by hand: `git revert {str(commit.id)[:12]}`, and settle the conflicts.")
    try:
        who = found.default_signature
    except KeyError as error:
        raise _error(
            "git does not know your name", "`git config user.name` and `git config user.email` set it."
        ) from error
    tree = index.write_tree(found)
    made = found.create_commit(f"refs/heads/{branch}", who, who, _message(commit), tree, [onto.id])
    return str(made)


def _message(commit: pygit2.Commit) -> str:
    subject = one_line(commit.raw_message.decode("utf-8", "replace").strip().partition("\n")[0], MAX_SUBJECT)
    return f'Revert "{subject}"\n\nThis reverts commit {commit.id}.\n'


def _tree(commit: pygit2.Commit, folder: str) -> pygit2.Oid | None:
    if not folder:
        return commit.tree.id
    return commit.tree[folder].id if folder in commit.tree else None


def _error(text: str, hint: str) -> SourceError:
    return SourceError(text, reason="NotReverted", hint=hint)
