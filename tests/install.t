#!/bin/sh
# What make builds of a table, and what it installs and takes away again, all of it in a directory of the test's own.
# shellcheck source=tests/cli/tap.sh disable=SC2034,SC2154 # it sets, and reads, variables of these tests
. "$(dirname "$0")/cli/tap.sh"

unset MAKEFLAGS MFLAGS MAKEOVERRIDES
project=$(realpath "$(dirname "$0")/..")
version=$(sed -n 's/^VERSION = //p' "$project/Makefile")
cd "$directory" || exit
mkdir -p source place/etc/libvirt/hooks place/etc/udev/rules.d place/usr/sbin place/usr/lib place/usr/share/man
cp -r "$project/Makefile" "$project/config.h" "$project/src" "$project/rules" source

# stub NAME [STATUS]: make finds this in place of what reloads something on this machine, and notes how it was called.
stub() {
	printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\nexit %s\n' "$1" "$directory" "${2:-0}" >"bin/$1"
	chmod +x "bin/$1"
}
stub udevadm
stub systemctl
# shellcheck disable=SC2016 # the stub expands it
stub pkill '$(expr "$*" : ".*usb-hot" != 0)' # none of ours is running

# table FILE [ROW]...: a copy of config.h with rows above the last "};", and with a libvirt that needs no daemon.
table() {
	sed 's|qemu:///system|test:///default|; $d' "$project/config.h" >"$1"
	file=$1
	shift
	printf '\t%s\n' "$@" '};' >>"$file"
}
row='{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb3/3-1" },'
table empty.h
table one.h "$row"
table refused.h "$row"
sed -i 's|test:///default|test:///none|' refused.h
table comma.h '{ "vm1" "/devices/pci0000:00/0000:00:14.0/usb3/3-1" },'
table two.h "$row" '{ HOST, "/devices", "1050:0407" },'

# make_of TABLE ARGUMENTS: what a person types who has that table. The arguments are words.
make_of() {
	: >calls
	run "-C source CFLAGS=-O0 CPPFLAGS=-U_FORTIFY_SOURCE CONFIG=$directory/$1 PREFIX=$directory/place/usr \
		SYSCONFDIR=$directory/place/etc LOCK=$directory/lock $2"
}

# is PROGRAM TABLE: whether the program names that table as its own.
is() {
	[ "$("$1" -V 2>/dev/null)" = "libvirt-usb-hotplug $version, table $directory/$2" ]
}

prints() {
	case $output in
	*"$1"*) ;;
	*) false ;;
	esac
}

# The table.
built() {
	ended 0 && [ -z "$messages" ] && is source/libvirt-usb-hotplug "$1"
}
make_of one.h all
check 'a copy of config.h with a row is a table, and -V names it' built 'one.h with 1 row'
make_of empty.h all
check 'so is one without rows' built 'empty.h with 0 rows'
make_of two.h all
check 'another table makes another program' built 'two.h with 2 rows'

told() {
	ended 2 && says "$1" && [ "$(printf '%s\n' "$messages" | grep -c error:)" -eq 1 ] && prints "$2 is to be a copy of config.h"
}
printf 'static const struct port ports[] = {\n\t%s\n};\n' "$row" >bare.h
make_of bare.h all
check 'of a table that is no copy of config.h that is told' told uri "$directory/bare.h"
table commas.h '{ "vm1", "/devices/a" }' '{ "vm1", "/devices/b" }' '{ vm1, "/devices/c" },'
make_of commas.h all
check 'of all the errors in a table the first is told' told commas.h: "$directory/commas.h"

# A tree for another machine.
for_another() {
	make_of "$1" "DESTDIR=$directory/root PREFIX=/usr/local SYSCONFDIR=/var/lib $2"
}
files() {
	(cd "$1" && find . -type f | sort)
}
is_whole() {
	ended 0 && [ -z "$messages" ] && [ "$(files root)" = "\
./usr/local/lib/systemd/system/libvirt-usb-hotplug.service
./usr/local/lib/udev/rules.d/99-libvirt-usb-hotplug.rules
./usr/local/sbin/libvirt-usb-hotplug
./usr/local/share/man/man8/libvirt-usb-hotplug.8
./var/lib/libvirt/hooks/qemu.d/libvirt-usb-hotplug" ] && is root/usr/local/sbin/libvirt-usb-hotplug "$1"
}
made_nothing() {
	[ -z "$(find source -newer made)" ]
}
is_complete() {
	[ "$(grep -rl '/usr/local/sbin/libvirt-usb-hotplug' root/usr/local/lib root/var | wc -l)" -eq 3 ] && ! grep -rI "$directory\|@[A-Z]*@" root
}
for_another two.h all
touch made
for_another two.h install
check 'with DESTDIR all is there, under PREFIX and SYSCONFDIR' is_whole 'two.h with 2 rows'
check 'what was built before is not made again' made_nothing
check 'the rule, the hook and the service run the program where it will be' is_complete
for_another empty.h install
check 'with DESTDIR an empty table is no question' is_whole 'empty.h with 0 rows'
check 'and nothing of this machine is reloaded' [ ! -s calls ]

is_taken_away() {
	ended 0 && [ -z "$(files root)" ] && [ ! -s calls ]
}
for_another empty.h uninstall
check 'with DESTDIR uninstall takes it all away, there alone' is_taken_away

# This machine.
installed() {
	ended 0 && is place/usr/sbin/libvirt-usb-hotplug "$1" && prints "Installed: libvirt-usb-hotplug $version, table $directory/$1" &&
		prints "sudo libvirt-usb-hotplug $2"
}
told_and_installed() {
	installed "$1" -s && says "$2"
}
# Whether pkill is to find each of these, a name as procps has it, or a path as busybox does.
finds() {
	options=$1
	shift
	for process; do
		echo "$process" | grep -Eqx -e "$(sed -n "s/^pkill $options-x //p" calls)" || return
	done
}
reloaded() {
	grep -qx 'udevadm control --reload' calls && if [ -d /run/systemd/system ]; then
		grep -qx 'systemctl daemon-reload' calls && grep -qx 'systemctl reload libvirtd' calls && [ -d place/usr/lib/systemd ]
	else
		finds '-HUP ' libvirtd /usr/sbin/virtqemud && ! finds '-HUP ' mylibvirtd && [ ! -e place/usr/lib/systemd ] &&
			[ -f place/etc/udev/rules.d/99-libvirt-usb-hotplug.rules ]
	fi
}
refused_for() {
	ended 2 && is place/usr/sbin/libvirt-usb-hotplug "$1" && prints "table $directory/$1" && prints FORCE=1 && [ ! -s calls ]
}
asked() {
	ended 2 && prints FORCE=1
}
before=$(find place)
make_of empty.h install
check 'an empty table is installed where there is none' installed 'empty.h with 0 rows' -l
check 'udev, libvirt and systemd are told, and there is a unit where systemd is, or a rule where eudev sees it' reloaded
make_of two.h install
check 'install says which table it installs, and how many rows that has' installed 'two.h with 2 rows' -s
make_of empty.h install
check 'an empty table does not replace one that is not' refused_for 'two.h with 2 rows'
make_of one.h install
check 'one with fewer rows does' installed 'one.h with 1 row' -s
make_of refused.h install
check 'so does one whose libvirt refuses, which is told' told_and_installed 'refused.h with 1 row' 'did not sync: '
make_of comma.h install
check 'so does one with a mistake, which is told' told_and_installed 'comma.h with 1 row' 'a comma is missing'
make_of empty.h 'install FORCE=1'
check 'and an empty one does with FORCE=1' installed 'empty.h with 0 rows' -l
echo 'what another machine runs' >place/usr/sbin/libvirt-usb-hotplug
make_of empty.h install
check 'but not, without it, what cannot say what it has' asked
make_of empty.h 'install FORCE=1'
check 'and does with it' installed 'empty.h with 0 rows' -l

goes_on() {
	[ -d /run/systemd/system ] || timeout 10 sh -c 'until grep -q ^nohup calls; do sleep 0.1; done'
	ended 0 && grep -qx -e 'systemctl try-restart libvirt-usb-hotplug.service' -e "nohup $directory/place/usr/sbin/libvirt-usb-hotplug -r" calls
}
stub nohup
stub pkill
make_of one.h install
check 'what is trying goes on with the new table, and without the terminal' goes_on
make_of empty.h 'install FORCE=1'

tells_what_to_do() {
	ended 0 && prints 'udev is not running here' && { [ -d /run/systemd/system ] || prints 'sudo kill -HUP'; }
}
stub udevadm 1
stub pkill 127
make_of empty.h install
check 'what cannot be reloaded is told' tells_what_to_do

left_nothing() {
	ended 0 && [ "$(find place)" = "$before" ] && [ ! -e lock ]
}
touch lock
make_of empty.h uninstall
check 'uninstall leaves nothing, nor a directory that install made' left_nothing
stopped() {
	grep -qx 'systemctl stop libvirt-usb-hotplug.service' calls || finds '' libvirt-usb-hot /usr/local/sbin/libvirt-usb-hotplug
}
check 'and stops what runs' stopped

done_testing
