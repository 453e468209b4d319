#!/bin/sh
# start.sh: plug in the cable of a lab host, give it a control group, and boot it.
# Environment: NAME, MAC, CABLE (up|down), BRIDGE, CGROUP, and what boot.sh asks for.
set -eu
ip link del "$NAME" 2>/dev/null || :
ip netns del "$NAME" 2>/dev/null || :
ip netns add "$NAME"
ip link add "$NAME" type veth peer name eth0 address "$MAC" netns "$NAME"
ip link set "$NAME" master "$BRIDGE" "$CABLE"
mkdir -p "$CGROUP"
echo 0 >"$CGROUP/cgroup.procs"
exec nsenter --net="/run/netns/$NAME" \
    unshare --mount --propagation private --pid --uts --ipc --cgroup --fork --kill-child=KILL "$(dirname "$0")/boot.sh"
