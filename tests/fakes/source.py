"""A source in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.domain.reasons import Reason
from reconciler.domain.revision import Revision, SourceState
from reconciler.domain.signers import FILE, Signers
from reconciler.domain.trust import Commit, Doubted, Mode, News, Signed, judge, signers_of, unverified_hint


class MemorySource:
    """A history of commits; `reachable` and `refused` say how the remote behaves, `unheard` what was fetched untold.

    Once `signers` is set, commits must be signed: `sign` says with which key, and `files` may hold `allowed_signers`.
    """

    def __init__(self) -> None:
        self.mode: Mode = "head"
        self.signers: Signers | None = None
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self._keys: dict[str, bytes] = {}
        self._merged: dict[str, str] = {}
        self.reachable = True
        self.unheard = False
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

    def sign(self, commit: str, key: bytes) -> None:
        """Let a key have signed a commit."""
        self._keys[commit] = key

    def merge(self, commit: str, other: str) -> None:
        """Give a commit a second parent."""
        self._merged[commit] = other

    def commit(self, files: Mapping[str, bytes], parent: str | None = None, message: str = "change") -> str:
        """Add a commit on top of `parent` (None: the head), make it the head, and return its id."""
        commit = f"{len(self._revisions) + 1:040x}"
        self._parents[commit] = self._head if parent is None else parent
        at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        ordered = dict(sorted(files.items()))
        self._revisions[commit] = Revision(commit, "Ada <ada@example.org>", message, at, ordered)
        self._head = commit
        return commit

    async def latest(self, accepted: str, trusted: str = "") -> SourceState:
        good = await self.revision(accepted)
        if not self.reachable or not self._head:
            text = "cannot fetch" if self._head else "the repository is empty"
            return SourceState(good, Reason.SOURCE_UNREACHABLE, text, "Check the remote.", self._seen)
        head = self._seen = self._head
        self._fetched.update(self._history(head))
        if self.unheard:
            return SourceState(good, Reason.SOURCE_UNREACHABLE, "the link was lost", "Check the remote.", self._seen)
        if accepted and accepted not in self._history(head):
            text = f"{head} does not descend from {accepted}"
            hint = f"reconciler accept-history {head}"
            return SourceState(await self.revision(accepted), Reason.HISTORY_REWRITTEN, text, hint, head)
        judged = self._judged(accepted, trusted)
        if isinstance(judged, Doubted):
            good = await self.revision(accepted)
            text = f"{judged.commit} {judged.text}"
            return SourceState(good, Reason.SOURCE_UNVERIFIED, text, unverified_hint(head), head)
        if head in self.refused:
            good = await self.revision(accepted)
            return SourceState(good, Reason.SOURCE_REFUSED, f"{head} is refused", "Remove it.", head)
        return SourceState(self._revisions[head], head=head, signed_by=judged.by)

    async def revision(self, commit: str) -> Revision | None:
        return self._revisions[commit] if commit in self._fetched and commit not in self.refused else None

    def _judged(self, accepted: str, trusted: str) -> Signed | Doubted:
        if self.signers is None or self._head == accepted:
            return Signed("")
        signers = signers_of(self._signed(trusted), self.signers) if trusted else self.signers
        if isinstance(signers, Doubted):
            return signers
        old = self._history(accepted) if accepted else set(self._history(self._head)) - {self._head}
        new = {each: self._signed(each) for each in self._history(self._head) if each not in old}
        return judge(News(new, self._head, accepted), self.mode, signers, self.now)

    def _signed(self, commit: str) -> Commit:
        parents = tuple(filter(None, (self._parents[commit], self._merged.get(commit, ""))))
        key = self._keys.get(commit, b"")
        return Commit(commit, parents, key, signers=self._revisions[commit].files.get(FILE))

    def _history(self, commit: str) -> set[str]:
        history: set[str] = set()
        waiting = [commit]
        while waiting:
            each = waiting.pop()
            if each and each not in history:
                history.add(each)
                waiting += [self._parents[each], self._merged.get(each, "")]
        return history
