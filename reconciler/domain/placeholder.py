"""Placeholders in texts of the desired state: `{name}`, `{secret:NAME}` and, in procedures, `{value:NAME.KEY}`.

A brace that does not enclose a single word is text, so JSON, ini files and shell snippets stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{(secret:[^{}\s]*|[a-z][a-z0-9_]*)\}")
VALUE = re.compile(r"\{value:([^{}\s]+)\.([^{}\s.]+)\}")
SECRET = "secret:"  # noqa: S105 - a prefix
# What every service knows, beside the variables of the host and its own: all but `env` stand on any build.
WORDS = frozenset({"release", "version", "env", "host", "address", "service"})
LEG_WORDS = frozenset({"from", "onto", "bootstrap"})  # what actions of a procedure know beside these


def placeholders(text: str) -> tuple[str, ...]:
    """List the words in braces in order, secrets as `secret:NAME`."""
    return tuple(found.group(1) for found in PLACEHOLDER.finditer(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders that `values` knows, once; all others stay as they are."""
    return PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group(0)), text)
