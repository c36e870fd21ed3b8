#!/bin/sh
# The command line: help, version and wrong use.
# shellcheck source=tests/cli/tap.sh disable=SC2034,SC2154 # it sets, and reads, variables of these tests
. "$(dirname "$0")/tap.sh"

helps() {
	ended 0 && [ -z "$messages" ] && [ "${output#"$1"}" != "$output" ]
}
run -h
check '-h prints how it is used' helps 'usage: libvirt-usb-hotplug '
run --help
check 'so does --help' helps 'usage: libvirt-usb-hotplug '
names_table() {
	ended 0 && [ -z "$messages" ] && case $output in 'libvirt-usb-hotplug '*', table /'*'/config.h with 6 rows') ;; *) false ;; esac
}
run -V
check '-V prints the version, the table and how many rows that has' names_table
run --version
check 'so does --version' names_table

is_wrong_use() {
	run "$1"
	check "'$1' is wrong use" misused
}
misused() {
	ended 2 && [ -z "$output" ] && says 'usage: libvirt-usb-hotplug '
}
is_wrong_use -x
is_wrong_use --list
is_wrong_use vm1
is_wrong_use '-n vm1'

is_wrong_use '-l vm1'
is_wrong_use '-l -s'
is_wrong_use '-l -n'
is_wrong_use '-s vm1 vm2'
is_wrong_use -a
is_wrong_use '-a 3-1 vm1 vm2'
is_wrong_use -d
is_wrong_use '-d 3-1 vm1'
is_wrong_use '-a -d 3-1'

syncs_nothing() {
	ended 0 && in_one_line && says "$1"
}
run -s
check 'without libvirt a sync is one line, and no failure' syncs_nothing 'did not sync: libvirt is not running, and all is brought in line when it is: '
run '-n -s vm1'
check 'so is one of a domain in the table' syncs_nothing 'vm1: did not sync: libvirt is not running, '
run '-s vm9'
check 'and so is one of a domain that is not in the table, which may hold what is ours' \
	syncs_nothing 'vm9: did not sync: libvirt is not running, '

lists() {
	ended 0 && [ -z "$messages" ] && case $output in *'libvirt could not be asked about the domains:'*) ;; *) false ;; esac
}
run -l
check 'without libvirt -l lists all the same, and says so' lists

done_testing
