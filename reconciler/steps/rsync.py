"""Copies a folder from another host until nothing differs, and empties it again."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Evidence, Where, _ssh
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed
from reconciler.steps._ssh import SSH, Source
from reconciler.steps._undo import by_itself

KIND = "rsync"
TIMEOUT_S = 86400.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE: Where = "host"

# The note says that what is in the folder came by this run: it was empty before.
_COPY = r"""
place=$3 from=$4 to=$5 owner=$6 checksum=$7 delete=$8 limit=$9
shift 9
into=$1 run=$2
shift 2
take_back=$run
[ -n "$run" ] && [ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/$run/copied
note=$notes/$(digest "$to")
[ ! -L "$to" ] || fail "$to is a link"

copy() {
  rsync -e "ssh -F '$config'" -aH --numeric-ids ${owner:+--chown="$owner"} ${checksum:+--checksum} \
    ${delete:+--delete-delay} ${limit:+--bwlimit="$limit"} "$@" -- "$place:$from/" "$to/"
}
fetch() {
  command -v rsync >/dev/null || fail "rsync is not on this host"
  if [ ! -f "$note" ]; then
    [ -n "$into" ] || [ ! -d "$to" ] || [ -z "$(ls -A -- "$to")" ] || fail "$to is not empty"
    mkdir -p -- "$notes"
    : >"$note"
    flush "$note" "$notes"
  fi
  ssh_ready "$user" "$port"
  (umask 022; mkdir -p -- "$to")
  copy --partial "$@"
  left=$(copy -n -i "$@" | head -n 5)
  [ -z "$left" ] || fail "these still differ: $left"
  value files "$(find "$to" -type f | wc -l | tr -d ' ')"
  value kib "$(du -sk -- "$to" | cut -f 1)"
  echo "nothing differs between $place:$from and $to"
}
empty() {
  if [ ! -f "$note" ]; then echo "run $run copied nothing to $to"; return 0; fi
  [ ! -d "$to" ] || find "$to" -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +
  rm -f -- "$note"
  echo "emptied: $to"
}
if [ -n "$take_back" ]; then empty; else fetch "$@"; fi
"""
BODY = PRELUDE + SSH + "user=$1 port=$2\n" + _COPY


class Model(Source):
    """The folder `path` on `source` and the one `to` on this host, which must be empty unless `into` says otherwise.

    `owner` (USER:GROUP) is whose all files become; empty keeps the numbers. `checksum` compares contents instead of
    sizes and times; `delete` takes away what the source has not. `restore_from` is a run's id, or `self`, whose copy is
    taken away.
    """

    path: str = Field(pattern=r"^/[A-Za-z0-9._@+/-]*[A-Za-z0-9._@+-]$")
    to: str = Field(pattern=r"^/[^\x00-\x1f]*[^\x00-\x1f/]$")
    owner: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$")
    checksum: bool = False
    delete: bool = False
    into: bool = False
    exclude: tuple[str, ...] = ()
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.restore_from and self.into:
            raise ValueError("what was copied into a folder with other files cannot be told from them")
        return self


def effect(args: Model) -> HostScript:
    """Render the copy; a second attempt goes on where the first one ended."""
    limit = str(args.limit_kib_s) if args.limit_kib_s else ""
    chosen = tuple("yes" if each else "" for each in (args.checksum, args.delete))
    where = (args.ssh_user, str(args.ssh_port), _ssh.place(args), args.path, args.to, args.owner, *chosen, limit)
    more = ("yes" if args.into else "", args.restore_from, *(f"--exclude={each}" for each in args.exclude))
    asking = not args.restore_from
    return HostScript(
        body=BODY,
        args=(*where, *more),
        env={"HOST_KEY": args.host_key},
        secrets=_ssh.secrets(args) if asking else {},
        secret_refs=_ssh.used(args) if asking else {},
    )


def shows(args: Model) -> tuple[str, ...]:
    """Show the copy, and the comparison after it."""
    if args.restore_from:
        return (f"empty {args.to}, if run {args.restore_from} filled it",)
    options = (
        *((f"--chown={args.owner}",) if args.owner else ()),
        *(("--checksum",) if args.checksum else ()),
        *(("--delete-delay",) if args.delete else ()),
        *((f"--bwlimit={args.limit_kib_s}",) if args.limit_kib_s else ()),
        *(f"--exclude={each}" for each in args.exclude),
    )
    way = (f"{args.ssh_user}@{_ssh.place(args, args.path)}/", f"{args.to}/")
    port = ("-e", f"ssh -p {args.ssh_port}")
    return tuple(typed(("rsync", *port, "-aH", "--numeric-ids", *options, *dry, *way)) for dry in ((), ("-n", "-i")))


def proved(args: Model) -> tuple[str, ...]:
    """Name the comparison."""
    if args.restore_from:
        return ("nothing is left in it",)
    return (f"a dry run of rsync finds nothing that differs{' in content' if args.checksum else ''}",)


def title(args: Model) -> str:
    """Name the folders."""
    return f"empty {args.to} again" if args.restore_from else f"copy {args.path} from {args.source} to {args.to}"


def undo(args: Model) -> Undo | None:
    """Empty the folder that the run filled; nothing where it held other files before."""
    if args.restore_from or args.into:
        return None
    return by_itself(KIND, args, title, restore_from="self")


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script compares."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `files` and `kib`."""
    return by_exit(evidence)
