#!/bin/sh
# The command line: help, version and wrong use.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

helps() {
	ended 0 && [ -z "$messages" ] && [ "${output#"$1"}" != "$output" ]
}
run -h
check '-h prints how it is used' helps 'usage: libvirt-usb-hotplug '
run -V
check '-V prints the version' helps 'libvirt-usb-hotplug '

is_wrong_use() {
	run "$1"
	check "'$1' is wrong use" misused
}
misused() {
	ended 2 && [ -z "$output" ] && says 'usage: libvirt-usb-hotplug '
}
is_wrong_use -x
is_wrong_use --help
is_wrong_use vm1
is_wrong_use '-n vm1'

done_testing
