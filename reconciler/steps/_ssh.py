"""How a host's script reaches another host by SSH: with a key that stands in no file, and a host key that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from reconciler.domain.desired import SecretRef
from reconciler.steps import Args

# The key goes into an agent of its own, which must not inherit the step's lock (descriptor 9): a step whose process
# was killed would look like one that runs. Keys are dropped after a day, should nobody be left to end the agent.
SSH = r"""
folder=${RECONCILER_VALUES%/*}
config=$folder/ssh_config
ssh_ready() {
  command -v ssh >/dev/null || fail "ssh is not on this host"
  {
    printf '%s\n' "User $1" "Port $2" 'BatchMode yes' 'StrictHostKeyChecking yes' 'ConnectTimeout 15' \
      'ServerAliveInterval 15' 'ServerAliveCountMax 4'
    if [ -n "$HOST_KEY" ]; then
      printf 'the-other-host %s\n' "$HOST_KEY" >"$folder/known_hosts"
      printf '%s\n' 'HostKeyAlias the-other-host' 'GlobalKnownHostsFile /dev/null' \
        "UserKnownHostsFile \"$folder/known_hosts\""
    fi
    [ -z "${SSH_KEY-}" ] || echo 'IdentityFile none'
  } >"$config"
  [ -n "${SSH_KEY-}" ] || return 0
  eval "$(ssh-agent -s 9>&-)" >/dev/null
  trap 'ssh-agent -k >/dev/null' EXIT
  printf '%s\n' "$SSH_KEY" | ssh-add -q -t 86400 - || fail "the SSH key cannot be used"
}
"""


class Source(Args):
    """Another host, and how the host of the step enters it.

    `ssh_key` names a secret, the private key as text; empty for the keys that the step's user has there. `host_key` is
    the public key of the other host, as `ssh-ed25519 AAAA...`; empty for those that the step's host knows already.
    """

    source: str = Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:.]+)$")
    ssh_user: str = Field(default="root", pattern=r"^[a-z_][A-Za-z0-9_.-]*$")
    ssh_port: int = Field(default=22, ge=1, le=65535)
    ssh_key: str = Field(default="", pattern=r"^([A-Za-z0-9_.-]+)?$")
    host_key: str = Field(default="", pattern=r"^([a-z0-9@.-]+ [A-Za-z0-9+/=]+)?$")
    limit_kib_s: int = Field(default=0, ge=0)
    secret_refs: Mapping[str, SecretRef] = {}


Tool = Literal["rsync", "scp"]


def secrets(args: Source) -> dict[str, str]:
    """Return the secret variables that the scripts read."""
    return {"SSH_KEY": f"{{secret:{args.ssh_key}}}"} if args.ssh_key else {}


def used(args: Source) -> dict[str, SecretRef]:
    """Return the references that the secret variables need."""
    return {name: ref for name, ref in args.secret_refs.items() if name == args.ssh_key}


def place(args: Source, path: str = "") -> str:
    """Name the other host, or a path on it, as scp and rsync read it."""
    host = f"[{args.source}]" if ":" in args.source else args.source
    return f"{host}:{path}" if path else host
