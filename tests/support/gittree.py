"""Commits made from recipes, object by object, so that nothing stops them from being wrong.

A recipe is a list of entries, each with `mode`, `name` (or `name_hex`) and what it leads to: `text`, `size` (a file of so
many bytes), `tree` (a recipe), `deep` (so many directories in each other), `commit`, `tag`, or `missing` (an object that is
not there). `times` repeats an entry, with the number put in place of `%d` in its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pygit2
from pygit2.enums import ObjectType

MISSING = "12" * 20
_WHO = pygit2.Signature("Ada", "ada@example.org", 1767323045)

Recipe = Sequence[Mapping[str, Any]]


def committed(folder: Path, recipe: Recipe) -> tuple[pygit2.Repository, pygit2.Commit]:
    """Make a repository with one commit, of the tree of a recipe."""
    repository = pygit2.init_repository(str(folder), bare=True)
    return repository, commit_of(repository, written(repository, recipe))


def commit_of(repository: pygit2.Repository, tree: pygit2.Oid) -> pygit2.Commit:
    """Write a commit of whatever is named as its tree."""
    text = (
        f"tree {tree}\nauthor A <a@example.org> 1767323045 +0000\ncommitter A <a@example.org> 1767323045 +0000\n\nx\n"
    )
    found = repository[repository.odb.write(ObjectType.COMMIT, text.encode())]
    assert isinstance(found, pygit2.Commit)
    return found


def written(repository: pygit2.Repository, recipe: Recipe) -> pygit2.Oid:
    """Write a tree; its entries stand in git's order."""
    rows = sorted(_rows(repository, recipe), key=lambda row: row[1] + (b"/" if row[0] == b"40000" else b""))
    raw = b"".join(mode + b" " + name + b"\0" + oid.raw for mode, name, oid in rows)
    return repository.odb.write(ObjectType.TREE, raw)


def _rows(repository: pygit2.Repository, recipe: Recipe) -> Iterator[tuple[bytes, bytes, pygit2.Oid]]:
    for entry in recipe:
        leads_to = _object(repository, entry)
        name = bytes.fromhex(entry["name_hex"]) if "name_hex" in entry else entry["name"].encode()
        for number in range(entry.get("times", 1)):
            yield entry["mode"].encode(), name.replace(b"%d", b"%05d" % number), leads_to


def _object(repository: pygit2.Repository, entry: Mapping[str, Any]) -> pygit2.Oid:
    match entry:
        case {"text": str(text)}:
            return repository.create_blob(text.encode())
        case {"size": int(size)}:
            return repository.create_blob(b"x" * size)
        case {"tree": list(recipe)}:
            return written(repository, recipe)
        case {"deep": int(depth)}:
            inner: Recipe = [{"mode": "100644", "name": "f", "text": "x"}]
            for _ in range(depth):
                inner = [{"mode": "40000", "name": "d", "tree": inner}]
            return written(repository, inner)
        case {"commit": True}:
            return commit_of(repository, written(repository, [])).id
        case {"tag": True}:
            target = commit_of(repository, written(repository, [])).id
            return repository.create_tag(f"t{len(list(repository.references))}", target, ObjectType.COMMIT, _WHO, "x")
    return pygit2.Oid(hex=MISSING)
