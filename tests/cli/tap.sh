# For the tests beside it: runs $PROGRAM as a person would, and says in TAP what came of it.

PROGRAM=$(realpath "$PROGRAM")
PCI=/devices/pci0000:00/0000:00:14.0
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
count=0

# systemctl COMMANDS: from now on the program finds this for systemctl, and no service of this machine is touched.
systemctl() {
	mkdir -p "$directory/bin"
	printf '#!/bin/sh\n%s\n' "$1" >"$directory/bin/systemctl"
	chmod +x "$directory/bin/systemctl"
}
systemctl 'exit 1'

# run OPTIONS [NAME=VALUE | -NAME]...: runs the program on a plug at 3-1, with variables changed or left out.
# Leaves its status in $status, what it printed in $output, and its messages in $messages.
run() {
	options=$1
	shift
	(
		unset SUBSYSTEM DEVTYPE PRODUCT TYPE ID_MODEL ID_MODEL_FROM_DATABASE
		export ACTION=add DEVPATH="$PCI/usb3/3-1" BUSNUM=003 DEVNUM=007
		for change; do
			case $change in
			-*) unset "${change#-}" ;;
			*) export "${change?}" ;;
			esac
		done
		PATH="$directory/bin:$PATH"
		cd "$directory" || exit
		# shellcheck disable=SC2086 # options are words
		exec "$PROGRAM" $options
	) >"$directory/output" 2>"$directory/messages" </dev/null
	status=$?
	output=$(cat "$directory/output")
	messages=$(cat "$directory/messages")
}

# check DESCRIPTION CONDITION...: one test, which passes if the condition, a command, does.
check() {
	count=$((count + 1))
	description=$1
	shift
	if "$@"; then
		echo "ok $count - $description"
	else
		echo "not ok $count - $description"
		# prove shows stderr alone.
		printf '%s\nfailed: %s\nstatus: %s\noutput: %s\nmessages: %s\n' "$description" "$*" "$status" "$output" "$messages" |
			sed 's/^/# /' >&2
	fi
}

done_testing() {
	echo "1..$count"
}

ended() {
	[ "$status" -eq "$1" ]
}

silent() {
	[ -z "$output$messages" ]
}

says() {
	case $messages in
	*"$1"*) true ;;
	*) false ;;
	esac
}

in_one_line() {
	[ "$(printf '%s\n' "$messages" | wc -l)" -eq 1 ]
}

# The four things that come of an event: "DESCRIPTION" and run's changes, with what is expected in between.
is_left_alone() {
	description=$1
	shift
	run -n "$@"
	check "$description is left alone" left_alone
}

left_alone() {
	ended 0 && silent
}

is_refused() {
	description=$1 expected=$2
	shift 2
	run -n "$@"
	check "$description is refused" refused "$expected"
}

refused() {
	ended 2 && says "$1" && in_one_line && [ -z "$output" ]
}

goes_to() {
	description=$1 expected=$2
	shift 2
	run -n "$@"
	check "$description: $expected" printed "$expected"
}

printed() {
	ended 0 && [ -z "$messages" ] && [ "$(printf '%s\n' "$output" | head -n 1)" = "$1" ]
}
