#!/bin/sh
# With systemd: nothing runs that the tests don't need, and the journal outlives a reboot.
set -eu
[ "$LAB_INIT" = systemd ] || exit 0
: >"$1/etc/fstab"
chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
	fstrim.timer dpkg-db-backup.timer libvirt-guests.service getty@tty1.service serial-getty@ttyS0.service
mkdir -p "$1/var/log/journal"

# lab.py writes commands to a shell at a serial port of its own.
cat >"$1/etc/systemd/system/lab-shell.service" <<'UNIT'
[Unit]
BindsTo=dev-virtio\x2dports-lab.device
After=dev-virtio\x2dports-lab.device
[Service]
ExecStart=/bin/sh
StandardInput=file:/dev/virtio-ports/lab
StandardOutput=file:/dev/virtio-ports/lab
StandardError=inherit
[Install]
WantedBy=multi-user.target
UNIT

# Unpacks the second disk, a tar file of what "make install" made or of the source to make it from, in time for
# the daemon to see its hook.
cat >"$1/etc/systemd/system/lab-install.service" <<'UNIT'
[Unit]
ConditionPathExists=/dev/vdb
Before=libvirtd.service virtqemud.service
[Service]
Type=oneshot
ExecStart=tar -xf /dev/vdb -C /
ExecStart=sh -c 'cd /usr/src/libvirt-usb-hotplug 2>/dev/null || exit 0; make install'
ExecStart=udevadm control --reload
ExecStart=systemctl daemon-reload
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
UNIT
chroot "$1" systemctl --quiet enable lab-shell.service lab-install.service

# In libvirtd's place, which clients built by Debian ask all the same unless they are told what they want.
if [ "$LAB_DAEMON" = virtqemud ]; then
	chroot "$1" systemctl --quiet mask libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
	chroot "$1" systemctl --quiet enable virtqemud.service
	echo 'uri_default = "qemu:///system"' >>"$1/etc/libvirt/libvirt.conf"
fi
