"""Keeps the mirror small in files: what each fetch brought is put into one pack now and then, as `git gc` does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pygit2

from reconciler.adapters.durable import sync

MOST_FILES = 100
"""So many files of objects the mirror may have; each fetch brings two or more."""


def repack(repository: pygit2.Repository, most: int = MOST_FILES) -> bool:
    """Put all objects into one pack where there are too many files of them; says whether it did.

    No object is lost, also none that no branch reaches: the accepted commit may be one, after a rewritten history.
    The new pack is on disk before the old files go; one that was left half-way is made anew.
    Raises OSError and pygit2.GitError.
    """
    objects = Path(repository.path) / "objects"
    old = {*(objects / "pack").glob("pack-*"), *objects.glob("[0-9a-f][0-9a-f]/*")}
    if len(old) <= most:
        return False
    new = objects / "pack.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    repository.pack(new, n_threads=1)
    placed = {_placed(file, objects / "pack") for file in sorted(new.iterdir(), key=lambda file: file.suffix == ".idx")}
    sync(objects / "pack")
    new.rmdir()
    for file in old - placed:
        file.unlink()
    return True


def _placed(file: Path, folder: Path) -> Path:
    """Move a file into a folder, on disk before it can be found there; an index comes after its pack."""
    sync(file)
    return file.rename(folder / file.name)
