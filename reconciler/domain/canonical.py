"""The one form of a JSON value, and what is digested of a stored entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def canonical(value: object) -> str:
    """Write a JSON value in its one form: sorted keys, no blanks, ASCII; raises ValueError or TypeError if it is none.

    ASCII, because a lone surrogate from a host's output must not make an entry unwritable.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(line: Mapping[str, Any]) -> str:
    """Digest a stored entry, all fields but the hash itself: sha256, 64 hex digits."""
    content = {name: value for name, value in line.items() if name != "hash"}
    return sha256(canonical(content).encode()).hexdigest()
