"""Who may sign commits: the lines of an `allowed_signers` file, as ssh-keygen(1) describes it, read strictly."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

FILE = "allowed_signers"
"""Its name in the folder of the desired state."""

KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "sk-ssh-ed25519@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-rsa",
    }
)
MAX_BYTES = 1 << 20
_OPTIONS = re.compile(r'[A-Za-z-]+(?:="[^"]*")?(?:,[A-Za-z-]+(?:="[^"]*")?)*')
_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True)
class Signer:
    """One line: a key, whose it is, and from when until when it counts."""

    principals: str
    key: bytes  # the public key as it goes over the wire
    line: int
    valid_after: datetime | None = None
    valid_before: datetime | None = None

    def objection(self, now: datetime) -> str:
        """Say why the key does not count at a time; empty when it does."""
        if self.valid_after is not None and now < self.valid_after:
            return f"counts only from {self.valid_after:%Y-%m-%d %H:%M}Z on"
        if self.valid_before is not None and now >= self.valid_before:
            return f"counted only before {self.valid_before:%Y-%m-%d %H:%M}Z"
        return ""


@dataclass(frozen=True, slots=True)
class Signers:
    """All lines of one file; `place` names it in messages."""

    place: str
    lines: tuple[Signer, ...]

    def of(self, key: bytes) -> tuple[Signer, ...]:
        """Return the lines of a key."""
        return tuple(line for line in self.lines if line.key == key)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Every problem with a file, each `PLACE:LINE: what, what to do`."""

    problems: tuple[str, ...]


def fingerprint(key: bytes) -> str:
    """Name a public key as `ssh-keygen -l` does."""
    return "SHA256:" + base64.b64encode(sha256(key).digest()).decode().rstrip("=")


def read_signers(content: bytes, place: str) -> Signers | Unreadable:
    """Read a file; all its problems come back at once. One without any signer is a problem too."""
    if len(content) > MAX_BYTES:
        return Unreadable((f"{place}: is larger than {MAX_BYTES} bytes",))
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Unreadable((f"{place}:{line}: is not UTF-8",))
    lines: list[Signer] = []
    problems: list[str] = []
    for number, row in enumerate(text.split("\n"), 1):
        try:
            lines += _signers(row.replace("\t", " ").strip(), number)
        except ValueError as error:
            problems.append(f"{place}:{number}: {error}")
    if not lines and not problems:
        problems.append(f'{place}: names nobody; write one line per key: `NAME namespaces="git" ssh-ed25519 AAAA...`')
    return Unreadable(tuple(problems)) if problems else Signers(place, tuple(lines))


def _signers(text: str, number: int) -> Iterator[Signer]:
    """Yield the signer of a line, none for a blank one and a comment; raises ValueError."""
    if not text or text.startswith("#"):
        return
    if not text.isprintable():
        raise ValueError("holds a control or invisible character")
    principals, *rest = _words(text)
    if principals in KEY_TYPES or not rest:
        raise ValueError('a line is `NAME namespaces="git" TYPE KEY`; the name is missing')
    options = {} if rest[0] in KEY_TYPES else _options(rest.pop(0))
    if options.get("namespaces") != "git":
        raise ValueError('lacks `namespaces="git"`: without it a signature over anything else could pass for a commit')
    after, before = (_moment(options.get(name)) for name in ("valid-after", "valid-before"))
    yield Signer(principals, _key(rest), number, after, before)


def _words(text: str) -> list[str]:
    """Split at blanks that are not within quotes."""
    return re.findall(r'(?:[^\s"]|"[^"]*"?)+', text)


def _options(word: str) -> dict[str, str]:
    if not _OPTIONS.fullmatch(word):
        known = ", ".join(sorted(KEY_TYPES))
        raise ValueError(f"{word[:60]!r} is neither a list of options nor a type of key that is taken; known: {known}")
    found: dict[str, str] = {}
    for name, value in re.findall(r'([A-Za-z-]+)(?:="([^"]*)")?', word):
        key = name.lower()
        if key == "cert-authority":
            raise ValueError("certificate authorities are not supported; name each signer's own key")
        if key not in {"namespaces", "valid-after", "valid-before"}:
            raise ValueError(f"there is no option {name!r}; known: namespaces, valid-after, valid-before")
        if key in found:
            raise ValueError(f"the option {name!r} stands there twice")
        found[key] = value
    return found


def _key(words: list[str]) -> bytes:
    kind, text, *_ = [*words, "", ""]
    if kind not in KEY_TYPES:
        raise ValueError(f"{kind[:60]!r} is no type of key that is taken; known: {', '.join(sorted(KEY_TYPES))}")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the key is not base64; copy it again from the .pub file") from None
    name = kind.encode()
    if not key.startswith(len(name).to_bytes(4, "big") + name) or len(key) <= len(name) + 4:
        raise ValueError(f"the key is not one of type {kind}; copy it again from the .pub file")
    return key


def _moment(text: str | None) -> datetime | None:
    """Read a time of ssh-keygen; one without Z would mean whatever zone a machine is in."""
    if text is None:
        return None
    pattern = _FORMATS.get(len(text) - 1)
    if not text.endswith("Z") or pattern is None or not text[:-1].isdecimal():
        raise ValueError(f"the time {text!r} must be YYYYMMDD[HHMM[SS]]Z, in UTC")
    try:
        return datetime.strptime(text[:-1], pattern).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"there is no time {text!r}") from None
