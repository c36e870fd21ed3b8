#!/bin/sh
# The libvirt hook: what it starts, and that libvirt has nothing to wait for and nothing to complain of.
# shellcheck source=tests/cli/tap.sh disable=SC2034,SC2154 # it sets, and reads, variables of these tests
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

call_hook() {
	rm -f "$directory"/program.*
	sh "$directory/hook" "$@" >"$directory/output" 2>"$directory/messages" </dev/null
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
	[ "$messages" = "-r -- $1: /dev/null /dev/null /dev/null " ]
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

domain() {
	printf "<domain>\n  <devices>\n"
	hostdev "$1" ua-usb-hotplug-1-1
	hostdev 2 ua-mine
	hostdev "$2" ua-usb-hotplug-2-1_4
	printf "    <input type='mouse' bus='ps2'/>\n  </devices>\n</domain>\n"
}

moves_ours_only() {
	[ "$(domain "$1" "$2" | sh "$directory/hook" vm1 restore begin -)" = "$(domain 9001 9002)" ]
}
check 'of a saved domain, only what the program attached is looked for elsewhere' moves_ours_only 1 2
check 'and that once' moves_ours_only 9001 9002

rm "$directory/program"
call_hook vm1 started begin -
check 'a program that is gone is no failure, which would stop the domain' left_alone

done_testing
