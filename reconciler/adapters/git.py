"""The desired-state repository, followed with libgit2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pygit2

from reconciler.adapters.git_mirror import BROKEN, SEEN, GitAccess, Mirror, Trouble
from reconciler.adapters.git_signed import Signatures, SignedHistory
from reconciler.adapters.git_tree import Tree, read_tree
from reconciler.adapters.threads import in_thread
from reconciler.domain.reasons import Reason
from reconciler.domain.revision import Revision, SourceState
from reconciler.domain.text import clean, one_line
from reconciler.domain.trust import Doubted, unverified_hint

MESSAGE_BYTES = 4096

_GRACE_S = 5.0  # a fetch ends itself; only one that hangs inside libgit2 runs into the outer deadline


@dataclass(frozen=True, slots=True)
class Follow:
    """What of a repository is followed: the folder of the desired state ("" for the root), how it must be signed."""

    folder: str = ""
    signatures: Signatures | None = None


class GitSource:
    """One branch of one repository.

    `url` is a path or a file, http, https or ssh URL (`user@host:path` too). `mirror` is a directory of ours alone.
    """

    def __init__(
        self, url: str, branch: str, mirror: Path, *, follow: Follow | None = None, access: GitAccess | None = None
    ) -> None:
        self._access = access or GitAccess()
        self._mirror = Mirror(mirror, url, branch, self._access)
        follow = follow or Follow()
        self._folder = follow.folder.strip("/")
        self._signatures = follow.signatures

    async def latest(self, accepted: str, trusted: str = "") -> SourceState:
        """Fetch, and return the newest revision if it may be followed, else the accepted one and why."""
        outer_s = self._access.timeout_s + self._access.connect_timeout_s + _GRACE_S
        try:
            return await in_thread(lambda: self._latest(accepted, trusted), outer_s)
        except TimeoutError:
            trouble = Trouble(f"{self._mirror.shown_url} has not answered within {outer_s:g} s")
        return await in_thread(lambda: _unreachable(self._known(accepted), trouble), outer_s)

    async def revision(self, commit: str) -> Revision | None:
        """Return a commit of the mirror; None when it is unknown, unreadable or refused."""
        return await in_thread(lambda: self._known(commit), self._access.timeout_s)

    def _latest(self, accepted: str, trusted: str) -> SourceState:
        trouble = self._mirror.fetch()
        try:
            return self._state(accepted, trusted, trouble)
        except BROKEN as error:
            broken = str(error)
        trouble = self._mirror.renew()
        try:
            return self._state(accepted, trusted, trouble)
        except BROKEN:
            again = Trouble(f"the mirror {self._mirror.path} is damaged ({broken}) and could not be made anew")
            return _unreachable(self._known(accepted), trouble or again)

    def _state(self, accepted: str, trusted: str, trouble: Trouble | None) -> SourceState:
        """Judge what the mirror holds; raises one of BROKEN when it is damaged."""
        with self._mirror.opened() as repository:
            if repository is None:
                return _unreachable(None, trouble or Trouble(f"cannot open {self._mirror.path}"))
            if trouble is not None:
                head = self._mirror.check(repository)
                return _unreachable(self._good(repository, accepted), trouble, head)
            return self._newest(repository, accepted, trusted)

    def _newest(self, repository: pygit2.Repository, accepted: str, trusted: str) -> SourceState:
        head = str(repository.references[SEEN].target)  # a branch: git lets it name nothing but a commit
        if accepted and not _descends(repository, head, accepted):
            text = f"the newest commit {head[:12]} does not descend from the accepted commit {accepted[:12]}"
            hint = f"Find out who rewrote the branch; if it is right, `reconciler accept-history {head}`."
            return SourceState(self._good(repository, accepted), Reason.HISTORY_REWRITTEN, text, hint, head)
        by = ""
        if self._signatures is not None and head != accepted:
            judged = SignedHistory(repository, self._folder, self._signatures).judge(head, accepted, trusted)
            if isinstance(judged, Doubted):
                return _unverified(self._good(repository, accepted), judged, head)
            by = judged.by
        commit = repository.references[SEEN].peel(pygit2.Commit)
        tree = read_tree(repository, commit, self._folder)
        if not tree.problems:
            return SourceState(_revision(commit, tree), head=head, signed_by=by)
        text = f"commit {head[:12]}: " + "; ".join(tree.problems)
        hint = "Remove it from the repository and push a new commit."
        return SourceState(self._good(repository, accepted), Reason.SOURCE_REFUSED, text, hint, head)

    def _known(self, commit: str) -> Revision | None:
        try:
            with self._mirror.opened() as repository:
                return None if repository is None else self._good(repository, commit)
        except BROKEN:
            return None

    def _good(self, repository: pygit2.Repository, commit: str) -> Revision | None:
        """Read a commit; raises one of BROKEN when the mirror is damaged."""
        found = repository[commit] if _has(repository, commit) else None
        if not isinstance(found, pygit2.Commit):
            return None
        tree = read_tree(repository, found, self._folder)
        return None if tree.problems else _revision(found, tree)


def _unreachable(revision: Revision | None, trouble: Trouble, head: str = "") -> SourceState:
    hint = trouble.hint or "Check the remote and the daemon's way to it; the next poll tries again."
    return SourceState(revision, Reason.SOURCE_UNREACHABLE, trouble.text, hint, head)


def _unverified(revision: Revision | None, doubt: Doubted, head: str) -> SourceState:
    text = f"commit {doubt.commit[:12]} {doubt.text}"
    return SourceState(revision, Reason.SOURCE_UNVERIFIED, text, unverified_hint(head), head)


def _has(repository: pygit2.Repository, commit: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}", commit) is not None and commit in repository


def _descends(repository: pygit2.Repository, head: str, accepted: str) -> bool:
    if head == accepted:
        return True
    return _has(repository, accepted) and bool(repository.descendant_of(head, accepted))


def _revision(commit: pygit2.Commit, tree: Tree) -> Revision:
    name = commit.author.raw_name.decode("utf-8", "replace")
    email = commit.author.raw_email.decode("utf-8", "replace")
    return Revision(
        commit=str(commit.id),
        author=one_line(f"{name} <{email}>", 200),
        message=clean(commit.raw_message[:MESSAGE_BYTES].decode("utf-8", "replace")),
        at=_moment(commit.commit_time),
        files=tree.files,
    )


def _moment(epoch_s: int) -> datetime:
    """Turn a commit's time into one of ours; the years that Python does not know become its last."""
    try:
        return datetime.fromtimestamp(epoch_s, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime(9999, 12, 31, tzinfo=UTC)
