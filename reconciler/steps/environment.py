"""Builds a Python virtual environment per build, and switches the link to it atomically."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import digest_of
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed

KIND = "environment"
TIMEOUT_S = 1800.0
REPEATABLE = True
INTERRUPTIBLE = True
PIP_OPTIONS = ("-q", "--disable-pip-version-check", "--no-input")

# An environment is complete when its marker holds the digest of what it was made from. Scripts inside it name its
# place, so it cannot be built elsewhere and moved: a second marker says that it is ours while it is not complete.
BODY = (
    PRELUDE
    + r"""
action=$1 path=$2 link=$3 python=$4 digest=$5 foreign_ok=$6
shift 6
complete=$path/.reconciler-complete building=$path/.reconciler-building

is_complete() { [ -f "$complete" ] && { [ -z "$digest" ] || [ "$(cat "$complete")" = "$digest" ]; }; }
is_ours() { [ -f "$complete" ] || [ -f "$building" ]; }
in_use() { [ -n "$link" ] && [ "$(readlink -f -- "$link")" = "$(readlink -f -- "$path")" ]; }

remove() {
  [ -e "$path" ] || [ -L "$path" ] || return 0
  [ ! -L "$path" ] && [ -d "$path" ] || fail "$path is not a folder"
  is_ours || [ -z "$(ls -A -- "$path")" ] || fail "$path was not made by reconciler and is left alone"
  ! in_use || fail "$link leads to $path: it is in use; give the new build another path"
  : >"$building"
  rm -f -- "$complete"
  find "$path" -mindepth 1 -maxdepth 1 ! -name .reconciler-building -exec rm -rf -- {} +
}

prepare() {
  if is_complete; then echo "$path is complete"; return 0; fi
  remove
  umask 022
  mkdir -p -- "$path"
  : >"$building"
  "$python" -m venv -- "$path"
  if [ -n "$REQUIREMENTS" ]; then
    printf '%s\n' "$REQUIREMENTS" >"$path/.reconciler-requirements"
    "$path/bin/python" -m pip install PIP_OPTIONS "$@" -r "$path/.reconciler-requirements"
  fi
  printf '%s\n' "$digest" >"$complete.part"
  sync -f "$path" 2>/dev/null || sync
  mv -f -- "$complete.part" "$complete"
  rm -f -- "$building"
  flush "$path"
  echo "$path is made"
}

# What the link showed before this run is kept: a second attempt finds the link switched already.
remember() {
  kept=$RECONCILER_HOME/saved/$RECONCILER_RUN/links/$(digest "$link")
  if [ ! -f "$kept" ]; then
    mkdir -p -- "$RECONCILER_HOME/saved/$RECONCILER_RUN/links"
    readlink -- "$link" >"$kept.part" || :
    flush "$kept.part"
    mv -f -- "$kept.part" "$kept"
  fi
  value previous "$(cat "$kept")"
}

switch() {
  [ -L "$link" ] || [ ! -e "$link" ] || fail "$link is not a link and is left alone"
  if [ -n "$path" ] && ! is_complete; then
    ! is_ours || fail "$path is not complete"
    [ "$foreign_ok" = yes ] || fail "$path was not made by reconciler"
    [ -d "$path" ] || fail "$path is not there"
  fi
  remember
  if [ -z "$path" ]; then rm -f -- "$link"; flush "$(dirname -- "$link")"; echo "$link is removed"; return 0; fi
  # Left untouched when right: the time of the switch tells which processes are older than it.
  if [ "$(readlink -- "$link" || :)" = "$path" ]; then echo "$link leads to $path already"; return 0; fi
  (umask 022; mkdir -p -- "$(dirname -- "$link")")
  rm -f -- "$link.reconciler"
  ln -s -- "$path" "$link.reconciler"
  mv -T -f -- "$link.reconciler" "$link"
  flush "$(dirname -- "$link")"
  echo "$link leads to $path"
}

discard() {
  remove
  rm -rf -- "$path"
  echo "$path is removed"
}

case $action in prepare | switch | discard) "$action" "$@" ;; *) fail "unknown action $action" ;; esac
""".replace("PIP_OPTIONS", " ".join(PIP_OPTIONS))
)


class Model(Args):
    """An environment at `path`; `switch` with an empty path takes the link away, `foreign_ok` allows one made by hand.

    `requirements` are lines of a requirements file, constraints among them as `-c` lines. `link` is never built over
    or removed from under a service.
    """

    action: Literal["prepare", "switch", "discard"]
    path: str
    link: str = ""
    python: str = "/usr/bin/python3"
    requirements: tuple[str, ...] = ()
    pip_args: tuple[str, ...] = ()
    foreign_ok: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.path.startswith("/") and (self.path or self.action != "switch"):
            raise ValueError("path is not absolute")
        if not self.link.startswith("/") and (self.link or self.action == "switch"):
            raise ValueError("link is not absolute")
        return self


def digest(args: Model) -> str:
    """Digest what an environment is made from; empty when nothing is said of it, as in most switches."""
    made_from = {"requirements": list(args.requirements), "pip_args": list(args.pip_args), "python": args.python}
    return digest_of(made_from) if args.requirements or args.action == "prepare" else ""


def effect(args: Model) -> HostScript:
    """Render the action; requirements travel as text and end as a file."""
    fixed = (args.action, args.path, args.link, args.python, digest(args), flag(args.foreign_ok))
    return HostScript(body=BODY, args=(*fixed, *args.pip_args), env={"REQUIREMENTS": "\n".join(args.requirements)})


def shows(args: Model) -> tuple[str, ...]:
    """Show the lines that build, switch or remove."""
    match args.action:
        case "prepare":
            wanted = [word for line in args.requirements for word in (line.split() if line[:1] == "-" else [line])]
            pip = (f"{args.path}/bin/python", "-m", "pip", "install", *PIP_OPTIONS, *args.pip_args, *wanted)
            made = typed((args.python, "-m", "venv", args.path))
            return (made, typed(pip)) if args.requirements else (made,)
        case "switch":
            return (typed(("ln", "-sfn", args.path, args.link) if args.path else ("rm", "-f", args.link)),)
        case "discard":
            return (typed(("rm", "-rf", args.path)),)


def proved(args: Model) -> tuple[str, ...]:
    """Say what stands on the host afterwards."""
    return {
        "prepare": ("its marker, written last, names what it was made from",),
        "switch": (f"{args.link} leads there",),
        "discard": (f"{args.path} is gone",),
    }[args.action]


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof beyond the script's own markers."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; a switch leaves the value `previous`, empty when there was no link."""
    return by_exit(evidence)
