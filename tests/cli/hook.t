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

starts_a_sync_of() {
	left_alone || return
	wait_for "$directory/program.called"
	messages=$(cat "$directory/program.called")
	touch "$directory/program.go"
	wait_for "$directory/program.gone"
	[ "$messages" = "-s -- $1: /dev/null /dev/null /dev/null " ]
}

starts_nothing() {
	left_alone && [ ! -e "$directory/program.called" ]
}

call_hook vm1 started begin -
check 'a domain that has started is synced, by a process of its own' starts_a_sync_of vm1
call_hook 'my vm' reconnect begin -
check 'so is one that libvirtd has come back to' starts_a_sync_of 'my vm'
for operation in 'prepare begin' 'start begin' 'stopped end' 'release end' 'started end' 'migrate begin'; do
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

# restore COMMAND...: calls the hook for the definition as the command lays it out.
restore() {
	domain | "$@" >"$directory/marked"
	definition="$directory/definition"
	sed 's/@//g' "$directory/marked" >"$definition"
	call_hook vm1 restore begin -
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

moves_ours_in 'as libvirt writes it' cat

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
