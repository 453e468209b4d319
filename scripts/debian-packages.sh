#!/bin/sh
# Installs the Debian packages of programs that this machine lacks. No service is started.
#
#     scripts/debian-packages.sh PROGRAM=PACKAGE... [PACKAGE...]
#
# A bare PACKAGE is wanted whatever programs there are. With nothing missing nothing is done and no right is needed.
set -eu
PATH=$PATH:/usr/sbin:/sbin
POLICY=/usr/sbin/policy-rc.d

missing=
for wanted in "$@"; do
    case $wanted in
    *=*) command -v "${wanted%%=*}" >/dev/null || missing="$missing ${wanted#*=}" ;;
    *) dpkg-query -W -f '${db:Status-Status}' "$wanted" 2>/dev/null | grep -qx installed || missing="$missing $wanted" ;;
    esac
done
# shellcheck disable=SC2086 # a list of names
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
missing=${missing% }
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "missing: $missing (names of Debian packages). Install what brings them on this system, then try again." >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "missing Debian packages. As root: apt-get install --no-install-recommends $missing" >&2
    exit 1
fi

# One at a time: two would save and restore each other's policy.
exec 9>/run/reconciler-packages.lock
flock 9

keep=
restore() {
    if [ -n "$keep" ]; then mv -f "$keep" "$POLICY"; else rm -f "$POLICY"; fi
}
if [ -e "$POLICY" ]; then
    keep=$POLICY.kept
    mv -f "$POLICY" "$keep"
fi
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' >"$POLICY" # 101: the action is forbidden by policy
chmod 755 "$POLICY"

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >&2 </dev/null; }
echo "installing: $missing" >&2
# shellcheck disable=SC2086 # a list of names
apt install --no-install-recommends $missing || { apt update && apt install --no-install-recommends $missing; }
