"""More of what is fuzzed: git's objects and signatures, settings, versions, the runner's answers, recorded observations."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp

import pygit2
from pydantic import TypeAdapter, ValidationError
from pygit2.enums import ObjectType

from reconciler.adapters.git_mirror import BROKEN
from reconciler.adapters.git_tree import Tree, odd_name, read_tree
from reconciler.adapters.runner import Reply
from reconciler.adapters.sshsig import proved_key
from reconciler.desired import words
from reconciler.domain.chain import Break, from_lines, seal, to_line, verify
from reconciler.domain.journal import GENESIS, Draft
from reconciler.domain.observation import Observations
from reconciler.domain.signers import Signers, Unreadable, read_signers
from reconciler.domain.version import DEB, RPM
from reconciler.errors import JournalError, ReconcilerError, SettingsError
from reconciler.planning.observed_json import observed_from_json
from reconciler.settings import Settings, read_settings
from tests.support.gittree import commit_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MODES = (b"100644", b"40000", b"100755", b"120000", b"160000", b"100664", b"0", b"abc")


def trees(data: bytes) -> None:
    """Read a commit's tree: entries are MODE KIND LENGTH NAME, and 255 makes what there is a directory of its own."""
    repository, objects = _objects()
    rows: list[bytes] = []
    kinds = list(objects)
    while len(data) > 2:
        if data[0] == 255:
            kinds[1] = repository.odb.write(ObjectType.TREE, b"".join(rows))
            rows, data = [], data[1:]
            continue
        mode, leads_to, end = MODES[data[0] % len(MODES)], kinds[data[1] % len(kinds)], 3 + data[2]
        rows.append(mode + b" " + data[3:end].replace(b"\0", b"") + b"\0" + leads_to.raw)
        data = data[end:]
    try:
        found = read_tree(repository, commit_of(repository, repository.odb.write(ObjectType.TREE, b"".join(rows))), "")
    except BROKEN:
        return
    assert isinstance(found, Tree)
    assert all(each.isprintable() for each in found.problems)
    assert not any(odd_name(part.encode()) for path in found.files for part in path.split("/"))


def signers(data: bytes) -> None:
    """Read who may sign."""
    found = read_signers(data, "allowed_signers")
    assert isinstance(found, Signers | Unreadable)
    if isinstance(found, Unreadable):
        assert found.problems
        assert all("\n" not in each for each in found.problems)


def signatures(data: bytes) -> None:
    """Read a signature: as it stands, or, when it begins with a NUL, in the armor that it belongs in."""
    if data[:1] == b"\0":
        lines = b"\n".join(base64.b64encode(data[1:])[start : start + 70] for start in range(0, len(data) * 2, 70))
        data = b"-----BEGIN SSH SIGNATURE-----\n" + lines.rstrip() + b"\n-----END SSH SIGNATURE-----\n"
    assert isinstance(proved_key(b"tree 1234\n\nmessage\n", data), bytes | str)


def settings(data: bytes) -> None:
    """Read a file of settings."""
    file = Path(_folder()) / "reconciler.toml"
    file.write_bytes(data)
    try:
        found = read_settings(file)
    except SettingsError as error:
        assert str(error)  # noqa: PT017 - that it says why is all there is to know
        return
    assert isinstance(found, Settings)
    assert found.web.address[1] <= 65535


def versions(data: bytes) -> None:
    """Read versions of packages: what git may say must be what hosts can tell."""
    text = data.decode("utf-8", "replace")
    for kind, form in ((words.DebVersion, DEB), (words.RpmVersion, RPM)):
        try:
            TypeAdapter(kind).validate_python(text)
        except ValidationError:
            assert "{" in text or not re.fullmatch(form, text)
        else:
            assert "{" in text or re.fullmatch(form, text)


def replies(data: bytes) -> None:
    """Read a runner's answer in pieces: the first byte says how long they are, and that changes nothing."""
    if not data:
        return
    size, rest = data[0] + 1, b"reconciler 1\n" + data[1:]
    whole, pieces = Reply(), Reply()
    whole.feed(rest)
    for start in range(0, len(rest), size):
        pieces.feed(rest[start : start + size])
    assert (whole.steps, whole.answers, whole.ended) == (pieces.steps, pieces.answers, pieces.ended)
    assert whole.broken.isprintable()


def recorded(data: bytes) -> None:
    """Read a recorded observation."""
    try:
        found = observed_from_json(data)
    except ReconcilerError as error:
        assert str(error)  # noqa: PT017 - as above
        return
    assert isinstance(found, Observations)


def entries(data: bytes) -> None:
    """Write journal entries with these texts, and read them back; with any two neighbours exchanged they are a break."""
    sealed, prev = [], GENESIS
    try:
        for seq, text in enumerate(data.decode("utf-8", "surrogateescape").split("\n")[:8], 1):
            sealed.append(seal(Draft(kind=text[:20], body={text: [text, seq]}, group=text), seq, NOW, prev))
            prev = sealed[-1].hash
    except JournalError:
        return
    assert from_lines([to_line(each) for each in sealed]) == sealed
    for one, other in pairwise(range(len(sealed))):
        mixed = list(sealed)
        mixed[one], mixed[other] = mixed[other], mixed[one]
        assert isinstance(verify(mixed), Break)


OUTSIDE: Mapping[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (trees, signers, signatures, settings, versions, replies, recorded, entries)
}


@cache
def _folder() -> str:
    for name in [each for each in os.environ if each.startswith("RECONCILER_")]:
        del os.environ[name]
    return mkdtemp(prefix="fuzz-")


@cache
def _objects() -> tuple[pygit2.Repository, tuple[pygit2.Oid, ...]]:
    """Make one object of each kind that an entry may lead to: file, directory, commit, tag, none, a pointer, a large one."""
    repository = pygit2.init_repository(f"{_folder()}/git", bare=True)
    empty = repository.odb.write(ObjectType.TREE, b"")
    commit = commit_of(repository, empty).id
    tag = f"object {commit}\ntype commit\ntag t\ntagger A <a@example.org> 1 +0000\n\nx\n"
    return repository, (
        repository.create_blob(b"fleet: {}\n"),
        empty,
        commit,
        repository.odb.write(ObjectType.TAG, tag.encode()),
        pygit2.Oid(hex="12" * 20),
        repository.create_blob(b"version https://git-lfs.github.com/spec/v1\n"),
        repository.create_blob(b"x" * ((1 << 20) + 1)),
    )
