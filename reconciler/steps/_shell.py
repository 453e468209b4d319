"""What every script of this room begins with."""

from __future__ import annotations

# Tools answer in English, files are ours alone, and a value cannot smuggle a second line into the values file.
PRELUDE = r"""set -eu
umask 077
LC_ALL=C
export LC_ALL
fail() { printf '%s\n' "$*" >&2; exit 1; }
value() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | tr '\000-\037' ' ')" >>"$RECONCILER_VALUES"; }
flush() { sync -- "$@" 2>/dev/null || sync; }
digest() { printf '%s' "$1" | sha256sum | cut -c 1-64; }
"""


def flag(chosen: bool | None) -> str:
    """Render a choice as a positional argument: yes, no, or empty for none."""
    return "" if chosen is None else "yes" if chosen else "no"
