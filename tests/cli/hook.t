#!/bin/sh
# The libvirt hook: what it starts, and that libvirt has nothing to wait for and nothing to complain of.
# shellcheck source=tests/cli/tap.sh disable=SC2031,SC2034,SC2154 # it sets, and reads, variables of these tests
. "$(dirname "$0")/tap.sh"

# A program that says how it was called and where its input, output and errors go, and then stays until it is told to go.
cat >"$directory/program" <<'EOF2'
#!/bin/sh
streams=$(readlink "/proc/$$/fd/0" "/proc/$$/fd/1" "/proc/$$/fd/2" | tr '\n' ' ')
echo "$*: $streams" >"$0.called.new"
mv "$0.called.new" "$0.called"
until [ -e "$0.go" ]; do sleep 0.1; done
touch "$0.gone"
EOF2
chmod +x "$directory/program"
sed "s|@BINARY@|$directory/program|" "$(dirname "$0")/../../rules/qemu-hook.in" >"$directory/hook"

definition=/dev/null
call_hook() {
	rm -f "$directory"/program.*
	PATH="$directory/bin:$PATH" sh "$directory/hook" "$@" >"$directory/output" 2>"$directory/messages" <"$definition"
	status=$?
	output=$(cat "$directory/output")
	messages=$(cat "$directory/messages")
}

wait_for() {
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout 10 sh -c 'until [ -e "$1" ]; do sleep 0.1; done' sh "$1"
}

tries_until_all_is_in_line() {
	left_alone || return
	wait_for "$directory/program.called"
	messages=$(cat "$directory/program.called")
	touch "$directory/program.go"
	wait_for "$directory/program.gone"
	[ "$messages" = "-r: /dev/null /dev/null /dev/null " ]
}

starts_nothing() {
	left_alone && [ ! -e "$directory/program.called" ]
}

call_hook vm1 started begin -
check 'once a domain has started all is brought in line, by a process of its own' tries_until_all_is_in_line
call_hook 'my vm' reconnect begin -
check 'and once libvirtd has come back to one' tries_until_all_is_in_line
# shellcheck disable=SC2016 # the stub expands it
systemctl 'echo "$*: $(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | tr "\n" " ")" >>'"$directory/program.called"
has_the_service_do_it() {
	left_alone && wait_for "$directory/program.called" && messages=$(cat "$directory/program.called") &&
		[ "$messages" = '--no-block restart libvirt-usb-hotplug.service: /dev/null /dev/null /dev/null ' ]
}
call_hook vm1 started begin -
check 'the service does it, where there is one' has_the_service_do_it
systemctl 'exit 1'
for operation in 'prepare begin' 'start begin' 'stopped end' 'started end' 'migrate begin'; do
	# shellcheck disable=SC2086 # operation is two words
	call_hook vm1 $operation -
	check "at '$operation' nothing is done" starts_nothing
done

hostdev() {
	printf "    <hostdev mode='subsystem' type='usb' managed='no'>\n      <source startupPolicy='optional'>\n"
	printf "        <vendor id='0x0627'/>\n        <address bus='%s' device='12'/>\n      </source>\n" "$1"
	printf "      <alias name='%s'/>\n      <address type='usb' bus='0' port='1'/>\n    </hostdev>\n" "$2"
}

# A saved domain's definition, with a @ before each bus that is to become another.
domain() {
	printf "<domain>\n  <devices>\n"
	hostdev @1 ua-usb-hotplug-1-1
	hostdev 2 ua-mine
	hostdev 3 ua-usb-hotplug-3-1 | sed "s/type='usb' managed/type='usb-like' managed/"
	hostdev @123 ua-usb-hotplug-2-1_4
	printf "    <input type='mouse' bus='ps2'/>\n  </devices>\n</domain>\n"
}

# One that has ended, with what it held in a /sys of the test's, where the interfaces have no driver but for one.
mkdir -p "$directory/sys/9-1.2" "$directory/sys/9-1.2:1.0" "$directory/sys/9-1.2:1.1/driver" "$directory/sys/9-3" "$directory/sys/9-3:1.0"
echo 9 | tee "$directory/sys/9-1.2/busnum" "$directory/sys/9-3/busnum" >/dev/null
echo 108 | tee "$directory/sys/9-1.2/devnum" "$directory/sys/9-3/devnum" >/dev/null
sed -i "s|/sys/bus/usb/devices|$directory/sys|; s|>/sys/bus/usb/drivers_probe|>>$directory/probed|" "$directory/hook"
ends() {
	rm -f "$directory/probed"
	printf "<domain><devices>%s</devices></domain>" "$1" >"$directory/ended"
	definition="$directory/ended"
	call_hook vm1 release end -
	left_alone && wait_for "$directory/program.called" || return
	early=$(cat "$directory/probed" 2>/dev/null)
	touch "$directory/program.go"
	wait_for "$directory/program.gone"
	messages=$(cat "$directory/program.called")
	[ "$messages$early" = "-s: /dev/null /dev/null /dev/null " ]
}
works_on_the_host() {
	ends "$1" && wait_for "$directory/probed" && [ "$(cat "$directory/probed")" = "$2" ]
}
check 'once a domain has ended all is brought in line' ends "$(hostdev 9 ua-mine)"
check 'what is nobody'\''s then has the kernel look for a driver, where it has none' \
	works_on_the_host "$(hostdev 9 ua-usb-hotplug-9-1_2 | tr -d '\n')$(hostdev 9 ua-usb-hotplug-9-7)" 9-1.2:1.0
check 'but not what it never held, as one that came from another machine or was restored' \
	works_on_the_host "$(hostdev 9003 ua-usb-hotplug-9-3)$(hostdev 9 ua-usb-hotplug-9-1_2)" 9-1.2:1.0

# restore COMMAND...: calls the hook for the definition as the command lays it out, of a domain that is restored, or comes from elsewhere.
from=restore
restore() {
	domain | "$@" >"$directory/marked"
	definition="$directory/definition"
	sed 's/@//g' "$directory/marked" >"$definition"
	call_hook vm1 "$from" begin -
}

changed_where_marked() {
	ended 0 && [ -z "$messages" ] && sed 's/@/900/g' "$directory/marked" | cmp -s - "$directory/output"
}

moves_ours_in() {
	description=$1
	shift
	restore "$@"
	check "in a definition $description, only what the program attached is looked for elsewhere" changed_where_marked
}

prints_nothing_for() {
	description=$1
	shift
	restore "$@"
	check "of a definition $description, nothing is printed" left_alone
}

without_newline() {
	printf '%s' "$(cat)"
}

return=$(printf '\r')
mark=$(printf '\357\273\277')
moves_ours_in 'as libvirt writes it' cat
from=migrate
moves_ours_in 'that comes from another machine' cat
from=restore
moves_ours_in 'on one line' tr -d '\n'
moves_ours_in 'with each attribute on a line of its own' tr ' ' '\n'
moves_ours_in 'with each attribute on a line of its own, and CRLF' sed "s/ /$return\n/g"
moves_ours_in 'with tabs' tr ' ' '\t'
moves_ours_in 'with double quotes' tr \' \"
moves_ours_in 'with spaces around =' sed "s/=/ = /g"
moves_ours_in 'with attributes in another order' \
	sed "s/mode='subsystem' \(type='usb'\)/\1 mode='subsystem'/; s/\(bus='@*[0-9]*'\) \(device='12'\)/\2 \1/"
moves_ours_in 'with the alias first' sed '/<source/,/<\/source>/{
	H
	d
}
/<alias/{
	G
	x
	s/.*//
	x
}'
moves_ours_in 'with CRLF' sed "s/\$/$return/"
moves_ours_in 'without a newline at its end' without_newline
moves_ours_in 'without empty elements' sed 's|<\([a-z]*\)\(.*\)/>|<\1\2></\1 >|'
moves_ours_in 'with a byte order mark' sed "1s/^/$mark/"
moves_ours_in 'with a head' sed "1s|^|<?xml version='1.0'?>\n<!DOCTYPE domain>\n|"
markup="it's </hostdev><hostdev><alias name='ua-usb-hotplug-1-1'/> <x a=\""
moves_ours_in 'with markup in comments' sed "s|\$|<!--> $markup <![CDATA[ <?x -->|"
moves_ours_in 'with markup in CDATA' sed "\$!s|\$|<![CDATA[> $markup <!-- <?x ]]>|"
moves_ours_in 'with markup in instructions' sed "s|\$|<?x > $markup <!-- <![CDATA[ ?>|"
moves_ours_in 'with > and quotes in attributes' \
	sed "s|<[a-z][a-z]*|& title='/>\"' subtitle=\"> bus='1' device='2' type='pci' name='x' '\"|"
moves_ours_in "with quotes, '&' and backslashes in text" sed "\$!s|>\$|>\\\\1 it's > \"/> \\\\\\\\ \&amp; \\\\\&amp; é|"
moves_ours_in "with a guest's address that looks like a host's" sed "s/bus='0' port='1'/bus='0' device='1'/"
moves_ours_in 'with an empty hostdev' sed "s|.*<hostdev.*|<hostdev/><hostdev type='usb' />&|"

ours="<hostdev type='usb'><source><address bus='1' device='12'/></source><alias name='ua-usb-hotplug-1-1'/></hostdev>"
for metadata in '<hostdev/>' "<x:hostdev xmlns:x='urn:x'/>" "$ours" '<devices/>' "<devices>$ours</devices>" \
	"<devices xmlns='urn:x'>$ours</devices>" "<x:devices xmlns:x='urn:x'>$ours</x:devices>" \
	"<domain><devices>$ours</devices></domain>"; do
	metadata="<metadata>$metadata</metadata>"
	moves_ours_in "with $metadata before its devices" sed "s|<domain>|&$metadata|"
	moves_ours_in "with $metadata behind them" sed "s|</domain>|$metadata&|"
done

prints_nothing_for 'with nothing of ours' sed "s/ua-usb-hotplug-/ua-mine-/"
prints_nothing_for 'without devices' sed '/<devices>/,/<\/devices>/d'
prints_nothing_for 'with what has been moved before' sed 's/@/900/'
prints_nothing_for 'with no device number' sed "s/ device='12'//"
prints_nothing_for "with no bus but the guest's" sed "/device='12'/d"
prints_nothing_for 'with our alias in a comment' sed "s|<alias.*|<!-- & -->|"
prints_nothing_for 'with our alias in the middle of another' sed 's/ua-usb-hotplug-/ua-x-&/'
prints_nothing_for 'with our alias inside another element' sed 's|<alias.*|<boot>&</boot>|'
prints_nothing_for 'with our alias in another attribute' sed "s|<alias name=|<alias name='ua-mine' old-name=|"
prints_nothing_for 'with our alias for what is no USB device' sed "s/type='usb' managed/type='pci' managed/"
prints_nothing_for 'with our alias for what is no host device' sed 's/hostdev\([ >]\)/redirdev\1/'
prints_nothing_for 'with our devices in another namespace' sed 's/hostdev\([ >]\)/x:hostdev\1/'
prints_nothing_for 'with our devices in its metadata alone' sed 's/devices>/metadata>/'
prints_nothing_for 'with our devices in a comment' sed '2s/^/<!--/; s|</devices>|&-->|'

printf '#!/bin/sh\nexit 2\n' >"$directory/bin/awk"
chmod +x "$directory/bin/awk"
restore cat
check 'an awk that fails is no failure, which would keep the domain from starting' left_alone

rm "$directory/program"
call_hook vm1 started begin -
check 'a program that is gone is no failure, which would stop the domain' left_alone

done_testing
