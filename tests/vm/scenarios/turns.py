"""Domains that take turns with a port, and what a domain gives back."""

from .helpers import BUS, TABLE, other_table

ROW = f'{{ "vm1",     "{BUS}/1-1" }},'
SHARED = TABLE.replace(ROW, ROW + f'{{ "vm2", "{BUS}/1-1" }},')
ENDS = {
    "destroy": "virsh -q destroy {}",
    "save": "virsh -q managedsave {}",
    "kill": "pkill -KILL -f '^[^ ]*qemu-system[^ ]* .*guest={}'",
}


def _end(lab, name, way):
    lab.run(ENDS[way].format(name), timeout=120)
    lab.wait_inside(f"virsh -q domstate {name} | grep -q 'shut off'")


def _has_driver(lab, interface, driver):
    lab.wait_inside(f"readlink /sys/bus/usb/devices/{interface}/driver | grep -qE '/{driver}$'", seconds=30)


def a_port_of_two_domains_stays_with_the_one_that_runs_and_goes_to_the_other_however_that_one_ends(lab):
    with other_table(lab, SHARED):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        holder, other = "vm1", "vm2"
        for way in ENDS:
            _end(lab, holder, way)
            lab.wait_held(other, "1-1", seconds=30)
            lab.run(f"virsh -q start {holder}", timeout=120)
            lab.wait_held(holder)
            lab.wait_inside("! pgrep libvirt-usb")
            lab.wait_held(other, "1-1")
            holder, other = other, holder
        text = lab.run("libvirt-usb-hotplug -l", check=False)
        assert "vm1: running, vm2: held" in text, text
        lab.pull("1")
        lab.wait_held("vm2")
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        lab.assert_no_complaint()


def a_port_of_two_domains_goes_to_whichever_starts_first_and_nothing_is_taken_from_it(lab):
    with other_table(lab, SHARED):
        lab.run("virsh -q destroy vm1; virsh -q destroy vm2")
        lab.mark()
        lab.plug("1")
        lab.wait_plugged("1-1")
        lab.assert_log(r"info: vm1: did not attach 1-1 \(.*\): the domain is not running")
        lab.run("virsh -q start vm2", timeout=120)
        lab.wait_held("vm2", "1-1")
        lab.run("virsh -q start vm1", timeout=120)
        lab.wait_inside("! pgrep libvirt-usb")
        lab.wait_held("vm2", "1-1")
        lab.wait_held("vm1")
        lab.run("libvirt-usb-hotplug -s; udevadm trigger -s usb -c add")
        lab.settle()
        lab.wait_held("vm2", "1-1")
        lab.assert_no_complaint()


def what_goes_on_to_a_domain_that_is_suspended_gets_no_driver_of_the_hosts(lab):
    with other_table(lab, SHARED):
        lab.run("virsh -q suspend vm2")
        lab.plug("1", "usb-hub")
        lab.plug("1.2")
        lab.wait_held("vm1", "1-1.2")
        _end(lab, "vm1", "kill")
        lab.wait_held("vm2", "1-1.2")
        lab.wait_inside("! pgrep libvirt-usb && ! pgrep -f driver[s]_probe")
        lab.run("! readlink /sys/bus/usb/devices/1-1.2:1.0/driver | grep usbhid")
        _end(lab, "vm2", "destroy")
        _has_driver(lab, "1-1.2:1.0", "usbhid")


def a_hub_behind_a_port_of_two_domains_changes_hands_with_all_that_is_behind_it(lab):
    with other_table(lab, SHARED):
        lab.plug("1", "usb-hub")
        for port in "1.1", "1.2", "1.4":
            lab.plug(port)
        lab.wait_held("vm1", "1-1.1", "1-1.2", "1-1.4")
        _end(lab, "vm1", "kill")
        lab.wait_held("vm2", "1-1.1", "1-1.2", "1-1.4")
        lab.assert_no_complaint()


def what_a_domain_gives_back_works_on_the_host_however_it_ended_and_what_was_unbound_on_purpose_stays_so(lab):
    lab.plug("10")
    _has_driver(lab, "1-10:1.0", "usbhid")
    lab.run("echo 1-10:1.0 >/sys/bus/usb/drivers/usbhid/unbind")
    for way in ENDS:
        lab.plug("1")
        lab.plug("5", "usb-storage")
        lab.wait_held("vm1", "1-1")
        lab.wait_held("vm2", "2-5")
        for name in "vm1", "vm2":
            _end(lab, name, way)
        _has_driver(lab, "1-1:1.0", "usbhid")
        _has_driver(lab, "2-5:1.0", "(usb-storage|uas)")
        lab.run("test ! -e /sys/bus/usb/devices/1-10:1.0/driver")
        lab.pull("1")
        lab.pull("5")
        lab.wait_pulled("1-1", "2-5")
        lab.run("virsh -q start vm1; virsh -q start vm2", timeout=240)
