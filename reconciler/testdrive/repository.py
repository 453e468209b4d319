"""The git repository of a testdrive: a bare one that the daemon follows, and an author's clone of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2

BRANCH = "main"
AUTHOR = ("Ada", "ada@example.net")


@dataclass(frozen=True, slots=True)
class Repository:
    """`bare` is what the daemon follows, `clone` where commits are made."""

    bare: Path
    clone: Path

    def create(self) -> None:
        """Make both, empty."""
        pygit2.init_repository(str(self.bare), bare=True, initial_head=BRANCH)
        pygit2.init_repository(str(self.clone), initial_head=BRANCH)
        clone = self._open()
        clone.remotes.create("origin", str(self.bare))
        clone.config["user.name"], clone.config["user.email"] = AUTHOR

    def commit(self, files: Mapping[str, str], message: str) -> str:
        """Write files, commit and push them; return the commit."""
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        repository = self._open()
        repository.index.add_all()
        repository.index.write()
        return self._record(repository, repository.index.write_tree(), message)

    def revert(self, commit: str) -> str:
        """Commit and push the opposite of a commit, as `git revert` does."""
        repository = self._open()
        reverted = repository[commit].peel(pygit2.Commit)
        index = repository.revert_commit(reverted, repository.head.peel(pygit2.Commit))
        title = reverted.message.splitlines()[0]
        made = self._record(
            repository, index.write_tree(repository), f'Revert "{title}"\n\nThis reverts commit {commit}.\n'
        )
        repository.checkout("HEAD", strategy=pygit2.enums.CheckoutStrategy.FORCE)
        return made

    def head(self) -> str:
        """Return the newest commit."""
        return str(self._open().head.target)

    def read(self, name: str) -> str:
        """Read a file of the clone."""
        return (self.clone / name).read_text()

    def _open(self) -> pygit2.Repository:
        return pygit2.Repository(str(self.clone))

    def _record(self, repository: pygit2.Repository, tree: pygit2.Oid, message: str) -> str:
        author = pygit2.Signature(*AUTHOR)
        parents = [] if repository.head_is_unborn else [repository.head.target]
        made = repository.create_commit(f"refs/heads/{BRANCH}", author, author, message, tree, parents)
        repository.remotes["origin"].push([f"refs/heads/{BRANCH}"])
        return str(made)
