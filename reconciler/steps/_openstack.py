"""How scripts call the `openstack` command line of a host, with credentials that came by stdin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import HostScript
from reconciler.steps import Args
from reconciler.steps._show import typed

# What came by stdin is exported to the command alone. "No such thing" has the exit code of any other trouble, so it is
# known by its sentence; all else is an error.
OPENSTACK = r"""
program=$1 names=$2
shift 2
command -v "$program" >/dev/null || fail "$program is not on this host"
trouble=${RECONCILER_VALUES%/*}/trouble
os() ( for name in $names; do export "$name"; done; exec "$program" "$@" )

# answer WORDS...: prints what a question brings, without blank lines; nothing where there is no such thing.
answer() {
  if said=$(os "$@" 2>"$trouble"); then printf '%s\n' "$said" | sed '/^ *$/d'; return 0; fi
  grep -qE 'No [A-Za-z ]+ (with a name or ID of|found for) |[0-9a-f-]{32,36} could not be found' "$trouble" ||
    fail "$(tail -n 5 -- "$trouble")"
}
"""

Name = Annotated[str, Field(pattern=r"^OS_[A-Z0-9_]+$")]


class Cloud(Args):
    """Who asks: `env` holds the OS_ variables of the command line, which may hold `{secret:NAME}`."""

    env: Mapping[Name, str] = {}
    program: str = Field(default="openstack", pattern=r"^[A-Za-z0-9_./+-]+$")
    secret_refs: Mapping[str, SecretRef] = {}


def script(args: Cloud, body: str, words: Iterable[str]) -> HostScript:
    """Render a script of this kind: credentials by stdin, all else of the environment as it is."""
    secrets = {name: text for name, text in args.env.items() if "{secret:" in text}
    plain = {name: text for name, text in args.env.items() if name not in secrets}
    return HostScript(
        body=body,
        args=(args.program, " ".join(sorted(secrets)), *words),
        env=plain,
        secrets=secrets,
        secret_refs=args.secret_refs if secrets else {},
    )


def shown(args: Cloud, *words: str) -> str:
    """Show a call."""
    return typed((args.program, *words))
