"""Many devices at once, and many plugs."""

import random

import lab as lab_module

from .helpers import BUS, QEMU_OF_VM1, TABLE, other_table, times


def eight_devices_at_once_all_arrive(lab):
    lab.plug("4", "usb-hub")
    lab.plug("3", "usb-hub")
    for port in "4.1", "4.2", "4.3", "4.4", "1", "2", "3.2", "8":
        lab.plug(port)
    lab.wait_held("vm1", "1-1", "1-3.2", "1-4.1", "1-4.2", "1-4.4")
    lab.wait_held("vm2", "1-2", "1-4.3", "1-8")


def twenty_two_devices_at_once_all_arrive_and_all_leave_when_their_hubs_are_pulled(lab):
    lab.set_up("vm1", ports=15, devices="<controller type='usb' index='1' model='qemu-xhci' ports='15'/>")
    lab.mark()
    for hub in "1", "3", "4":
        lab.plug(hub, "usb-hub")
    lab.wait_plugged("1-1", "1-3", "1-4")
    ports = [f"{hub}.{port}" for hub in ("1", "3", "4") for port in range(1, 9)]
    ports = [port for port in ports if port not in ("4.3",)][:22]
    with other_table(lab, TABLE.replace(f"{BUS}/1-3.2", f"{BUS}/1-3")):
        for port in ports:
            lab.plug(port)
        lab.wait_held("vm1", *(f"1-{port}" for port in ports), seconds=180)
        for hub in "1", "3", "4":
            lab.pull(hub)
        lab.wait_held("vm1", seconds=180)
        lab.settle()
        lab.assert_no_complaint()
    lab.set_up("vm1")


def a_host_that_boots_with_ten_devices_and_two_domains_that_share_some_on_autostart_comes_up_with_all_in_place(lab):
    vm1, vm2, shared = {"1-4.2", "1-4.4", "1-4.5"}, {"1-4.3", "1-2", "1-8", "2-5"}, {"1-13.1", "1-13.2", "1-13.4"}

    def held():
        """What the two hold, where QEMU has it."""
        return [set(ports) if opened == len(ports) else set() for ports, opened in map(lab.state, ("vm1", "vm2"))]

    lab.run("virsh -q autostart vm1 && virsh -q autostart vm2")
    lab.plug("4", "usb-hub")
    lab.plug("13", "usb-hub")
    for port in sorted(vm1 | vm2 | shared):
        lab.plug(port.partition("-")[2], "usb-storage" if port == "2-5" else "usb-tablet")
    lab.run(lab.init.sync_log)
    lab.reboot()
    # Either may have started first, and so have what they share.
    lab_module.wait_until(lambda: set.union(*held()) == vm1 | vm2 | shared, held, seconds=120)
    lab.wait_inside("! pgrep libvirt-usb")
    one, other = held()
    assert one >= vm1 and other >= vm2 and not one & other and one | other == vm1 | vm2 | shared, (one, other)
    lab.assert_no_complaint()
    lab.run("virsh -q autostart --disable vm1 && virsh -q autostart --disable vm2")


def _plug_and_pull_at_random(lab, dice, ports, cycles):
    """Plugs what is pulled and pulls what is plugged, twice for each cycle, with a sync now and then."""
    for _ in range(2 * cycles):
        port = dice.choice(ports)
        plugged = port in lab.plugged
        # The kernel shall have seen what was done to this port before.
        lab.wait_inside(f"{'' if plugged else '!'} test -e /sys/bus/usb/devices/1-{port}/devnum")
        if plugged:
            lab.pull(port)
        else:
            lab.plug(port, "usb-ccid")  # no driver takes it, and so all that happens is ours
        if dice.random() < 0.05:
            lab.run("libvirt-usb-hotplug -s >/dev/null 2>&1 &")
        if dice.random() < 0.1:
            lab.settle()
    for port in ports:
        lab.wait_inside(f"{'' if port in lab.plugged else '!'} test -e /sys/bus/usb/devices/1-{port}/devnum")
    lab.settle()


def _all_pulled(lab):
    """Pulls everything; how many descriptors are open then, and how much memory is used, by process."""
    lab.pull_all()
    lab.settle()
    lab.wait_held("vm1")
    lab.wait_held("vm2")
    lab.wait_inside("! pgrep libvirt-usb")
    figures = {}
    for name, pattern in {"libvirtd": f"^/usr/sbin/{lab.daemon}", "QEMU": QEMU_OF_VM1}.items():
        process = lab.run(f"pgrep -f '{pattern}'").strip()
        script = f"ls /proc/{process}/fd | wc -l; awk '/^VmRSS/ {{ print $2 }}' /proc/{process}/status"
        figures[name] = tuple(map(int, lab.run(script).split()))
    return figures


def _figures_of_a_round(lab, dice, ports, before, stretch):
    """Those before it, and after each of its four stretches of so many cycles."""
    figures = [before]
    for _ in range(4):
        _plug_and_pull_at_random(lab, dice, list(ports), stretch)
        for domain in "vm1", "vm2":
            lab.wait_held(domain, *(f"1-{port}" for port in lab.plugged if ports[port] == domain))
        figures.append(_all_pulled(lab))
    print(f"# descriptors and KiB before: {before}, after each {stretch} cycles: {figures[1:]}")
    return figures


def _grown(figures, stretch):
    """Which processes' memory has grown by more than 5 % in this round; none may have more descriptors after it."""
    before, after = figures[0], figures[-1]
    for name in before:
        assert after[name][0] <= before[name][0], (name, figures)
        # Few cycles may leak a lot within 5 %. But a leak grows in each stretch, and what is only late in one or two.
        # The rate that is allowed is that of 5 % in 270 cycles.
        growth = [later[name][1] - earlier[name][1] for earlier, later in zip(figures, figures[1:])]
        assert min(growth) <= 0.05 * before[name][1] * stretch / 270, (name, growth)
    return {name for name in before if after[name][1] > 1.05 * before[name][1]}


def plugs_and_pulls_in_random_order_end_in_line_and_leak_nothing(lab):
    dice = random.Random(300)
    ports = {"1": "vm1", "2": "vm2", "4": "vm1", "8": "vm2"}
    cycles = times(300)
    warming_up = min(30, cycles // 2)
    stretch = max(1, (cycles - warming_up) // 4)
    with lab.without_apparmor("vm1", "vm2"):
        _plug_and_pull_at_random(lab, dice, list(ports), warming_up)
        # libvirtd has all its threads and buffers by now.
        figures = _figures_of_a_round(lab, dice, ports, _all_pulled(lab), stretch)
        grown = _grown(figures, stretch)
        if grown:
            # A single step that came late is over; a leak grows as much again.
            grown &= _grown(_figures_of_a_round(lab, dice, ports, figures[-1], stretch), stretch)
        assert not grown, grown
