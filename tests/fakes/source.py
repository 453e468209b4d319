"""A source in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.domain.reasons import Reason
from reconciler.domain.revision import Revision, SourceState


class MemorySource:
    """A history of commits; `reachable` and `refused` say how the remote behaves."""

    def __init__(self) -> None:
        self.reachable = True
        self.refused: set[str] = set()
        self._parents: dict[str, str] = {}
        self._revisions: dict[str, Revision] = {}
        self._fetched: set[str] = set()
        self._head = ""
        self._seen = ""

    @property
    def head(self) -> str:
        """The newest commit, fetched or not."""
        return self._head

    def parent(self, commit: str) -> str:
        """Return what a commit was made on, empty for the first one."""
        return self._parents[commit]

    def commit(self, files: Mapping[str, bytes], parent: str | None = None, message: str = "change") -> str:
        """Add a commit on top of `parent` (None: the head), make it the head, and return its id."""
        commit = f"{len(self._revisions) + 1:040x}"
        self._parents[commit] = self._head if parent is None else parent
        at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        ordered = dict(sorted(files.items()))
        self._revisions[commit] = Revision(commit, "Ada <ada@example.org>", message, at, ordered)
        self._head = commit
        return commit

    async def latest(self, accepted: str) -> SourceState:
        good = await self.revision(accepted)
        if not self.reachable or not self._head:
            text = "cannot fetch" if self._head else "the repository is empty"
            return SourceState(good, Reason.SOURCE_UNREACHABLE, text, "Check the remote.", self._seen)
        head = self._seen = self._head
        self._fetched.update(self._history(head))
        if accepted and accepted not in self._history(head):
            text = f"{head} does not descend from {accepted}"
            hint = f"reconciler accept-history {head}"
            return SourceState(await self.revision(accepted), Reason.HISTORY_REWRITTEN, text, hint, head)
        if head in self.refused:
            good = await self.revision(accepted)
            return SourceState(good, Reason.SOURCE_REFUSED, f"{head} is refused", "Remove it.", head)
        return SourceState(self._revisions[head], head=head)

    async def revision(self, commit: str) -> Revision | None:
        return self._revisions[commit] if commit in self._fetched and commit not in self.refused else None

    def _history(self, commit: str) -> list[str]:
        history = []
        while commit:
            history.append(commit)
            commit = self._parents[commit]
        return history
