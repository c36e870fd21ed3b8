#!/bin/sh
# What the program makes of a udev event's variables: the table of actions, ports, hubs and bad values.
# shellcheck source=tests/cli/tap.sh disable=SC2034,SC2154 # it sets, and reads, variables of these tests
. "$(dirname "$0")/tap.sh"

goes_to 'a plug in the port' 'attach vm1 3 7'
goes_to 'a bind' 'attach vm1 3 7' ACTION=bind
goes_to 'a pull' 'detach vm1 3 7' ACTION=remove
goes_to 'a plug as the kernel tells of it' 'attach vm1 3 7' \
	SUBSYSTEM=usb DEVTYPE=usb_device PRODUCT=46d/c08e/100 TYPE=0/0/0
goes_to 'a number with leading zeros' 'attach vm1 3 8' DEVNUM=008
goes_to 'the largest number' 'attach vm1 999 999' BUSNUM=999 DEVNUM=999
goes_to 'a path with /sys' 'attach vm1 3 7' "DEVPATH=/sys$PCI/usb3/3-1"
goes_to 'a plug behind a hub' 'attach vm1 3 7' "DEVPATH=$PCI/usb3/3-1/3-1.4"
goes_to 'a plug behind a hub, in a row for any bus' 'attach vm2 3 7' "DEVPATH=$PCI/usb3/3-10/3-10.2"
goes_to 'the same port of another bus' 'attach vm2 4 7' "DEVPATH=$PCI/usb4/4-10/4-10.2" BUSNUM=4
goes_to 'an id that has a row' 'attach vm2 3 7' PRODUCT=1d6b/104/1
goes_to 'a missing PRODUCT: no id fits' 'attach vm1 3 7' -PRODUCT
goes_to 'a remote that is called hub' 'attach vm1 3 7' 'ID_MODEL=Harmony Hub' TYPE=0/0/0

is_left_alone 'ACTION change' ACTION=change
is_left_alone 'ACTION unbind' ACTION=unbind
is_left_alone 'another action with bad numbers' ACTION=change BUSNUM=x
is_left_alone 'another subsystem' SUBSYSTEM=net
is_left_alone 'an interface' DEVTYPE=usb_interface
is_left_alone 'an event without BUSNUM' -BUSNUM
is_left_alone 'an event without DEVNUM' -DEVNUM
is_left_alone 'port 11, though port 1 has a row' "DEVPATH=$PCI/usb3/3-11"
is_left_alone 'a port in no row' "DEVPATH=$PCI/usb3/3-2"
is_left_alone 'a malformed PRODUCT where no row asks for it' DEVPATH=/elsewhere/usb3/3-1 PRODUCT=nonsense
is_left_alone 'an id that stays with the host' PRODUCT=1050/407/543
is_left_alone 'a nameless hub' TYPE=9/0/1
is_left_alone 'a hub told by its name' ID_MODEL=USB2.0_HUB
is_left_alone 'a hub told by the database' 'ID_MODEL_FROM_DATABASE=Some Hub'
is_left_alone 'an ACTION with a line break' "ACTION=add
"
is_left_alone 'a DEVPATH with %n' "DEVPATH=/devices/%n%s%n"

run -nv -BUSNUM
check '-v says that BUSNUM is missing' says 'has no BUSNUM'

is_refused 'a missing ACTION' 'ACTION is missing: udev sets it, and by hand it is, for example, sudo ACTION=... ' -ACTION
is_refused 'an empty ACTION' 'ACTION is empty' ACTION=
is_refused 'a missing DEVPATH' 'DEVPATH is missing' -DEVPATH
is_refused 'an empty DEVPATH' 'DEVPATH is empty' DEVPATH=
for name in BUSNUM DEVNUM; do
	for value in '' 0 000 1000 18446744073709551617 -1 +1 ' 1' '1 ' 1x 0x1 1.0 '%n' "'" '"'; do
		is_refused "$name '$value'" "$name is '$value'" "$name=$value"
	done
	is_refused "$name with a line break" "$name is '1 '" "$name=1
"
done
is_refused 'a malformed PRODUCT where a row asks for it' "PRODUCT is '46d/c08e'" PRODUCT=46d/c08e
is_refused 'an empty PRODUCT where a row asks for it' "PRODUCT is ''" PRODUCT=
is_refused 'a PRODUCT with line breaks and quotes' "PRODUCT is '1 \"2\" '3'" "PRODUCT=1
\"2\"
'3"

long=$(printf '%0100000d' 0)
is_left_alone 'a DEVPATH of 100 kB' "DEVPATH=/devices/$long"
is_left_alone 'a port 100 kB down, deeper than sysfs can be,' "DEVPATH=$PCI/usb3/3-1/$long/3-1.2"
is_refused 'a BUSNUM of 100 kB' 'BUSNUM is' "BUSNUM=$long"
is_refused 'a DEVNUM of 100 kB of nines' 'DEVNUM is' "DEVNUM=$(printf %s "$long" | tr 0 9)"

run -n DEVNUM=008 PRODUCT=46d/c08e/100
check 'the XML names the device, and whose it is' [ "$output" = "attach vm1 3 8
<hostdev mode='subsystem' type='usb'>
  <source startupPolicy='optional'>
    <vendor id='0x046d'/>
    <product id='0xc08e'/>
    <address bus='3' device='8'/>
  </source>
  <alias name='ua-usb-hotplug-3-1'/>
</hostdev>" ]
run -n "DEVPATH=$PCI/usb3/3-10/3-10.2"
check 'and the port of the guest, where the row has one' [ "$output" = "attach vm2 3 7
<hostdev mode='subsystem' type='usb'>
  <source startupPolicy='optional'>
    <address bus='3' device='7'/>
  </source>
  <alias name='ua-usb-hotplug-3-10_2'/>
  <address type='usb' bus='0' port='5'/>
</hostdev>" ]

run -n "DEVPATH=$PCI/usb3/3-4"
check 'domains that take turns have one attach each, in their order' [ "$output" = "attach vm1 3 7
<hostdev mode='subsystem' type='usb'>
  <source startupPolicy='optional'>
    <address bus='3' device='7'/>
  </source>
  <alias name='ua-usb-hotplug-3-4'/>
</hostdev>
attach vm2 3 7
<hostdev mode='subsystem' type='usb'>
  <source startupPolicy='optional'>
    <address bus='3' device='7'/>
  </source>
  <alias name='ua-usb-hotplug-3-4'/>
  <address type='usb' bus='0' port='6'/>
</hostdev>" ]

reasons_are_given() {
	ended 0 && [ -z "$output" ] && in_one_line && says "$1"
}
run -nv ACTION=change
check '-v says that the action is another' reasons_are_given "left alone: ACTION is 'change'"
run -nv DEVTYPE=usb_interface
check '-v says that it is no USB device' reasons_are_given 'is not a USB device'
run -nv TYPE=9/0/1
check '-v says that it is a hub' reasons_are_given '3-1 (bus 3 device 7) is a hub'
run -nv "DEVPATH=$PCI/usb3/3-2"
check '-v says that no row has the port' reasons_are_given '3-2 (bus 3 device 7) is in no row of the table'
run -nv PRODUCT=1050/407/543
check '-v says that a row leaves it to the host' reasons_are_given '3-1 (1050:0407, bus 3 device 7) stays with the host'

done_testing
