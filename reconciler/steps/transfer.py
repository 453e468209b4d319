"""Brings a dump from another host, or straight from another database server, into the backup set of this host."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, _dumps, _ssh, backup
from reconciler.steps._dumps import Target
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed
from reconciler.steps._ssh import SSH, Source

KIND = "transfer"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE = "host"
PLAIN = r"/[A-Za-z0-9._@+/-]*[A-Za-z0-9._@+-]"

# Words of a remote command are read by a shell over there: the paths were checked against plain characters.
_PULL = r"""
host=$1 place=$2 from=$3/${4:-$RECONCILER_RUN} to=$5/$RECONCILER_RUN file=$6 absent=$7 tool=$8 limit=$9
unreadable() { printf '%s\n' "$*" >&2; exit 65; }
sum_of() { sha256sum <"$1" | cut -c 1-64; }
far() { ssh -F "$config" -- "$host" "$@"; }
pull() {
  case $tool in
  rsync) rsync -e "ssh -F '$config'" --partial --inplace ${limit:+--bwlimit="$limit"} -- "$place:$1" "$2" ;;
  scp) scp -q -F "$config" ${limit:+-l "$((limit * 8))"} -- "$place:$1" "$2" ;;
  esac
}
tell() {
  value path "$to/$file"
  value sha256 "$wanted"
  value bytes "$(wc -c <"$to/$file" | tr -d ' ')"
}

mkdir -p -- "$to"
if [ -f "$to/$file" ] && [ -f "$to/$file.sha256" ]; then
  wanted=$(cut -c 1-64 <"$to/$file.sha256")
  [ "$(sum_of "$to/$file")" = "$wanted" ] || unreadable "$to/$file differs from its checksum"
  echo "kept: $to/$file"
  tell
  exit 0
fi
ssh_ready "$user" "$port"
told=$(far "if [ -n '$absent' ] && [ -e '$from/$absent' ]; then echo absent
  elif [ -f '$from/$file' ]; then
    wc -c <'$from/$file'; cat '$from/$file.sha256' 2>/dev/null || sha256sum <'$from/$file'
  else echo missing; fi") || fail "$host cannot be entered"
case $told in
absent)
  : >"$to/$absent"
  flush "$to/$absent" "$to"
  value absent yes
  exit 0 ;;
missing) fail "$from/$file is not on $host" ;;
esac
need=$(printf '%s\n' "$told" | sed -n '1s/[^0-9]//g;1p')
wanted=$(printf '%s\n' "$told" | sed -n 2p | cut -c 1-64)
[ "${#wanted}" = 64 ] || unreadable "$from/$file has no checksum"
part=$to/$file.part
[ ! -f "$part" ] || need=$((need - $(wc -c <"$part")))
free=$(df -Pk -- "$to" | awk 'NR == 2 { print $4 }')
[ "$((need / 1024 + 1024))" -le "$free" ] || fail "no space for $((need / 1024)) KiB in $to: $free KiB are free"
pull "$from/$file" "$part" || fail "$tool: exit code $?"
if [ "$(sum_of "$part")" != "$wanted" ]; then
  rm -f -- "$part"
  unreadable "what came of $from/$file differs from its checksum"
fi
printf '%s  %s\n' "$wanted" "$file" >"$to/$file.sha256"
flush "$part" "$to/$file.sha256"
mv -f -- "$part" "$to/$file"
flush "$to"
echo "transferred: $to/$file"
tell
"""

BODY = PRELUDE + SSH + "user=$1 port=$2\nshift 2\n" + _PULL


class Login(Args):
    """An account of the server that is asked for a dump; `password` names a secret."""

    host: str = Field(pattern=r"^[A-Za-z0-9:\[][A-Za-z0-9.:\[\]-]*$")
    port: int = Field(default=3306, ge=1, le=65535)
    user: str
    dbname: str = Field(pattern=r"^[A-Za-z0-9_$][A-Za-z0-9_$-]*$")
    password: str = ""


class Model(Target, Source):
    """What is brought: the dump of a database, or another `file` of the backup set; and from where.

    Either `source` is a host, in whose `source_dir` (empty: the same folder as here) the set of this run, or of `run`,
    lies; or `dump_from` is a server that is asked for a dump, `master_data` with its place in the binary log.
    """

    source: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:.]+)?$")
    source_dir: str = ""
    run: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")
    file: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")
    tool: Literal["rsync", "scp"] = "scp"
    dump_from: Login | None = None
    master_data: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.source) == bool(self.dump_from):
            raise ValueError("either a source host is named, or a server that is asked for a dump")
        if self.source and not re.fullmatch(PLAIN, _there(self)):
            raise ValueError("the folder on the source host has characters that its shell would read")
        if self.dump_from and (self.engine != "mariadb" or self.file):
            raise ValueError("only MariaDB and MySQL can be asked for a dump")
        return self


def effect(args: Model) -> HostScript:
    """Render the way of one file; a second attempt goes on where the first one ended, and checks what it brought."""
    if args.dump_from:
        return backup.effect(_asked(args, args.dump_from))
    login = (args.ssh_user, str(args.ssh_port), args.source, _ssh.place(args))
    absent = "" if args.file else f"{args.service}.{args.database}.absent"
    limit = str(args.limit_kib_s) if args.limit_kib_s else ""
    ways = (_there(args), args.run, args.dir, _file(args), absent, args.tool, limit)
    return HostScript(
        body=BODY,
        args=(*login, *ways),
        env={"HOST_KEY": args.host_key},
        secrets=_ssh.secrets(args),
        secret_refs=_ssh.used(args),
    )


def _asked(args: Model, login: Login) -> backup.Model:
    password: SecretRef | None = args.secret_refs[login.password] if login.password else None
    return backup.Model(
        service=args.service,
        database=args.database,
        engine="mariadb",
        dir=args.dir,
        password=password,
        master_data=args.master_data,
        **login.model_dump(exclude={"password"}),
    )


def _there(args: Model) -> str:
    return args.source_dir or args.dir


def _file(args: Model) -> str:
    ending = "sqlite" if args.engine == "sqlite" else "sql.gz"
    return args.file or f"{args.service}.{args.database}.{ending}"


def shows(args: Model) -> tuple[str, ...]:
    """Show the copy, or the dump."""
    if args.dump_from:
        return backup.shows(_asked(args, args.dump_from))
    user = f"{args.ssh_user}@"
    there = f"{_there(args)}/{args.run or 'RUN'}/{_file(args)}"
    port = ("-e", f"ssh -p {args.ssh_port}") if args.tool == "rsync" else ("-P", str(args.ssh_port))
    return (typed((args.tool, *port, user + _ssh.place(args, there), f"{args.dir}/RUN/{_file(args)}")),)


def title(args: Model) -> str:
    """Name what is brought, and from where."""
    what = args.file or f"the dump of {args.service}.{args.database}"
    return f"bring {what} from {args.dump_from.host if args.dump_from else args.source}"


def undo(_args: Model) -> Undo | None:
    """Leave it: what was brought is a copy in a backup set."""
    return None


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("both sides have the same checksum",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script compares checksums."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `path`, `sha256` and `bytes`, or `absent`."""
    return _dumps.judge(evidence)
