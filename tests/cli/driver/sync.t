#!/usr/bin/env python3
"""What -s brings in line, in all domains and in one, and what it leaves alone; and that -n -s prints the same."""

from cases import WRONG, Device, attach, case, command, detach, did_not, machine, mouse, printer, run_cases, settles

machine(running=["vm1", "vm2", "vm9"], off=["vm3"])

# What is plugged in and not held.

GADGET, HUB, HUB_BEHIND = "3-2 3:12 1d6b:0104", "3-3 3:13 05e3:0610 hub", "3-3.2 3:112 05e3:0610 hub"

settles("a running domain gets what is plugged into its ports", attach("vm1", mouse("3-1")), plugged=[mouse("3-1")])
settles("at the guest's port that the row has", attach("vm2", mouse("4-1"), "0:5"), plugged=[mouse("4-1")])
settles("a domain gets what has an id with a row of its own", attach("vm2", GADGET), plugged=[GADGET])
settles("what is behind hubs in a domain's port is attached, the hubs aren't", attach("vm1", mouse("3-3.4")),
        attach("vm1", mouse("3-3.2.1", 111)), plugged=[HUB, mouse("3-3.4"), HUB_BEHIND, mouse("3-3.2.1", 111)])
settles("what belongs to nobody, to the host or to a domain that isn't running is left alone",
        plugged=[mouse(f"{bus}-1") for bus in (5, 6, 7, 8)])
settles("what is in line is left alone", plugged=[mouse("3-5")], held={"vm1": [mouse("3-5")]})

# What is the program's own.

settles("what was replugged is detached and attached anew", detach("vm1", mouse("3-6", 106)), attach("vm1", mouse("3-6")),
        plugged=[mouse("3-6")], held={"vm1": [mouse("3-6", 106)]})
settles("what was pulled is detached, from whichever domain", detach("vm1", mouse("3-7")), detach("vm9", mouse("3-8")),
        held={"vm1": [mouse("3-7")], "vm9": [mouse("3-8")]})
settles("what another device in its port has the address of is detached", detach("vm1", mouse("3-9")),
        attach("vm1", printer("3-9")), plugged=[printer("3-9")], held={"vm1": [mouse("3-9")]})
settles("so is what a device in another port has the address of", detach("vm1", mouse("3-10", 21)), attach("vm1", mouse("3-11")),
        plugged=[mouse("3-11")], held={"vm1": [mouse("3-10", 21)]})
settles("what the table gives to another domain moves there", detach("vm1", mouse("4-2")), attach("vm2", mouse("4-2")),
        plugged=[mouse("4-2")], held={"vm1": [mouse("4-2")]})
settles("two domains that have each other's lose them first", detach("vm1", mouse("4-3")), detach("vm2", mouse("3-15")),
        attach("vm1", mouse("3-15")), attach("vm2", mouse("4-3")),
        plugged=[mouse("3-15"), mouse("4-3")], held={"vm1": [mouse("4-3")], "vm2": [mouse("3-15")]})
settles("what belongs to nobody, to the host or to a domain that isn't running goes to the host",
        *(detach("vm1", mouse(f"{bus}-2")) for bus in (5, 6, 7, 8)),
        plugged=[mouse(f"{bus}-2") for bus in (5, 6, 7, 8)], held={"vm1": [mouse(f"{bus}-2") for bus in (5, 6, 7, 8)]})
settles("so does a hub", detach("vm1", "3-16 3:26 05e3:0610"), plugged=["3-16 3:26 05e3:0610 hub"],
        held={"vm1": ["3-16 3:26 05e3:0610"]})

# What someone else attached.

settles("what someone attached by its address stays, whosever it is",
        plugged=[mouse("3-20"), mouse("4-4"), mouse("7-3"), mouse("8-3")],
        held={"vm1": ["4:14", "8:13"], "vm2": ["3:30"], "vm9": ["7:13"]})
settles("where nothing is plugged in at its address, it is detached", detach("vm1", "3:31"), detach("vm9", "4:31"),
        held={"vm1": ["3:31"], "vm9": ["4:31"]})
settles("what someone attached by vendor and product stays, plugged in or not", plugged=[mouse("3-22")],
        held={"vm2": ["3:32 046d:c08e", "18d1:4ee1"], "vm9": ["3:33 04b8:0142"]})

# Disks.

USED, FREE, PASSED_ON = mouse("3-24", kind="used sda"), mouse("3-25", kind="free sdb"), mouse("3-26", kind="used sdc")

settles("a disk that the host uses stays there, and is told", plugged=[USED],
        says=[did_not("attach", "vm1", USED, "the host uses its disk sda")])
settles("one that it doesn't use is attached", attach("vm1", FREE), plugged=[FREE])
settles("one that its domain holds stays there", plugged=[PASSED_ON], held={"vm1": [PASSED_ON]})

# One domain.

machine(running=["vm1", "vm2", "vm9"], off=["vm3"])
ALL = {"plugged": [mouse("3-1"), mouse("4-1"), mouse("5-1"), mouse("3-5")],
       "held": {"vm1": [mouse("4-1"), mouse("3-6")], "vm2": [mouse("3-1"), mouse("4-2")], "vm9": [mouse("3-5")]}}

for options in "-s", "-n -s":
    case(f"{options} of one domain gives it its own, also from another, and takes what isn't", command(f"{options} vm2"),
         detach("vm1", mouse("4-1")), detach("vm2", mouse("3-1")), detach("vm2", mouse("4-2")),
         attach("vm2", mouse("4-1"), "0:5"), **ALL)
    case(f"{options} takes from one that no row names what isn't its own", command(f"{options} vm9"),
         detach("vm9", mouse("3-5")), **ALL)
    case(f"{options} of one that is off is one line, and no failure", command(f"{options} vm3"), **ALL,
         says=["vm3: did not sync: the domain is not running"])
    case(f"{options} of one that libvirt doesn't know is an error in its words", command(f"{options} vm4"), **ALL,
         says=["vm4: did not sync: Domain not found"], status=1)

# The status, and -v.

machine(running=["vm1", "vm2"])
IN_LINE = {"plugged": [mouse("3-1"), mouse("4-1"), mouse("8-1")], "held": {"vm1": [mouse("3-1")], "vm2": [mouse("4-1")]}}
case("where all is in line, nothing is done", command("-s"), **IN_LINE)
case("and -v says so", command("-s -v"), **IN_LINE, says=["all is in line"])

machine(running=["vm1"])
case("-n fails where the host uses a disk", command("-n -s"), plugged=[USED], status=1,
     says=[did_not("attach", "vm1", USED, "the host uses its disk sda")])

machine(running=["vm1", "vm2"], off=["vm3"])
WRONG_ROWS = ["", WRONG, "", "row 6, vm4: Domain not found", "row 11, vm4: Domain not found"]
for options in "-s", "-s vm1", "-n -s":
    case(f"{options} says what is wrong with the table", command(options), says=WRONG_ROWS)
case("-r doesn't", command("-r"))

machine()
case("where no domain is, nothing is done", command("-s"), plugged=[mouse("3-1")])

machine(running=["vm1"], off=["vm3"])
WAITING = mouse("5-1"), mouse("6-1"), mouse("9-1")
case("-v says what waits for a domain that is off, or that libvirt doesn't know", command("-n -s -v"),
     attach("vm1", mouse("9-1")), plugged=WAITING,
     says=[f"left alone: {Device(words).text()} waits for {name}, which doesn't run" for words, name in zip(WAITING, ("vm3", "vm4"))])


machine(running=["vm1"], off=["vm3"])
case("once, also where another look is due", command("-s -v"), plugged=[mouse("3-1"), WAITING[0]], status=1,
     says=[attach("vm1", mouse("3-1")).refused(), f"left alone: {Device(WAITING[0]).text()} waits for vm3, which doesn't run"])

# What a program of the host has claimed.

machine(running=["vm1", "vm2"])
CLAIMED, HELD = mouse("3-1", kind="claimed"), mouse("3-2", kind="claimed")
case("what a program has claimed is told, with its node, and may work later", command("-s"), plugged=[CLAIMED, HELD],
     held={"vm1": [HELD]}, status=75, says=[did_not("attach", "vm1", CLAIMED, "a program has claimed /dev/bus/usb/003/011")])

run_cases()
