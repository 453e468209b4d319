"""Scripts as sh text: the one place where words are quoted for a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from reconciler.domain.effect import HostScript

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quote(words: Iterable[str]) -> str:
    """Quote words for POSIX sh; raises ValueError for what no shell can hold: NUL and lone surrogates."""
    return " ".join(_word(word) for word in words)


def render_script(script: HostScript) -> str:
    """Write out what is kept on the host as the step's `script`: environment, arguments, body; no secrets."""
    exports = [f"export {_name(name)}={_word(value)}\n" for name, value in script.env.items()]
    return "".join(exports) + f"set -- {quote(script.args)}\n{script.body}\n"


def render_secrets(secrets: Mapping[str, str]) -> str:
    """Write assignments of unexported shell variables; `unset` first, or an inherited name would stay exported."""
    return "".join(f"unset {_name(name)}; {name}={_word(value)}\n" for name, value in secrets.items())


def _word(word: str) -> str:
    if "\0" in word:
        raise ValueError("a shell word cannot hold NUL")
    word.encode()  # UnicodeEncodeError is a ValueError
    return shlex.quote(word)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of a shell variable: {name!r}")
    return name
