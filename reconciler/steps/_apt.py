"""How scripts call apt-get: without questions, and waiting for its locks."""

from __future__ import annotations

OPTIONS = (
    *("-o", "DPkg::Lock::Timeout=60"),
    *("-o", "Dpkg::Options::=--force-confdef"),
    *("-o", "Dpkg::Options::=--force-confold"),
)
"""It waits for dpkg's lock, and keeps configuration files as they are: they are ours."""

APT = rf"""
# apt waits for dpkg's lock, but not for those of its lists and its archives, which its timers and steps beside us take.
errors=${{RECONCILER_VALUES%/*}}/apt-errors
get() {{
  deadline=$(($(date +%s) + 60))
  until try "$@"; do
    grep -q '^E: Could not get lock /var/[a-z]*/apt/' "$errors" && [ "$(date +%s)" -lt "$deadline" ] || return "$code"
    sleep 1
  done
}}
try() {{
  verb=$1; shift
  code=0
  apt-get "$verb" -y -q "$@" {" ".join(OPTIONS)} 2>"$errors" || code=$?
  cat -- "$errors" >&2
  return "$code"
}}
"""


def called(verb: str, *words: str) -> tuple[str, ...]:
    """Return the call as it runs: what a reader looks for first, the options of every call last."""
    return ("apt-get", verb, "-y", "-q", *words, *OPTIONS)
