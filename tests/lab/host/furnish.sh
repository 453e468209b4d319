#!/bin/sh
# furnish.sh ROOT: make a fresh Debian root folder the disk image of a lab host.
set -eu
root=$1
here=$(dirname "$0")

# Keys and identity belong to a host, not to the image.
rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/lib/dbus/machine-id
: >"$root/etc/machine-id"

cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<END
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
MaxStartups 200:30:400
MaxSessions 100
END
# A login session per connection costs time and proves nothing here.
sed -i 's/^UsePAM yes/UsePAM no/' "$root/etc/ssh/sshd_config"

# The kernel, its devices and its clock are the machine's.
systemctl --root="$root" --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer console-getty.service dev-hugepages.mount dev-mqueue.mount \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target \
    proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount \
    sys-kernel-debug.mount sys-kernel-tracing.mount systemd-firstboot.service systemd-modules-load.service \
    systemd-pstore.service systemd-random-seed.service systemd-remount-fs.service systemd-sysctl.service \
    systemd-timesyncd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service \
    systemd-udev-trigger.service
systemctl --root="$root" --quiet set-default multi-user.target
# Installed for those tests that start them.
systemctl --root="$root" --quiet disable mariadb.service mariadb.socket podman.service podman.socket podman-auto-update.timer \
    podman-auto-update.service podman-restart.service
# D-Bus starts it when somebody asks for a reboot.
rm -f "$root/lib/systemd/system/multi-user.target.wants/systemd-logind.service"

mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nReadKMsg=no\nAudit=no\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$root/etc/systemd/system.conf.d/lab.conf"

echo 'deb [trusted=yes] http://10.77.0.1/ ./' >"$root/etc/apt/sources.list"
rm -f "$root"/etc/apt/sources.list.d/*
echo 'APT::Sandbox::User "root";' >"$root/etc/apt/apt.conf.d/99lab"
# The daemon under test asks databases over the network.
printf '[mariadbd]\nbind-address = 0.0.0.0\n' >"$root/etc/mysql/mariadb.conf.d/99-lab.cnf"
install -m 644 "$here/containers.conf" "$root/etc/containers/containers.conf"
rm -f "$root/etc/resolv.conf"
