"""Sets, renames and removes options of an INI file on a host, and puts the file back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import by_exit
from reconciler.steps._kept import KEPT
from reconciler.steps._shell import PRELUDE, flag

KIND = "ini_options"
TIMEOUT_S = 120.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE = "host"

# As oslo.config reads: a header or an option begins at the margin, an indented line continues the option before it, a
# blank line or a comment does not. What is not touched keeps its place and its form.
_AWK = r"""
function shown(s, o) { return s SUBSEP o }
function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }
function entry(o, text) { return o " =" (text == "" ? "" : " " text) }

# put S O TEXT: TEXT, whole lines, stands where the first O of S stood, else at the end of S, else in a new section.
function put(s, o, text,    n, at) {
  at = 0
  for (n = 1; n <= count; n++) if (key[n] == shown(s, o)) { gone[n] = 1; if (!at) at = n }
  if (at) instead[at] = text
  else if (s in last || s == "") tail[last[s] + 0] = tail[last[s] + 0] text
  else { if (!(s in fresh)) made[++news] = s; fresh[s] = fresh[s] text }
}
function values(s, o,    n, text) {
  text = ""
  for (n = 1; n <= count; n++) if (key[n] == shown(s, o)) text = text (starts[n] ? entry(o, value[n]) : line[n]) "\n"
  return text
}

FNR == NR {
  n = split($0, part, "\t")
  text = substr($0, length(part[1]) + length(part[2]) + length(part[3]) + 4)
  if (part[1] == "set") {
    if (!(shown(part[2], part[3]) in wanted)) { order[++orders] = shown(part[2], part[3]); verb[orders] = "set" }
    wanted[shown(part[2], part[3])] = wanted[shown(part[2], part[3])] entry(part[3], text) "\n"
  } else { order[++orders] = shown(part[2], part[3]); verb[orders] = part[1]; to[orders] = text }
  next
}
{
  line[++count] = $0
  if ($0 ~ /^\[[^]]*\]/) { section = substr($0, 2, index($0, "]") - 2); current = ""; last[section] = count }
  else if ($0 ~ /^[ \t]*$/ || $0 ~ /^[ \t]*[#;]/) { if ($0 ~ /^[ \t]*$/) current = ""; else last[section] = count }
  else if ($0 ~ /^[ \t]/ && current != "") { key[count] = current; last[section] = count }
  else {
    at = match($0, /[=:]/)
    name = trim(at ? substr($0, 1, at - 1) : $0)
    current = key[count] = shown(section, name); starts[count] = 1; last[section] = count
    value[count] = at ? trim(substr($0, at + 1)) : ""
  }
}
END {
  for (o = 1; o <= orders; o++) {
    split(order[o], old, SUBSEP)
    if (verb[o] == "set") {
      if (values(old[1], old[2]) != wanted[order[o]]) put(old[1], old[2], wanted[order[o]])
      continue
    }
    if (verb[o] == "rename") {
      split(to[o], new, "\t")
      moved = values(old[1], old[2])
      if (moved != "" && values(new[1], new[2]) == "") {
        kept = ""
        at = 0
        for (n = 1; n <= count; n++) {
          if (key[n] != order[o]) continue
          if (!at) at = n
          kept = kept (starts[n] ? entry(new[2], value[n]) : line[n]) "\n"
        }
        if (new[1] == old[1]) instead[at] = kept
        else put(new[1], new[2], kept)
      }
    }
    for (n = 1; n <= count; n++) if (key[n] == order[o]) gone[n] = 1
  }
  printf "%s", tail[0]
  for (n = 1; n <= count; n++) {
    if (n in instead) printf "%s", instead[n]
    if (!gone[n]) print line[n]
    if (n in tail) printf "%s", tail[n]
  }
  for (n = 1; n <= news; n++) printf "%s[%s]\n%s", (n > 1 || count ? "\n" : ""), made[n], fresh[made[n]]
}
"""
BODY = (
    PRELUDE
    + KEPT
    + "program=$(cat <<'AWK'\n"
    + _AWK.lstrip("\n")
    + "AWK\n)\n"
    + r"""
path=$1 optional=$2 restore_from=$3
shift 3
[ "$restore_from" != self ] || restore_from=$RECONCILER_RUN
saved=$RECONCILER_HOME/saved/${restore_from:-$RECONCILER_RUN}/ini
second_line='
'
# Every text comes by stdin, as a variable: a value may be a secret.
text_of() { eval "text=\$TEXT_$1"; }
whole_lines() {
  count=0
  while [ $# -gt 0 ]; do
    count=$((count + 1))
    text_of "$count"
    case $text in *"$second_line"*) fail "the value of [$2] $3 has more than one line" ;; esac
    shift 3
  done
}
orders() {
  count=0
  while [ $# -gt 0 ]; do
    count=$((count + 1))
    text_of "$count"
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$text"
    shift 3
  done
}
# What no program reads as INI would take the options at its end, to no effect.
refuse_no_ini() {
  case $(od -An -N 3 -tx1 <"$1" | tr -d ' \n') in
  efbbbf | fffe* | feff*) fail "$1 begins with a byte order mark: write it as plain UTF-8" ;;
  esac
  [ "$(tr -d '\000' <"$1" | wc -c)" -eq "$(wc -c <"$1")" ] || fail "$1 holds NUL bytes: it is no text"
  open=$(LC_ALL=C grep -n '^\[[^]]*$' "$1" | head -n 1)
  [ -z "$open" ] || fail "$1, line ${open%%:*}: the name of the section has no closing bracket"
}
edit() {
  if [ ! -e "$path" ]; then
    [ "$optional" = yes ] || fail "$path is not there"
    echo "$path is not there, as was allowed"
    value changed no
    return 0
  fi
  refuse_odd "$path"
  refuse_no_ini "$path"
  whole_lines "$@"
  new=$path.reconciler
  rm -f -- "$new"
  cp -p -- "$path" "$new"
  orders "$@" | awk "$program" - "$path" >"$new"
  if cmp -s -- "$new" "$path"; then
    rm -f -- "$new"
    echo "$path is so already"
    value changed no
    return 0
  fi
  mkdir -p -- "$saved"
  save "$saved" "$path"
  touch -- "$new"
  flush "$new"
  mv -f -- "$new" "$path"
  flush "$(dirname -- "$path")"
  echo "edited: $path"
  value changed yes
}

if [ -z "$restore_from" ]; then edit "$@"; exit 0; fi
kept=$saved/$(digest "$path").path
if [ -f "$kept" ]; then put_back "$kept"; else echo "run $restore_from did not change $path"; fi
"""
)

Option = Annotated[str, Field(pattern=r"^[^\]\x00-\x1f]*/[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f]*$")]


class Model(Args):
    """What changes in the file at `path`; an option is named `SECTION/option`, and several values are several lines.

    A renamed option keeps its values, unless its new name is there already. `optional`: a file that is not there is
    left so. `restore_from` is a run's id, or `self` for the run that the step belongs to, whose edits are taken back.
    """

    path: str = Field(pattern=r"^/[^\x00-\x1f]*[^\x00-\x1f/]$")
    set: Mapping[Option, Text | tuple[Text, ...]] = {}
    remove: tuple[Option, ...] = ()
    rename: Mapping[Option, Option] = {}
    optional: bool = False
    secret_refs: Mapping[str, SecretRef] = {}
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = [*self.set, *self.remove, *self.rename, *self.rename.values()]
        if bool(named) == bool(self.restore_from):
            raise ValueError("either options are edited or a run's edits are taken back")
        if len(frozenset(named)) != len(named):
            raise ValueError("an option is named twice")
        return self


def effect(args: Model) -> HostScript:
    """Render verbs and names as arguments, and every value as a secret: it goes by stdin only."""
    orders = tuple(_orders(args))
    words = [word for verb, option, _ in orders for word in (verb, *_split(option))]
    return HostScript(
        body=BODY,
        args=(args.path, flag(args.optional), args.restore_from, *words),
        secrets={f"TEXT_{n}": text for n, (_, _, text) in enumerate(orders, 1)},
        secret_refs=args.secret_refs,
    )


def _orders(args: Model) -> Iterator[tuple[str, str, str]]:
    for old, new in args.rename.items():
        yield "rename", old, "\t".join(_split(new))
    for option in args.remove:
        yield "remove", option, ""
    for option, values in args.set.items():
        for text in (values,) if isinstance(values, str) else values:
            yield "set", option, text


def _split(option: str) -> tuple[str, str]:
    section, _, name = option.rpartition("/")
    return section, name


def shows(args: Model) -> tuple[str, ...]:
    """Show each option as it will stand in the file."""
    if args.restore_from:
        return (f"put back {args.path} as it was before run {args.restore_from}",)
    return tuple(f"{args.path}: {_shown(*order)}" for order in _orders(args))


def _shown(verb: str, option: str, text: str) -> str:
    section, name = _split(option)
    match verb:
        case "set":
            return f"[{section}] {name} = {text}"
        case "rename":
            return "[{}] {} becomes [{}] {}".format(section, name, *text.split("\t"))
    return f"[{section}] {name} is removed"


def title(args: Model) -> str:
    """Name the file."""
    return f"put back {args.path}" if args.restore_from else f"edit options in {args.path}"


def undo(args: Model) -> Undo | None:
    """Put the file back as the run found it."""
    if args.restore_from:
        return None
    back = Model(path=args.path, restore_from="self")
    return Undo(KIND, back.model_dump(mode="json"), title(back))


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the file holds exactly these options, and what was there is kept beside",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the file is what the script wrote."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `changed`, yes or no."""
    return by_exit(evidence)
