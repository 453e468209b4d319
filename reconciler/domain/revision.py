"""A commit of the desired-state repository, with its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit. `files` maps POSIX path relative to the desired-state folder to content, sorted by path."""

    commit: str
    author: str
    message: str
    at: datetime
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the source gave: the newest acceptable revision, or the last good one beside the reason for its age."""

    revision: Revision | None
    problem: str = ""  # a reason code, empty when the newest revision is in `revision`
    text: str = ""
    hint: str = ""
    head: str = ""  # the newest commit seen, acceptable or not
    signed_by: str = ""  # whose signature let the newest revision in, with the key; empty when none was asked for
