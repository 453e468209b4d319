"""What the new commits of a mirror bear for signatures, for `reconciler.domain.trust` to judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pygit2
from pygit2.enums import ObjectType

from reconciler.adapters.git_tree import folder_of, holds
from reconciler.adapters.sshsig import proved_key
from reconciler.domain.signers import FILE, MAX_BYTES, Signers
from reconciler.domain.trust import Commit, Doubted, Mode, News, Signed, judge, signers_of

MAX_NEWS = 5_000
"""How many new commits are looked through at once; a desired state gathers so many in years."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Which commits must be signed, whose keys count as long as the repository says nothing, and the clock."""

    mode: Mode
    signers: Signers
    now: Callable[[], datetime]


class SignedHistory:
    """The commits of one repository, below one folder, under one rule; raises what pygit2 raises for damage."""

    def __init__(self, repository: pygit2.Repository, folder: str, rule: Signatures) -> None:
        self._repository = repository
        self._folder = folder
        self._rule = rule

    def judge(self, head: str, accepted: str, trusted: str) -> Signed | Doubted:
        """Judge `head`; `trusted` is the newest commit whose word on signers counts, "" for none."""
        signers: Signers | Doubted = self._rule.signers
        if trusted:
            signers = signers_of(self._commit(trusted), self._rule.signers)
        if isinstance(signers, Doubted):
            return signers
        news = self._news(head, accepted)
        if len(news.commits) > MAX_NEWS:
            return Doubted(head, f"comes with more than {MAX_NEWS} new commits, too many to look through")
        return judge(news, self._rule.mode, signers, self._rule.now())

    def _news(self, head: str, accepted: str) -> News:
        if not accepted:  # what lies before the first start is nobody's promise
            return News({head: self._commit(head)}, head, "")
        walker = self._repository.walk(head)
        walker.hide(accepted)
        found = (self._commit(str(commit.id)) for commit, _ in zip(walker, range(MAX_NEWS + 1), strict=False))
        return News({commit.id: commit for commit in found}, head, accepted)

    def _commit(self, name: str) -> Commit:
        commit = self._repository[name].peel(pygit2.Commit)
        signature, payload = commit.gpg_signature
        proved = proved_key(payload, signature) if signature and payload is not None else "bears no signature"
        key, flaw = (b"", proved) if isinstance(proved, str) else (proved, "")
        parents = tuple(str(parent) for parent in commit.parent_ids)
        return Commit(str(commit.id), parents, key, flaw, self._file(commit))

    def _file(self, commit: pygit2.Commit) -> bytes | None:
        folder = folder_of(self._repository, commit, self._folder)
        if folder is None or FILE not in folder:
            return None
        entry = folder[FILE]
        if not isinstance(entry, pygit2.Blob) or not holds(self._repository, entry, ObjectType.BLOB):
            return b""
        size = self._repository.odb.read_header(entry.id)[1]  # nothing is inflated before its size is known
        return bytes(MAX_BYTES + 1) if size > MAX_BYTES else entry.data
