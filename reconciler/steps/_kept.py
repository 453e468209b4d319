"""How scripts keep a file before they change it, and put it back."""

from __future__ import annotations

# Per path, under the sha256 of its name, there is `.was` (content, mode and owner) or `.none`, and at last `.path`,
# which makes it valid.
KEPT = r"""
refuse_odd() {
  [ ! -L "$1" ] || fail "$1 is a link; name the file that it leads to"
  [ ! -e "$1" ] || [ -f "$1" ] || fail "$1 is not a file"
}

# date_by PATH: gives the new file beside PATH its time: that of PATH where the content is the same, for else every
# unit would look older than its configuration; else now, for what runs must be younger than what it reads.
date_by() {
  if cmp -s -- "$1.reconciler" "$1"; then touch -r "$1" -- "$1.reconciler"; else touch -- "$1.reconciler"; fi
}

# save FOLDER PATH: keeps what is at PATH, unless that was done before.
save() {
  kept=$1/$(digest "$2")
  [ ! -f "$kept.path" ] || return 0
  rm -f -- "$kept.was" "$kept.none"
  if [ -e "$2" ]; then cp -p -- "$2" "$kept.was"; flush "$kept.was"; else : >"$kept.none"; flush "$kept.none"; fi
  printf '%s\n' "$2" >"$kept.part"
  flush "$kept.part"
  mv -f -- "$kept.part" "$kept.path"
  flush "$1"
}

# put_back PATHFILE: makes its path what it was.
put_back() {
  path=$(cat "$1") kept=${1%.path}
  refuse_odd "$path"
  if [ -f "$kept.none" ]; then
    rm -f -- "$path"
  else
    cp -p -- "$kept.was" "$path.reconciler"
    date_by "$path"
    flush "$path.reconciler"
    mv -f -- "$path.reconciler" "$path"
  fi
  flush "$(dirname -- "$path")"
  echo "put back: $path"
}
"""
