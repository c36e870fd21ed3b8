#!/usr/bin/env python3
"""What -a and -d do with what is plugged into a port: -n prints it. The machine's nodes take no marks, so without -n -d says that."""

from cases import attach, case, command, detach, did_not, machine, mouse, run_cases

machine(running=["vm1", "vm2", "vm9"], off=["vm3"])

HUB, HUB_BEHIND = "3-30 3:40 05e3:0610 hub", "3-30.2 3:41 05e3:0610 hub"
HELD, SHARED, BY_HAND, OFF, FREE, NOBODYS = (mouse(port) for port in ("3-1", "9-1", "3-2", "5-1", "3-3", "8-1"))
BEHIND, FAR_BEHIND, ELSEWHERE = mouse("3-30.1", 42), mouse("3-30.2.4", 43), mouse("3-31")
ALL = {"plugged": [HUB, HUB_BEHIND, HELD, SHARED, BY_HAND, OFF, FREE, NOBODYS, BEHIND, FAR_BEHIND, ELSEWHERE, mouse("7-1")],
       "held": {"vm1": [HELD, BEHIND], "vm2": [SHARED], "vm9": ["3:12"]}}


def asks(name, options, *changes, says=(), status=0):
    case(f"{options}: {name}", command(options), *changes, says=says, status=status, **ALL)


asks("who holds it gets it again", "-n -a 3-1", detach("vm1", HELD), attach("vm1", HELD))
asks("what nobody holds goes to its domain", "-n -a 3-3", attach("vm1", FREE))
asks("so does what another domain was given by hand", "-n -a 3-2", detach("vm9", "3:12"), attach("vm1", BY_HAND))
asks("of those that take turns the same gets it again", "-n -a 9-1", detach("vm2", SHARED), attach("vm2", SHARED))
asks("or the one that is named", "-n -a 9-1 vm1", detach("vm2", SHARED), attach("vm1", SHARED))
asks("but not one that is off", "-n -a 9-1 vm3", says=[did_not("attach", "vm3", SHARED, "the domain is not running")], status=1)
asks("where its domain is off, that is all", "-n -a 5-1", says=[did_not("attach", "vm3", OFF, "the domain is not running")])
asks("of a hub it is what is behind it", "-n -a 3-30", detach("vm1", BEHIND), attach("vm1", BEHIND), attach("vm1", FAR_BEHIND))
asks("what is no domain's can't be attached", "-n -a 8-1", status=2,
     says=["did not attach 8-1 (046d:c08e, bus 8 device 11): no row of the table gives it to a domain"])
asks("nor what is the host's", "-n -a 7-1", status=2,
     says=["did not attach 7-1 (046d:c08e, bus 7 device 11): no row of the table gives it to a domain"])
asks("nor what is another domain's", "-n -a 3-1 vm2", status=2,
     says=[did_not("attach", "vm2", HELD, "no row of the table gives it to this domain")])
for option in "-a", "-d":
    asks("where nothing is plugged in, that is wrong use", f"-n {option} 3-4", status=2,
         says=["nothing is plugged into 3-4: libvirt-usb-hotplug -l lists what is plugged in, and where"])
    asks("that of a port isn't what is in one whose number begins so", f"-n {option} 3", status=2,
         says=["nothing is plugged into 3: libvirt-usb-hotplug -l lists what is plugged in, and where"])

asks("it is detached from whoever holds it", "-n -d 3-1", detach("vm1", HELD))
asks("whoever gave it that", "-n -d 3-2", detach("vm9", "3:12"))
asks("from each behind a hub", "-n -d 3-30", detach("vm1", BEHIND))
asks("what nobody holds is left alone", "-n -d 3-3")
asks("what can't be remembered isn't done", "-d 3-1", status=1,
     says=["did not detach 3-1 (046d:c08e, bus 3 device 11): /dev/bus/usb/003/011 cannot be marked as taken back: "
           "No such file or directory"])
asks("without a mark a device is given again, and nobody else is asked", "-a 3-1", detach("vm1", HELD), attach("vm1", HELD))

run_cases()
