#!/usr/bin/env python3
"""What -l says of each port's domain, and of the table."""

import os.path

from cases import case, command, machine, mouse, printer, run_cases

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "config.h")
PLUGGED = [mouse("3-1"), mouse("3-2"), mouse("4-1", kind="used sda"), mouse("4-2"), mouse("5-1"), mouse("7-1"), mouse("7-2"),
           mouse("8-1"), mouse("8-2"), mouse("9-1"), mouse("9-2")]
LIST = """\
port    device          belongs to
bus 3, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb3
3-1     3:11  046d:c08e vm1: held
3-2     3:12  046d:c08e vm1: held by vm2
3-3                     vm1: running
bus 4, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb4
4-1     4:11  046d:c08e vm2: the host uses its disk sda
4-2     4:12  046d:c08e vm2: not held
4-3                     vm2: running
bus 5, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb5
5-1     5:11  046d:c08e vm3: off
5-2..3                  vm3: off
bus 6, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb6
6-1..3                  vm4: {vm4}
bus 7, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb7
7-1     7:11  046d:c08e host: held by vm2
7-2     7:12  046d:c08e host
7-3                     host
bus 8, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb8
8-1     8:11  046d:c08e -: held by vm9
8-2     8:12  046d:c08e -
8-3                     -
bus 9, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb9
9-1     9:11  046d:c08e vm3: off, vm1: running, vm2: held
9-2     9:12  046d:c08e vm3: off, vm1: not held, vm2: not held
9-3                     vm3: off, vm1: running, vm2: running
bus 10, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb10
10-1..3                 vm4: {vm4}, vm1: running

Rows for what is in no row yet, to paste above the last }};
of your table, now {table}:

        /* 046d:c08e */
        {{ "DOMAIN", "/devices/pci0000:00/0000:00:14.0/usb8/8-1" }},
        /* 046d:c08e */
        {{ "DOMAIN", "/devices/pci0000:00/0000:00:14.0/usb8/8-2" }},
"""

machine(running=["vm1", "vm2", "vm4", "vm9"], off=["vm3"])
case("who holds what is plugged in: its domain, another, nobody, a domain that no row names; who runs, and what the host uses",
     command("-l"), plugged=PLUGGED, prints=LIST.format(table=TABLE, vm4="running"),
     held={"vm1": [mouse("3-1")], "vm2": [mouse("3-2"), mouse("7-1"), mouse("9-1")], "vm9": [mouse("8-1")]})

machine(running=["vm1", "vm2", "vm9"], off=["vm3"])
case("the same of what someone else attached; and a domain that libvirt doesn't know is a mistake in the table", command("-l"),
     plugged=PLUGGED, status=1,
     prints=LIST.format(table=TABLE, vm4="unknown") + "\nWhat is wrong with the table:\n\nrow 6, vm4: Domain not found\nrow 11, vm4: Domain not found\n",
     held={"vm1": ["3:11"], "vm2": ["3:12 046d:c08e", "7:11", "9:11"], "vm9": ["8:11"]})

machine(running=["vm1", "vm2", "vm4"], off=["vm3"])
case("what is stale is not held: what was pulled, and what another device has the address of; and a hub has no owner",
     command("-l"), plugged=[printer("3-1"), mouse("3-2"), "3-3 3:13 05e3:0610 hub", mouse("3-3.4")],
     held={"vm1": [mouse("3-1")], "vm2": [mouse("3-2", 112), mouse("4-1")]}, prints="""\
port       device              belongs to
bus 3, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb3
3-1        3:11  04a9:1912     vm1: not held
3-2        3:12  046d:c08e     vm1: not held
3-3        3:13  05e3:0610 hub
  3-3.1..3                     vm1: running
  3-3.4    3:14  046d:c08e     vm1: not held
bus 4, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb4
4-1..3                         vm2: running
bus 5, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb5
5-1..3                         vm3: off
bus 6, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb6
6-1..3                         vm4: running
bus 7, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb7
7-1..3                         host
bus 8, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb8
8-1..3                         -
bus 9, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb9
9-1..3                         vm3: off, vm1: running, vm2: running
bus 10, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb10
10-1..3                        vm4: running, vm1: running
""")

run_cases()
