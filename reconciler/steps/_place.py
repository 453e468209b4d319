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
"""
