"""The files of one commit, straight from its tree: nothing is checked out, and what is odd is refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pygit2
from pygit2.enums import FileMode, ObjectType

FILE_BYTES = 1 << 20  # the strict YAML reader refuses larger files too
TREE_BYTES = 64 << 20
TREE_ENTRIES = 10_000
DEPTH = 32
PROBLEMS = 20
NAME_BYTES = 255  # NAME_MAX of every file system a person may clone to

_LFS = b"version https://git-lfs.github.com/spec/"
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(slots=True)
class Tree:
    """Regular files by path relative to the folder, and everything in it that is refused."""

    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class _FullError(Exception):
    """A cap was reached; the walk ends here."""


def read_tree(repository: pygit2.Repository, commit: pygit2.Commit, folder: str) -> Tree:
    """Read all regular files below `folder` ("" is the root); raises what pygit2 raises for missing objects."""
    tree = Tree()
    root = folder_of(repository, commit, folder)
    if root is None:
        tree.problems.append(f"there is no directory {folder!r} in the commit")
        return tree
    try:
        _Walk(repository, tree).directory(root, "", 0)
    except _FullError as full:
        tree.problems.append(str(full))
    tree.files = dict(sorted(tree.files.items()))
    return tree


def folder_of(repository: pygit2.Repository, commit: pygit2.Commit, folder: str) -> pygit2.Tree | None:
    """Return the directory at a path of a commit, None when there is none; "" is the root."""
    here = commit.tree
    for part in filter(None, folder.split("/")):
        if part not in here:
            return None
        entry = here[part]
        if entry.filemode != FileMode.TREE or not holds(repository, entry, ObjectType.TREE):
            return None
        here = cast("pygit2.Tree", entry)
    return here


def holds(repository: pygit2.Repository, entry: pygit2.Object, kind: ObjectType) -> bool:
    """Say whether an entry of a directory leads to an object of this kind.

    Its mode is only what the directory says, and libgit2 believes it: to read a tag as a directory ends the process.
    """
    return repository.odb.read_header(entry.id)[0] == kind


def odd_name(raw: bytes) -> str:
    """Say what is wrong with one path component, or return an empty string."""
    if len(raw) > NAME_BYTES:
        return f"has a name of {len(raw)} bytes, more than {NAME_BYTES}"
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "has a name that is not UTF-8"
    for found, text in _oddities(name):
        if found:
            return text
    return ""


def shown(text: str) -> str:
    """Escape what a terminal must not get, for messages about names that somebody else chose."""
    return "".join(c if c.isprintable() and c not in _DIRECTIONS else ascii(c)[1:-1] for c in text)


def _oddities(name: str) -> Iterator[tuple[bool, str]]:
    yield name in {"", ".", ".."} or "/" in name, "has a name that leads elsewhere"
    yield name.lower() == ".git", "is named like git's own folder"
    yield any(unicodedata.category(c) == "Cc" for c in name), "has a control character in its name"
    yield any(c in _DIRECTIONS for c in name), "has a character in its name that turns the writing direction"
    yield any(unicodedata.category(c) in {"Cf", "Zl", "Zp"} for c in name), "has an invisible character in its name"
    yield "\\" in name, "has a backslash in its name"
    yield name[-1:] in {".", " "}, "has a name that ends with a dot or a space"
    yield unicodedata.normalize("NFC", name) != name, "has a name that is not in Unicode's composed form (NFC)"


class _Walk:
    """One walk through a commit's tree, counting against the caps."""

    def __init__(self, repository: pygit2.Repository, tree: Tree) -> None:
        self._repository = repository
        self._tree = tree
        self._entries = 0
        self._bytes = 0

    def directory(self, directory: pygit2.Tree, prefix: str, depth: int) -> None:
        if depth > DEPTH:
            raise _FullError(f"{shown(prefix)}: directories lie deeper than {DEPTH}")
        twins: dict[str, str] = {}
        for entry in directory:
            self._count()
            raw = entry.raw_name or b""
            name = raw.decode("utf-8", "backslashreplace")
            path = prefix + name
            if oddity := odd_name(raw):
                self._refuse(path, oddity)
                continue
            if other := twins.get(name.casefold()):
                self._refuse(path, "is there twice" if other == name else f"differs only in case from {shown(other)}")
            twins[name.casefold()] = name
            self._entry(entry, path, depth)

    def _entry(self, entry: pygit2.Object, path: str, depth: int) -> None:
        match entry.filemode:
            case FileMode.TREE:
                if self._is(entry, path, ObjectType.TREE, "directory"):
                    self.directory(cast("pygit2.Tree", entry), f"{path}/", depth + 1)
            case FileMode.BLOB | FileMode.BLOB_EXECUTABLE:
                if self._is(entry, path, ObjectType.BLOB, "file"):
                    self._file(entry, path)
            case FileMode.LINK:
                self._refuse(path, "is a symbolic link")
            case FileMode.COMMIT:
                self._refuse(path, "is a submodule")
            case mode:
                self._refuse(path, f"has the file mode {int(mode):o}")

    def _is(self, entry: pygit2.Object, path: str, kind: ObjectType, name: str) -> bool:
        fits = holds(self._repository, entry, kind)
        if not fits:
            self._refuse(path, f"is listed as a {name}, but is none")
        return fits

    def _file(self, entry: pygit2.Object, path: str) -> None:
        size = self._repository.odb.read_header(entry.id)[1]  # a blob is not inflated before its size is known
        if size > FILE_BYTES:
            self._refuse(path, f"has {size} bytes, more than {FILE_BYTES}")
            return
        self._bytes += size
        if self._bytes > TREE_BYTES:
            raise _FullError(f"the files have more than {TREE_BYTES} bytes together")
        content = entry.read_raw()
        if content.startswith(_LFS):
            self._refuse(path, "is a pointer to git LFS, its content lies elsewhere")
            return
        self._tree.files[path] = content

    def _count(self) -> None:
        self._entries += 1
        if self._entries > TREE_ENTRIES:
            raise _FullError(f"there are more than {TREE_ENTRIES} files and directories")

    def _refuse(self, path: str, why: str) -> None:
        self._tree.problems.append(f"{shown(path)} {why}")
        if len(self._tree.problems) >= PROBLEMS:
            raise _FullError("and possibly more; reading stopped here")
