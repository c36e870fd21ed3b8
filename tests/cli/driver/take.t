#!/usr/bin/env python3
"""What -a and -d do with what is plugged into a port: -n prints it. The machine's nodes take no marks, so without -n -d says that."""

from cases import attach, case, command, detach, did_not, machine, mouse, run_cases

machine(running=["vm1", "vm2", "vm9"], off=["vm3"])

HUB, HUB_BEHIND = "3-30 3:40 05e3:0610 hub", "3-30.2 3:41 05e3:0610 hub"
HELD, SHARED, BY_HAND, OFF, FREE, NOBODYS = (mouse(port) for port in ("3-1", "9-1", "3-2", "5-1", "3-3", "8-1"))
GIVEN, NOT_GIVEN = mouse("8-3.1", 51), mouse("8-3.2", 52)
BEHIND, FAR_BEHIND, ELSEWHERE = mouse("3-30.1", 42), mouse("3-30.2.4", 43), mouse("3-31")
ALL = {"plugged": [HUB, HUB_BEHIND, HELD, SHARED, BY_HAND, OFF, FREE, NOBODYS, BEHIND, FAR_BEHIND, ELSEWHERE, mouse("7-1"),
                   "8-3 8:50 05e3:0610 hub", GIVEN, NOT_GIVEN],
       "held": {"vm1": [HELD, BEHIND], "vm2": [SHARED], "vm9": ["3:12"]}}


def asks(name, options, *changes, says=(), status=0):
    case(f"{options}: {name}", command(options), *changes, says=says, status=status, **ALL)


asks("who holds it gets it again", "-n -a 3-1", detach("vm1", HELD), attach("vm1", HELD))
asks("what nobody holds goes to its domain", "-n -a 3-3", attach("vm1", FREE))
asks("so does what another domain was given by hand", "-n -a 3-2", detach("vm9", BY_HAND), attach("vm1", BY_HAND))
asks("of those that take turns the same gets it again", "-n -a 9-1", detach("vm2", SHARED), attach("vm2", SHARED))
asks("or the one that is named", "-n -a 9-1 vm1", detach("vm2", SHARED), attach("vm1", SHARED))
asks("but not one that is off", "-n -a 9-1 vm3", says=[did_not("attach", "vm3", SHARED, "the domain is not running")], status=1)
asks("where its domain is off, that is all", "-n -a 5-1", says=[did_not("attach", "vm3", OFF, "the domain is not running")])
asks("of a hub it is what is behind it", "-n -a 3-30", detach("vm1", BEHIND), attach("vm1", BEHIND), attach("vm1", FAR_BEHIND))
asks("but not what is there and has no row for a domain", "-n -a 8-3", attach("vm1", GIVEN))
LISTS = "libvirt-usb-hotplug -l lists what is plugged in, and whose it is"
for name, port, domain in (("what is no domain's", "8-1", ""), ("what is the host's", "7-1", ""), ("what is another domain's", "3-1", "vm2")):
    asks(f"{name} can't be attached", f"-n -a {port} {domain}".strip(), status=2,
         says=[f"nothing is plugged into {port} that a row of the table gives to {domain or 'a domain'}: {LISTS}"])
for port in "3-4", "3":
    asks("where nothing is plugged in, though something is in a port that begins so, it is wrong use", f"-n -d {port}", status=2,
         says=[f"nothing is plugged into {port}: {LISTS}"])

asks("a port without a name is none", "-n -d ''", status=2, says=[f"nothing is plugged into : {LISTS}"])

asks("it is detached from whoever holds it", "-n -d 3-1", detach("vm1", HELD))
asks("whoever gave it that", "-n -d 3-2", detach("vm9", BY_HAND))
asks("from each behind a hub", "-n -d 3-30", detach("vm1", BEHIND))
asks("what nobody holds is left alone", "-n -d 3-3")
asks("what can't be remembered isn't done", "-d 3-1", status=1,
     says=["did not detach 3-1 (046d:c08e, bus 3 device 11): /dev/bus/usb/003/011 cannot be marked as taken back: "
           "No such file or directory"])
asks("without a mark a device is given again, and nobody else is asked", "-a 3-1", detach("vm1", HELD), attach("vm1", HELD))

run_cases()
