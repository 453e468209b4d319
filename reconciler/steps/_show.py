"""How step kinds show what they run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping


def typed(argv: Iterable[str], env: Mapping[str, str] | None = None, cwd: str = "") -> str:
    """Join a command as a person would type it, on one line; placeholders of secrets are left as they stand."""
    words = [*(f"{name}={shlex.quote(value)}" for name, value in (env or {}).items()), shlex.join(argv)]
    line = " ".join([*(["cd", shlex.quote(cwd), "&&"] if cwd else []), *words])
    return line.replace("\n", "\\n")
