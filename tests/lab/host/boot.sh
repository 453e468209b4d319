#!/bin/sh
# boot.sh: process 1 of a lab host; puts its file system together and becomes systemd.
# Environment: NAME, ADDRESS (with prefix), GATEWAY, IMAGE, SEED (keys and identity), DISK (its own files).
set -eu
root=$DISK/root

hostname "$NAME"
ip link set lo up
ip address add "$ADDRESS" dev eth0
ip link set eth0 up
ip route add default via "$GATEWAY"

first_boot=no
[ -d "$DISK/upper" ] || first_boot=yes
rm -rf "$DISK/work" # the kernel refuses one that a 'volatile' overlay left behind
mkdir -p "$DISK/upper" "$DISK/work" "$DISK/containers" "$root"
mount -t overlay overlay -o "lowerdir=$IMAGE,upperdir=$DISK/upper,workdir=$DISK/work,volatile" "$root"
if [ "$first_boot" = yes ]; then
    install -m 644 "$SEED/hostname" "$SEED/hosts" "$SEED/machine-id" "$root/etc/"
    install -m 600 "$SEED/ssh_host_ed25519_key" "$root/etc/ssh/"
    install -d -m 700 "$root/root/.ssh"
    install -m 600 "$SEED/authorized_keys" "$root/root/.ssh/"
fi
# An overlay cannot be the upper layer of another one: containers live beside it.
mkdir -p "$root/var/lib/containers"
mount --bind "$DISK/containers" "$root/var/lib/containers"

# API file systems, all new: nothing of the machine's /sys or control groups is shared. A fresh cgroup2 in a
# namespace of its own shows systemd and runc a system with version 2 only, whatever the machine has.
mount -t proc -o nosuid,noexec,nodev proc "$root/proc"
mount -t sysfs -o ro,nosuid,noexec,nodev sysfs "$root/sys"
mount -t cgroup2 -o nosuid,noexec,nodev cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid,nodev,size=64m run "$root/run"
mount -t tmpfs -o mode=1777,nosuid,nodev,size=256m tmp "$root/tmp"
mount -t tmpfs -o mode=755,nosuid,size=1m dev "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o nosuid,nodev,size=256m shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

# The kernel's knobs are the machine's: read-only, except those of this network. Each boot has its own id.
cat /proc/sys/kernel/random/uuid >"$root/run/.boot_id"
mount --bind "$root/run/.boot_id" "$root/proc/sys/kernel/random/boot_id"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount --rbind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys/kernel/random/boot_id"
if [ -e "$root/proc/sysrq-trigger" ]; then
    mount --bind "$root/proc/sysrq-trigger" "$root/proc/sysrq-trigger"
    mount -o remount,bind,ro "$root/proc/sysrq-trigger"
fi

cd "$root"
pivot_root . .
umount -l .
cd /
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 /lib/systemd/systemd --system --show-status=0
