"""A desired state in a folder on disk, read with the same eyes as one in git."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.adapters.git_tree import DEPTH, FILE_BYTES, TREE_BYTES, TREE_ENTRIES, odd_name, shown
from reconciler.domain.reasons import Reason
from reconciler.errors import SourceError


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return all regular files below a folder by POSIX path relative to it; `.git` is left out.

    Raises SourceError, which lists everything that the daemon would refuse: links, odd names, too much.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise SourceError(f"{folder} {what}", reason=str(Reason.SOURCE_REFUSED), hint="Name the one with fleet.yaml.")
    found: dict[str, bytes] = {}
    problems: list[str] = []
    size = 0
    for count, path in enumerate(_walk(folder), start=1):
        name = path.relative_to(folder).as_posix()
        if problem := _problem(path, name):
            problems.append(f"{shown(name)} {problem}")
        elif not path.is_dir():
            found[name] = path.read_bytes()
            size += len(found[name])
        if count > TREE_ENTRIES or size > TREE_BYTES:
            problems.append(f"there are more than {TREE_ENTRIES} files or {TREE_BYTES} bytes; reading stopped here")
            break
    if problems:
        hint = "Remove what is named here: it is never followed."
        raise SourceError("\n".join(sorted(problems)), reason=str(Reason.SOURCE_REFUSED), hint=hint)
    return dict(sorted(found.items()))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield everything below, without following links."""
    for place, folders, names in os.walk(folder):
        if Path(place) == folder and ".git" in folders:
            folders.remove(".git")
        folders.sort()
        yield from (Path(place, name) for name in sorted((*folders, *names)) if (Path(place), name) != (folder, ".git"))


def _problem(path: Path, name: str) -> str:
    """Say why an entry is refused, nothing when it is not."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "is a symlink"
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        return "is neither a file nor a folder"
    if stat.S_ISREG(status.st_mode) and status.st_size > FILE_BYTES:
        return f"has {status.st_size} bytes, more than {FILE_BYTES}"
    if name.count("/") >= DEPTH:
        return f"lies deeper than {DEPTH} folders"
    return odd_name(os.fsencode(path.name))
