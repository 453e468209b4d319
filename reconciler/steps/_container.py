"""What a container step has its host do; docker and podman understand the same words."""

from __future__ import annotations

from reconciler.steps._shell import PRELUDE

# A container that is replaced stays under another name, stopped, so that the way back needs no registry.
# What was there when an action of a run first touched a container is kept, once: `back` leads there however often it is
# asked. So what was stopped and then replaced is stopped again once the replacing is taken back: the database that it
# writes to may still have to be put back. `$folder` holds what was there before all of the run.
BODY = (
    PRELUDE
    + r"""
engine=$1 action=$2 name=$3 image=$4 wanted=$5 spec=$6 stop_s=$7 wait_s=$8 absent_ok=$9
shift 9
config=$1
shift
DOCKER_CLI_EXPERIMENTAL=enabled
export DOCKER_CLI_EXPERIMENTAL
if [ -z "$engine" ]; then
  engine=$(command -v podman || command -v docker) || fail "neither docker nor podman is on this host"
fi
"$engine" version >/dev/null 2>&1 || fail "$engine does not answer: $("$engine" version 2>&1 | tail -n 1)"
run=${OF_RUN:-$RECONCILER_RUN}
kept=$name.before-$run
folder=$RECONCILER_HOME/saved/$run/containers

exists() { "$engine" container inspect "$1" >/dev/null 2>&1; }
get() { "$engine" container inspect -f "$2" "$1"; }
running() { [ "$(get "$name" '{{.State.Running}}')" = true ]; }
present() { "$engine" image inspect "$image" >/dev/null 2>&1; }
id() { "$engine" image inspect -f '{{.Id}}' "$1" | sed 's/^sha256://'; }
digests() { "$engine" image inspect -f '{{range .RepoDigests}}{{println .}}{{end}}' "$1" | sed -n 's/.*@//p'; }
same() {
  [ "$(get "$name" '{{index .Config.Labels "reconciler.spec"}}')" = "$spec" ] &&
    [ "$(get "$name" '{{.Image}}' | sed 's/^sha256://')" = "$(id "$image")" ]
}
right() { [ -z "$wanted" ] || digests "$image" | grep -qxF -e "$wanted"; }
as_wanted() {
  present || fail "image $image is not on this host: pull it first"
  right || fail "image $image is not $wanted here"
}

remember() {
  was=absent
  if exists "$name"; then if running; then was=running; else was=stopped; fi; fi
  for into in "$folder" "$folder-$action"; do
    mkdir -p -- "$into"
    [ ! -f "$into/$name" ] || continue
    printf '%s\n' "$was" >"$into/$name.part"
    flush "$into/$name.part"
    mv -f -- "$into/$name.part" "$into/$name"
    flush "$into"
  done
}
halt() {
  if running; then "$engine" stop -t "$stop_s" "$name" >/dev/null; fi
  ! running || fail "container $name is still running"
}
discard() { "$engine" rm --force "$1" >/dev/null; }
bring_up() { running || "$engine" start "$name" >/dev/null; }
create() {
  as_wanted
  [ -z "$config" ] || [ -f "$config/config.json" ] || fail "kolla reads $config/config.json, which is not there"
  "$engine" run "$@" >/dev/null
}
# Started is what still is the same process a while later.
steady() {
  deadline=$(($(date +%s) + wait_s))
  until running; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "container $name does not run: $("$engine" logs --tail 5 "$name" 2>&1)"
    sleep 1
  done
  life=$(get "$name" '{{.State.StartedAt}}')
  sleep 1
  running && [ "$life" = "$(get "$name" '{{.State.StartedAt}}')" ] ||
    fail "container $name ended or started anew: $("$engine" logs --tail 5 "$name" 2>&1)"
  value image_id "$(get "$name" '{{.Image}}')"
  value digest "$(digests "$(get "$name" '{{.Image}}')" | head -n 1)"
  value started_at "$life"
}

pull() {
  case $image in *@*) ! present || { echo "$image is here"; return 0; } ;; esac
  "$engine" pull --quiet "$image"
  as_wanted
  value image_id "$(id "$image")"
  value digest "$(digests "$image" | head -n 1)"
}
can_pull() {
  if present && right; then echo "$image is here"; return 0; fi
  said=$("$engine" manifest inspect "$image" 2>&1) || fail "$image cannot be pulled here: $said"
  echo "$image can be pulled"
}
run() {
  remember
  if exists "$name"; then
    same || fail "container $name is there and was not made from this: it wants replacing"
    bring_up
  else
    create "$@"
  fi
  steady
}
replace() {
  as_wanted
  remember
  if exists "$name" && ! same; then
    if exists "$kept"; then discard "$name"; else halt; "$engine" rename "$name" "$kept"; fi
  fi
  run "$@"
}
stop() {
  if ! exists "$name"; then
    [ "$absent_ok" = yes ] || fail "container $name is not there"
    echo "$name: not there, as was allowed"
    return 0
  fi
  remember
  halt
}
start() {
  exists "$name" || fail "container $name is not there"
  remember
  bring_up
  steady
}
back() {
  folder=$folder${OF_ACTION:+-$OF_ACTION}
  if [ ! -f "$folder/$name" ]; then echo "container $name was not touched"; return 0; fi
  was=$(cat "$folder/$name")
  if [ "$was" = absent ] || exists "$kept"; then ! exists "$name" || discard "$name"; fi
  if exists "$kept"; then "$engine" rename "$kept" "$name"; fi
  case $was in
  running) bring_up; steady ;;
  stopped) halt ;;
  esac
  value was "$was"
  echo "$name is $was, as before"
}
remove() { for one in "$name" "$kept"; do ! exists "$one" || discard "$one"; done; }
retire() { ! exists "$kept" || discard "$kept"; }

case $action in
pull | can_pull | run | replace | stop | start | back | remove | retire) "$action" "$@" ;;
*) fail "unknown action $action" ;;
esac
"""
)
