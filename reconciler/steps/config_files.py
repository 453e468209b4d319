"""Writes a service's configuration files, keeps what stood there before, and puts it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import by_exit
from reconciler.steps._kept import KEPT
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed

KIND = "config_files"
TIMEOUT_S = 120.0
REPEATABLE = True
INTERRUPTIBLE = False

# The stamp $RECONCILER_HOME/config/SERVICE: `run RUN`, `digest DIGEST`, then per file `file SHA256 PATH` of what was
# written, so that a look at the host can tell ours from changed without any content leaving it.
# What stood before is kept in saved/RUN/SERVICE/, and the stamp likewise.
_COMMON = r"""
service=$1 digest=$2 restore_from=$3
shift 3
stamp=$RECONCILER_HOME/config/$service
"""

_WRITE = r"""
# write PATH MODE OWNER GROUP CONTENT
write() {
  path=$1 mode=$2 owner=$3 group=$4 new=$1.reconciler
  refuse_odd "$path"
  (umask 022; mkdir -p -- "$(dirname -- "$path")")
  rm -f -- "$new"
  printf '%s' "$5" >"$new"
  [ -z "$owner" ] || chown -- "$owner" "$new"
  [ -z "$group" ] || chgrp -- "$group" "$new"
  chmod -- "$mode" "$new"
  sum=$(sha256sum <"$new" | cut -c 1-64)
  date_by "$path"
  flush "$new"
  mv -f -- "$new" "$path"
  flush "$(dirname -- "$path")"
  printf 'file %s %s\n' "$sum" "$path" >>"$stamp.part"
  echo "written: $path"
}

write_all() {
  saved=$RECONCILER_HOME/saved/$RECONCILER_RUN/$service
  mkdir -p -- "$saved" "$RECONCILER_HOME/config"
  save "$saved" "$stamp"
  count=0
  printf 'run %s\ndigest %s\n' "$RECONCILER_RUN" "$digest" >"$stamp.part"
  while [ $# -gt 0 ]; do
    count=$((count + 1))
    refuse_odd "$1"
    save "$saved" "$1"
    eval "write \"\$1\" \"\$2\" \"\$3\" \"\$4\" \"\$CONTENT_$count\""
    shift 4
  done
  flush "$stamp.part"
  mv -f -- "$stamp.part" "$stamp"
  flush "$RECONCILER_HOME/config"
}
"""

_RESTORE = r"""
# A run keeps before it writes: where nothing is kept and the stamp is not its own, it wrote nothing.
restore() {
  [ "$restore_from" != self ] || restore_from=$RECONCILER_RUN
  saved=$RECONCILER_HOME/saved/$restore_from/$service
  if [ ! -d "$saved" ]; then
    ! grep -qxF "run $restore_from" "$stamp" 2>/dev/null || fail "what run $restore_from replaced is not kept any more"
    echo "run $restore_from wrote nothing here"
    return 0
  fi
  for one in "$saved"/*.path; do
    [ -f "$one" ] || continue
    [ "$(cat "$one")" = "$stamp" ] || put_back "$one"
  done
  one=$saved/$(digest "$stamp").path
  [ ! -f "$one" ] || put_back "$one"
}

if [ -n "$restore_from" ]; then restore; else write_all "$@"; fi
"""

BODY = PRELUDE + KEPT + _COMMON + _WRITE + _RESTORE


class File(Args):
    """One file: `content` may hold `{secret:NAME}`; owner and group, when empty, are those of whom the step runs as."""

    path: str = Field(pattern=r"^/[^\x00-\x1f]*[^\x00-\x1f/]$")
    content: str
    mode: int = Field(default=0o640, ge=0, le=0o7777)
    owner: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$")
    group: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$")


class Model(Args):
    """All files of a service on a host under their template digest; or a run whose writing is taken back.

    `restore_from` is a run's id, or `self` for the run that the step belongs to.
    """

    service: str = Field(pattern=r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$")
    digest: str = Field(default="", pattern=r"^[0-9a-f]*$")
    files: tuple[File, ...] = ()
    secret_refs: Mapping[str, SecretRef] = {}
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.restore_from) == bool(self.files):
            raise ValueError("either files are written or a run's are restored")
        if self.files and not self.digest:
            raise ValueError("files are written under a digest")
        if len({file.path for file in self.files}) != len(self.files):
            raise ValueError("a path is named twice")
        return self


def effect(args: Model) -> HostScript:
    """Render places and modes as arguments, and every content as a secret: it goes by stdin only."""
    places = [word for file in args.files for word in (file.path, f"{file.mode:04o}", file.owner, file.group)]
    return HostScript(
        body=BODY,
        args=(args.service, args.digest, args.restore_from, *places),
        secrets={f"CONTENT_{n}": file.content for n, file in enumerate(args.files, 1)},
        secret_refs=args.secret_refs,
    )


def shows(args: Model) -> tuple[str, ...]:
    """Show the files that are written, not what is in them."""
    if args.restore_from:
        run = "this run" if args.restore_from == "self" else f"run {args.restore_from}"
        return (f"put back the files of {args.service} that {run} replaced",)
    return tuple(typed(_install(file)) for file in args.files)


def _install(file: File) -> tuple[str, ...]:
    owner = (*(("-o", file.owner) if file.owner else ()), *(("-g", file.group) if file.group else ()))
    return ("install", "-m", f"{file.mode:04o}", *owner, "/dev/stdin", file.path)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what stands on the host afterwards."""
    return ("every file stands, and a stamp with its digest beside them",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: `verify_host` compares the stamp."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script."""
    return by_exit(evidence)
