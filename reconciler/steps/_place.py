"""Where dumps lie, as the scripts of both engines begin."""

from __future__ import annotations

PLACE = r"""
verb=$1 name=$2 dir=$3 run=$4 keep_present=$5
shift 5
unreadable() { printf '%s\n' "$*" >&2; exit 65; }
now=$dir/$RECONCILER_RUN
[ -n "$run" ] || run=$RECONCILER_RUN
then=$dir/$run
mkdir -p -- "$now"
case $verb in space | read_back) ;; *) rm -f -- "$now/$name.need" ;; esac

# fits KIB [OTHERS]: so much fits into $now, beside what the run's other dumps there will want, with a fifth to spare.
fits() {
  all=$(($1 + ${2-0})) free=$(df -Pk -- "$now" | awk 'NR == 2 { print $4 }')
  asked=$((all + all / 5 + 1024))
  [ "$asked" -le "$free" ] && return 0
  echo "no space in $now: $name has $1 KiB of data, others of this run ${2-0} KiB; with a fifth to spare" \
    "$asked KiB are wanted, and $free KiB are free" >&2
  exit 73
}
# ask_for KIB: notes what a dump will want, and asks for all that the run has noted so far. Others do so beside it.
ask_for() {
  printf '%s\n' "$1" >"$now/$name.asked"
  mv -f -- "$now/$name.asked" "$now/$name.need"
  mine=$1 others=0
  for each in "$now"/*.need; do
    [ "$each" != "$now/$name.need" ] || continue
    kib=$(cat -- "$each" 2>/dev/null || :)
    others=$((others + ${kib:-0}))
  done
  fits "$mine" "$others"
  value wanted "$asked"
  value free "$free"
}
"""
