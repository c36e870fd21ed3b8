#!/usr/bin/env python3
"""What becomes of an event: what it attaches and detaches, what it leaves alone, and all that is said."""

from cases import attach, by_hand, case, detach, did_not, event, machine, mouse, printer, run_cases

NOT_PLUGGED_IN, NOT_RUNNING, NOT_KNOWN = "it is not plugged in any more", "the domain is not running", "Domain not found"

machine(running=["vm1", "vm2", "vm9"], off=["vm3"])

# A plug.

MOUSE, GADGET, HUB, BEHIND = mouse("3-1"), "3-2 3:12 1d6b:0104", "3-3 3:13 05e3:0610 hub", mouse("3-3.4")

for it, told in {"a plug": event("add", MOUSE), "a driver that is bound": event("bind", MOUSE),
                 "udevadm": event("add", MOUSE, SYNTH_UUID="0"), "a person": by_hand("add", MOUSE)}.items():
    case(f"{it} gives a device to the domain that owns its port; what libvirt refuses is told once", told,
         attach("vm1", MOUSE), plugged=[MOUSE])
case("one with an id that has a row goes to that row's domain", event("add", GADGET), attach("vm2", GADGET), plugged=[GADGET])
case("one behind a hub goes to the domain that owns the hub's port", event("add", BEHIND), attach("vm1", BEHIND),
     plugged=[HUB, BEHIND])
case("the hub is left alone", event("add", HUB), plugged=[HUB, BEHIND])

# A pull.

PULLED, PULLED_BEHIND, STILL_THERE, OTHERS, NO_ROWS = mouse("3-5"), mouse("3-6.7"), mouse("3-8"), mouse("3-9"), mouse("3-10")

for it, told in {"a pull": event("remove", PULLED), "a person": by_hand("remove", PULLED)}.items():
    case(f"{it} takes a device from its domain; what libvirt refuses is told once", told, detach("vm1", PULLED),
         held={"vm1": [PULLED]})
case("so does one behind a hub", event("remove", PULLED_BEHIND), detach("vm1", PULLED_BEHIND), held={"vm1": [PULLED_BEHIND]})
case("so does one that sysfs still has", event("remove", STILL_THERE), detach("vm1", STILL_THERE),
     plugged=[STILL_THERE], held={"vm1": [STILL_THERE]})
case("one that another domain has is taken from that", event("remove", OTHERS), detach("vm2", OTHERS), held={"vm2": [OTHERS]})
case("so is one in a domain that no row names", event("remove", NO_ROWS), detach("vm9", NO_ROWS), held={"vm9": [NO_ROWS]})
case("one that no domain holds is left alone", event("remove", mouse("3-11")))

# Events come twice, and late.

HELD, GONE, NOW_GONE, REPLUGGED = mouse("3-12"), mouse("3-13", 207), mouse("3-14", 208), mouse("3-15")  # no /dev has as many

for action in "add", "bind":
    case(f"{action}: what its domain holds is left alone", event(action, HELD), plugged=[HELD], held={"vm1": [HELD]})
    case(f"{action}: what is gone by now is one line, and no failure", event(action, GONE),
         says=[did_not("attach", "vm1", GONE, NOT_PLUGGED_IN)])
case("what its port had before is detached then", event("add", NOW_GONE), detach("vm1", mouse("3-14")),
     held={"vm1": [mouse("3-14")]}, says=[did_not("attach", "vm1", NOW_GONE, NOT_PLUGGED_IN)])
case("a pull that was replugged by now is detached and attached", event("remove", mouse("3-15", 115)),
     detach("vm1", mouse("3-15", 115)), attach("vm1", REPLUGGED), plugged=[REPLUGGED], held={"vm1": [mouse("3-15", 115)]})

# A domain that isn't running.

for bus, domain, why, status in (5, "vm3", NOT_RUNNING, 0), (6, "vm4", NOT_KNOWN, 1):
    PLUGGED, PULLED, ELSEWHERE = mouse(f"{bus}-1"), mouse(f"{bus}-2"), mouse(f"{bus}-3")
    for action in "add", "bind":
        case(f"{action}: {why}, in one line", event(action, PLUGGED), plugged=[PLUGGED],
             says=[did_not("attach", domain, PLUGGED, why)], status=status)
    case(f"remove: {why}, in one line", event("remove", PULLED), says=[did_not("detach", domain, PULLED, why)], status=status)
    case("what is gone by now is just that", event("add", mouse(f"{bus}-4", 207)),
         says=[did_not("attach", domain, mouse(f"{bus}-4", 207), NOT_PLUGGED_IN)])
    case("what another domain holds is detached there all the same", event("remove", ELSEWHERE), detach("vm2", ELSEWHERE),
         held={"vm2": [ELSEWHERE]}, says=[did_not("detach", domain, ELSEWHERE, why)])

# What is stale, and what someone else attached.

BEFORE, NUMBERED, ITS_NUMBER, GIVEN = mouse("3-16", 116), mouse("3-17"), printer("3-18", 27), mouse("3-19")

for action in "add", "bind":
    case(f"{action}: what its port had before is detached first", event(action, mouse("3-16")), detach("vm1", BEFORE),
         attach("vm1", mouse("3-16")), plugged=[mouse("3-16")], held={"vm1": [BEFORE]})
case("so is what had its address in another port, in whichever domain", event("add", NUMBERED), detach("vm1", ITS_NUMBER),
     detach("vm9", ITS_NUMBER), attach("vm1", NUMBERED), plugged=[NUMBERED], held={"vm1": [ITS_NUMBER], "vm9": [ITS_NUMBER]})
case("so is what the table no longer gives to another domain", event("add", GIVEN), detach("vm2", GIVEN), attach("vm1", GIVEN),
     plugged=[GIVEN], held={"vm2": [GIVEN]})
case("what someone attached to its domain is left alone", event("add", mouse("3-20")), plugged=[mouse("3-20")],
     held={"vm1": ["3:30"]})
case("so it is in another domain", event("bind", mouse("3-21")), plugged=[mouse("3-21")], held={"vm9": ["3:31 046d:c08e"]})
case("a pull that someone attached by its address is detached, from whichever domain", event("remove", mouse("3-22")),
     detach("vm9", "3:32"), held={"vm9": ["3:32"]})
case("also where it is still plugged in, as a person says it isn't", by_hand("remove", mouse("3-27")),
     detach("vm9", "3-27 3:37"), plugged=[mouse("3-27")], held={"vm9": ["3:37"]})
case("one that someone attached by vendor and product stays", event("remove", printer("3-23")),
     held={"vm1": ["3:33 04a9:1912"], "vm2": ["04a9:1912"]})

# Disks.

USED, FREE, PASSED_ON = mouse("3-24", kind="used sda"), mouse("3-25", kind="free sdb"), mouse("3-26", kind="used sdc")

for action in "add", "bind":
    case(f"{action}: a disk that the host uses stays there, and is told", event(action, USED), plugged=[USED],
         says=[did_not("attach", "vm1", USED, "the host uses its disk sda")], status=1)
case("one that it doesn't use is attached", event("bind", FREE), attach("vm1", FREE), plugged=[FREE])
case("one that its domain holds is left alone", event("bind", PASSED_ON), plugged=[PASSED_ON], held={"vm1": [PASSED_ON]})

# Domains that take turns: vm3, which is off, vm1 and vm2; and vm4, which libvirt doesn't know, and vm1.

for action in "add", "bind":
    PLUGGED, UNKNOWN = mouse("9-1"), mouse("10-1")
    case(f"{action}: the first that runs gets it, and of one that is off nothing is said", event(action, PLUGGED),
         attach("vm1", PLUGGED), plugged=[PLUGGED])
    case(f"{action}: one that libvirt doesn't know is an error, and doesn't keep it from the next", event(action, UNKNOWN),
         attach("vm1", UNKNOWN), plugged=[UNKNOWN], says=[did_not("attach", "vm4", UNKNOWN, NOT_KNOWN)])
case("who holds it keeps it, though another comes first", event("bind", mouse("9-2")), plugged=[mouse("9-2")],
     held={"vm2": [mouse("9-2")]})
case("a pull is taken from the one that holds it, and of the others nothing is said", event("remove", mouse("9-3")),
     detach("vm2", mouse("9-3")), held={"vm2": [mouse("9-3")]})

machine(running=["vm9"], off=["vm1", "vm2", "vm3"])

case("where none runs, that is said of the first", event("add", mouse("9-1")), plugged=[mouse("9-1")],
     says=[did_not("attach", "vm3", mouse("9-1"), NOT_RUNNING)])

machine(running=["vm1"])

case("-v says that all is in line, where its domain holds a plug", event("add", HELD, "-v"), plugged=[HELD],
     held={"vm1": [HELD]}, says=["all is in line"])
case("and where no domain holds a pull", event("remove", mouse("3-11"), "-v"), says=["all is in line"])

run_cases()
