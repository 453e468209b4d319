"""Keeps secrets out of every text that is shown or kept."""

from __future__ import annotations

import html
import json
import re
import shlex
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from reconciler.domain.plan import Json

MIN_REDACTED = 4
MIN_ENCODED = 8
"""Of base64 and hex at least so many characters are looked for: fewer would be found in digests by chance."""

REDACTED = "[redacted]"


class Redactor:
    """Knows secrets and replaces them in any text, also as they look in URLs, JSON, HTML, shell words, base64 and hex.

    A secret of fewer than MIN_REDACTED characters is not replaced: it would tear up ordinary text and give itself
    away by that. The lines of a secret of several lines, such as a private key, are replaced one by one too.
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secret: str) -> None:
        """Replace this secret from now on."""
        forms = {form for form in _forms_of(secret) if len(form) >= MIN_REDACTED} - self._forms
        if forms:
            self._forms |= forms
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """Replace every known secret in a text."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def redact_all(self, value: Json) -> Json:
        """Replace every known secret in all texts of a JSON value, keys among them."""
        match value:
            case str():
                return self.redact(value)
            case list():
                return [self.redact_all(item) for item in value]
            case dict():
                return {self.redact(key): self.redact_all(item) for key, item in value.items()}
            case _:
                return value


def _forms_of(secret: str) -> set[str]:
    """Return how a secret may look, whole or line by line."""
    lines = {line.strip() for line in secret.splitlines() if not line.startswith("-----")}
    plain = {secret, secret.strip()} | (lines if "\n" in secret else set())
    return (
        plain | {form for text in plain for form in _quoted(text)} | {form for text in plain for form in _coded(text)}
    )


def _quoted(text: str) -> Iterator[str]:
    yield repr(text)[1:-1]
    yield shlex.quote(text)
    yield quote_plus(text)
    yield html.escape(text)
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    percent = quote(text, safe="")
    yield percent
    yield re.sub("%..", lambda code: code[0].lower(), percent)


def _coded(text: str) -> Iterator[str]:
    """Encode a text as it may stand in the middle of something larger, such as the user and password of Basic auth.

    Three bytes make four characters of base64. By how many bytes stand before the text, its first character or two
    mix with them, and its last one with what follows: these are left out.
    """
    raw = text.encode(errors="surrogatepass")
    found = [raw.hex(), raw.hex().upper()]
    for before in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            whole = encode(bytes(before) + raw).decode().rstrip("=")
            last = -1 if (before + len(raw)) % 3 else None
            found.append(whole[(0, 2, 3)[before] : last])
    yield from (form for form in found if len(form) >= MIN_ENCODED)
