#!/bin/sh
# What becomes of an event while libvirt's socket is missing, dead, silent or closed at once.
# shellcheck disable=SC2016 # variables in single quotes are Perl's
# shellcheck source=tests/cli/tap.sh disable=SC2034,SC2154 # it sets, and reads, variables of these tests
. "$(dirname "$0")/tap.sh"

# listen PERL [NAME]: a process, of this name, that holds the socket "libvirt-sock" and does this with each connection.
listen() {
	rm -f "$directory/libvirt-sock"
	ln -sf "$(command -v perl)" "$directory/${2:-libvirtd}"
	"$directory/${2:-libvirtd}" -MIO::Socket::UNIX -e '
		$socket = IO::Socket::UNIX->new(Local => "$ARGV[0]/libvirt-sock", Listen => 5) or die;
		while (my $connection = $socket->accept) { '"$1"' }' "$directory" &
	listener=$!
	until [ -S "$directory/libvirt-sock" ]; do
		kill -0 "$listener" || exit 1
	done
}

hang_up() {
	kill "$listener"
	wait "$listener" 2>/dev/null
}

one_line() {
	ended "$1" && [ -z "$output" ] && in_one_line && says "$2"
}

run '' ACTION=add
check 'without a socket a plug is one line and no failure' \
	one_line 0 'vm1: did not attach 3-1 (bus 3 device 7): libvirt is not running, '
run '' ACTION=remove PRODUCT=46d/c08e/100
check 'without a socket a pull is one line and no failure' \
	one_line 0 'vm1: did not detach 3-1 (046d:c08e, bus 3 device 7): libvirt is not running, '

listen '1'
hang_up
run '' ACTION=add
check 'a socket at which nobody listens is the same' \
	one_line 0 'vm1: did not attach 3-1 (bus 3 device 7): libvirt is not running, '

# What an event leaves to, here: a process of ours, which is ended then; under systemd the service, which is a stub's.
heir='libvirt-usb-hotplug -r'
[ ! -d /run/systemd/system ] || heir=libvirt-usb-hotplug.service
systemctl :
left() {
	[ "$heir" != 'libvirt-usb-hotplug -r' ] || [ "$(id -u)" -ne 0 ] ||
		timeout 10 sh -c 'until pkill -f "^$0 -r\$"; do sleep 0.1; done; while pgrep -f "^$0 -r\$"; do sleep 0.1; done' "$PROGRAM" >/dev/null
	said="vm1: did not $1 3-1 (bus 3 device 7): $2"
	if [ "$heir" = 'libvirt-usb-hotplug -r' ] && [ "$(id -u)" -ne 0 ]; then
		one_line 1 "$said" && ! says 'left to'
	else
		one_line 0 "$said" && says ": left to $heir"
	fi && ! says 'not running'
}

listen 'close $connection'
for try in 1 2 3 4 5; do
	run '' ACTION=add
	check "a connection that is closed at once doesn't end the program without a word ($try)" left attach ''
done
hang_up

in_time() {
	left "$@" && [ $((ended_at - started_at)) -le 6 ]
}
listen 'push @open, $connection'
started_at=$(date +%s)
run '' ACTION=remove
ended_at=$(date +%s)
check "a socket that accepts and never answers is given up on, in time, and what is due is left to $heir" \
	in_time detach 'libvirt did not answer within 3 s'
run -s
check 'a sync that gets no answer says that it may work later' one_line 75 'did not sync: libvirt did not answer within 3 s'
run '-s vm1'
check 'so does one of a single domain' one_line 75 'vm1: did not sync: libvirt did not answer within 3 s'
run -l
check 'a list is just not there' one_line 1 'did not list: libvirt did not answer within 3 s'
hang_up

listen 'sysread $connection, $_, 65536; close $connection'
run '' ACTION=add
check "a closed connection is left to $heir as well, in libvirt's words" left attach 'End of file while reading data: '
run -s
check 'and in a sync it may work later' one_line 75 'did not sync: End of file while reading data: '
hang_up

run -n ACTION=add
check '-n asks nobody' [ "$status$messages" = 0 ]

: >"$directory/libudev.so.1"
run -l LD_LIBRARY_PATH="$directory"
check 'a library that cannot be loaded is named' one_line 1 'cannot read what is plugged in: '"$directory/libudev.so.1: "

done_testing
