"""Real git repositories, made with git itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


class GitRepo:
    """A bare repository; commits are made from data, with git's plumbing, so that odd trees are possible."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, env=_ENV)

    def git(self, *args: str, data: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *args], input=data, capture_output=True, check=True, env=_ENV
        )
        return done.stdout.decode().strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", data=content)

    def tree(self, entries: list[tuple[str, bytes, str]]) -> str:
        """Write a tree of (mode, name, object id); git is not asked whether that is wise."""
        rows = sorted(entries, key=lambda e: e[1] + (b"/" if e[0] == "40000" else b""))
        raw = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in rows)
        return self.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=raw)

    def files(self, files: Mapping[str, bytes]) -> str:
        """Write a tree of regular files by path and return its id."""
        folders: dict[str, dict[str, bytes]] = {}
        entries: list[tuple[str, bytes, str]] = []
        for path, content in files.items():
            first, _, rest = path.partition("/")
            if rest:
                folders.setdefault(first, {})[rest] = content
            else:
                entries.append(("100644", first.encode(), self.blob(content)))
        entries += [("40000", name.encode(), self.files(inner)) for name, inner in folders.items()]
        return self.tree(entries)

    def commit(
        self, tree: str, *parents: str, message: str = "change", branch: str = "main", key: Path | None = None
    ) -> str:
        """Write a commit, signed by an SSH key if one is given, and let the branch stand at it."""
        args = [arg for parent in parents for arg in ("-p", parent)]
        signing = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"] if key else []
        commit = self.git(*signing, "commit-tree", tree, *args, "-m", message, *(["-S"] if key else []))
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit
