"""Switches a host to the package repository of a release: our own file and key, others out of the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._apt import APT, called
from reconciler.steps._judge import by_exit
from reconciler.steps._kept import KEPT
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed

KIND = "package_repository"
WHERE: Where = "host"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = False
ETC = "/etc"

# Only our own index must come: that another repository is away is no reason to stop.
BODY = (
    PRELUDE
    + KEPT
    + "etc=$1 action=$2 manager=$3 name=$4 writes=$5\nshift 5\n"
    + APT
    + r"""
saved=$RECONCILER_HOME/saved/${OF_RUN:-$RECONCILER_RUN}/repositories/$name
put() {
  refuse_odd "$1"
  save "$saved" "$1"
  (umask 022; mkdir -p -- "$(dirname -- "$1")")
  printf '%s' "$2" >"$1.reconciler"
  chmod 644 "$1.reconciler"
  flush "$1.reconciler"
  mv -f -- "$1.reconciler" "$1"
  flush "$(dirname -- "$1")"
  echo "written: $1"
}
away() {
  refuse_odd "$1"
  if [ ! -e "$1" ]; then echo "not there: $1"; return 0; fi
  save "$saved" "$1"
  rm -f -- "$1"
  flush "$(dirname -- "$1")"
  echo "out of the way: $1"
}
refresh() {
  case $manager in
  apt)
    get update -o "Dir::Etc::sourcelist=$etc/apt/sources.list.d/$name.list" -o Dir::Etc::sourceparts=- \
      -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any
    # An older apt only warns.
    ! grep -Eq '^(W|E): (Failed to fetch|Some index|GPG error)' "$errors" || fail "the index did not come" ;;
  dnf)
    dnf=$(command -v dnf || command -v yum) || fail "neither dnf nor yum is on this host"
    "$dnf" -y -q '--disablerepo=*' "--enablerepo=$name" makecache || fail "the index did not come" ;;
  esac
}
switch() {
  mkdir -p -- "$saved"
  while [ "$writes" -gt 0 ]; do
    put "$etc/$1" "$2"
    shift 2
    writes=$((writes - 1))
  done
  for one; do away "$etc/$one"; done
  refresh
}
# What was there is tried again, and is right whether its index comes or not.
restore() {
  if [ ! -d "$saved" ]; then echo "this run switched nothing here"; return 0; fi
  for one in "$saved"/*.path; do [ ! -f "$one" ] || put_back "$one"; done
  case $manager in apt) get update || echo "the index did not come" ;; esac
}
case $action in switch | restore) "$action" "$@" ;; *) fail "unknown action $action" ;; esac
"""
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Word = Annotated[str, Field(pattern=r"^[^\s\[\]#\x00-\x1f]+$")]


class Model(Args):
    """A repository under a name: for apt `suites` of `components`, for dnf a base URL; with the key that signs it.

    `key` is a public key in its armour; without one the host's own keys are asked. `disable` are names of the host's
    own files of repositories. `priority` is that of apt's preferences (of the URL's host), or of dnf. `restore` takes
    back what `run` did; empty: the current one.
    """

    action: Literal["switch", "restore"] = "switch"
    manager: Literal["apt", "dnf"]
    name: Name
    url: str = Field(default="", pattern=r"^([a-z]+:/[^\s\[\]#\x00-\x1f]*)?$")
    suites: tuple[Word, ...] = ()
    components: tuple[Word, ...] = ()
    key: str = ""
    disable: tuple[Name, ...] = ()
    priority: int | None = Field(default=None, ge=-32768, le=32767)
    run: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.action == "switch" and not self.url:
            raise ValueError("switch needs a url")
        if self.action == "switch" and (self.manager == "apt") != bool(self.suites):
            raise ValueError("apt needs suites, dnf has none")
        if self.key and not self.key.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----"):
            raise ValueError("key is not a public key in its armour")
        ending = (".list", ".sources") if self.manager == "apt" else (".repo",)
        if own := [file for file in self.disable if not file.endswith((*ending, "sources.list"))]:
            raise ValueError(f"{own[0]} is not the name of a file of repositories")
        if {f"{self.name}.list", f"{self.name}.repo"} & set(self.disable):
            raise ValueError("a repository does not disable itself")
        return self


def _files(args: Model) -> Iterator[tuple[str, str]]:
    """Yield what is written below /etc, the key before the file that names it."""
    place = f"apt/keyrings/{args.name}.asc" if args.manager == "apt" else f"pki/rpm-gpg/{args.name}.asc"
    if args.key:
        yield place, args.key.rstrip("\n") + "\n"
    if args.manager == "dnf":
        gpg = f"gpgkey=file:///etc/{place}\n" if args.key else ""
        rank = "" if args.priority is None else f"priority={args.priority}\n"
        head = f"[{args.name}]\nname={args.name}\nbaseurl={args.url}\nenabled=1\ngpgcheck=1\n"
        yield f"yum.repos.d/{args.name}.repo", head + gpg + rank
        return
    signed = f"[signed-by=/etc/{place}] " if args.key else ""
    lines = (" ".join(("deb", f"{signed}{args.url}", suite, *args.components)) for suite in args.suites)
    yield f"apt/sources.list.d/{args.name}.list", "".join(f"{line}\n" for line in lines)
    if args.priority is not None:
        pin = f'Package: *\nPin: origin "{urlsplit(args.url).hostname or ""}"\nPin-Priority: {args.priority}\n'
        yield f"apt/preferences.d/{args.name}.pref", pin


def _disabled(args: Model) -> tuple[str, ...]:
    if args.manager == "dnf":
        return tuple(f"yum.repos.d/{name}" for name in args.disable)
    return tuple(f"apt/{name}" if name == "sources.list" else f"apt/sources.list.d/{name}" for name in args.disable)


def effect(args: Model) -> HostScript:
    """Render files as path and text, and the paths that go out of the way."""
    files = tuple(_files(args)) if args.action == "switch" else ()
    away = _disabled(args) if args.action == "switch" else ()
    words = (word for file in files for word in file)
    env = {"OF_RUN": args.run} if args.run else {}
    return HostScript(
        body=BODY, args=(ETC, args.action, args.manager, args.name, str(len(files)), *words, *away), env=env
    )


def shows(args: Model) -> tuple[str, ...]:
    """Show the files, and how the index is refreshed."""
    if args.action == "restore":
        return (f"put back what this run replaced for repository {args.name}",)
    written = [f"write {ETC}/{path}" + (f": {text.strip()}" if "deb " in text else "") for path, text in _files(args)]
    away = [typed(("rm", f"{ETC}/{path}")) for path in _disabled(args)]
    refresh = _refresh(args) if args.manager == "apt" else ("dnf", f"--enablerepo={args.name}", "makecache")
    return *(line.replace("\n", "; ") for line in written), *away, typed(refresh)


def _refresh(args: Model) -> tuple[str, ...]:
    """Show how apt reads this one list and no other."""
    only = (f"Dir::Etc::sourcelist={ETC}/apt/sources.list.d/{args.name}.list", "Dir::Etc::sourceparts=-")
    options = (*only, "APT::Get::List-Cleanup=0", "APT::Update::Error-Mode=any")
    return called("update", *(word for option in options for word in ("-o", option)))


def title(args: Model) -> str:
    """Name the repository."""
    return f"{'switch to' if args.action == 'switch' else 'switch back from'} package repository {args.name}"


def undo(args: Model) -> Undo | None:
    """Put the files back."""
    if args.action == "restore":
        return None
    back = Model(action="restore", manager=args.manager, name=args.name)
    return Undo(KIND, {"action": "restore", "manager": args.manager, "name": args.name, "run": ""}, title(back))


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the index of the repository has come",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the index of the repository came."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script."""
    return by_exit(evidence, hint="Can the host reach the repository, and is it signed by the key?")
