"""The forms that versions of packages have, as dpkg and rpm write them: the number 0 of an epoch is not written."""

from __future__ import annotations

EPOCH = r"[1-9][0-9]{0,8}"

DEB = rf"(?:{EPOCH}:)?[0-9](?:[A-Za-z0-9.+~-]*[A-Za-z0-9.+~])?"
"""What stands behind the last `-` is the revision, and is not empty: see deb-version(7)."""

_PART = r"(?:\.|\.?(?:[A-Za-z0-9_+~^]\.?)+)"
RPM = rf"(?:{EPOCH}:)?{_PART}-{_PART}"
"""Version and release, neither with two dots in a row, which rpmbuild refuses."""

NUMBERS = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}"
"""Numbers and dots alone, as Python packages of finished releases have them."""
