#!/bin/sh
# With sysvinit: nothing runs that the tests don't need, and the log outlives a reboot.
set -eu
[ "$LAB_INIT" = sysv ] || exit 0
echo '/dev/vda / ext4 rw 0 0' >"$1/etc/fstab"
for script in cron libvirt-guests logrotate rsyslog; do
	[ ! -e "$1/etc/init.d/$script" ] || chroot "$1" update-rc.d "$script" disable
done

# lab.py writes commands to a shell at a serial port of its own. Before libvirtd starts, and sees its hook, the second disk is
# unpacked: a tar file of what "make install" made, or of the source to make it from.
cat >"$1/etc/inittab" <<'INITTAB'
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
in::bootwait:/usr/local/sbin/lab-install
lo:2:respawn:/usr/sbin/rsyslogd -n -f /etc/lab-log.conf
sh:2:respawn:/usr/local/sbin/lab-shell
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
l6:6:wait:/etc/init.d/rc 6
INITTAB
cat >"$1/usr/local/sbin/lab-shell" <<'SHELL'
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# It can be opened once.
exec sh <>/dev/virtio-ports/lab >&0 2>&0
SHELL
cat >"$1/usr/local/sbin/lab-install" <<'INSTALL'
#!/bin/sh
[ -b /dev/vdb ] || exit 0
tar -xf /dev/vdb -C /
[ ! -d /usr/src/libvirt-usb-hotplug ] || make -C /usr/src/libvirt-usb-hotplug install
udevadm control --reload
INSTALL
chmod +x "$1/usr/local/sbin/lab-shell" "$1/usr/local/sbin/lab-install"

# A line for each message: who sent it, how grave it is, and its words.
cat >"$1/etc/lab-log.conf" <<'LOG'
module(load="imuxsock")
template(name="lab" type="string" string="%programname% %syslogseverity%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\n")
action(type="omfile" file="/var/log/lab" template="lab")
LOG
echo 'log_outputs = "3:syslog:libvirtd"' >>"$1/etc/libvirt/libvirtd.conf"
