"""Domains that take turns with a port, and what a domain gives back."""

from .helpers import SHARED, has_driver, other_table

ENDS = {
    "destroy": "virsh -q destroy {}",
    "save": "virsh -q managedsave {}",
    "kill": "pkill -KILL -f '^[^ ]*qemu-system[^ ]* .*guest={}'",
}


def _end(lab, name, way):
    lab.run(ENDS[way].format(name), timeout=120)
    lab.wait_inside(f"virsh -q domstate {name} | grep -q 'shut off'")


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
        has_driver(lab, "1-1.2:1.0", "usbhid")


def what_is_behind_a_kvm_switch_changes_hands_while_other_ports_are_busy_and_also_as_it_is_switched(lab):
    behind = "1-1.2", "1-1.4"

    def switch():
        lab.plug("1", "usb-hub")
        for port in "1.2", "1.4":
            lab.plug(port)

    with other_table(lab, SHARED):
        switch()
        lab.wait_held("vm1", *behind)
        holder, other = "vm1", "vm2"
        for way in "kill", "destroy":
            for port in "4", "2":
                lab.plug(port)
            lab.run(ENDS[way].format(holder))
            if way == "destroy":
                lab.pull("1")
                switch()
            for port in "4", "2":
                lab.pull(port)
            lab.wait_held(other, *behind)
            lab.run(f"virsh -q start {holder}", timeout=120)
            lab.wait_held(holder)
            lab.wait_held(other, *behind)
            holder, other = other, holder
        lab.assert_no_complaint()


def what_a_domain_gives_back_works_on_the_host_however_it_ended_and_what_was_unbound_on_purpose_stays_so(lab):
    lab.plug("10")
    has_driver(lab, "1-10:1.0", "usbhid")
    lab.run("echo 1-10:1.0 >/sys/bus/usb/drivers/usbhid/unbind")
    for way in ENDS:
        lab.plug("1")
        lab.plug("5", "usb-storage")
        lab.wait_held("vm1", "1-1")
        lab.wait_held("vm2", "2-5")
        for name in "vm1", "vm2":
            _end(lab, name, way)
        has_driver(lab, "1-1:1.0", "usbhid")
        has_driver(lab, "2-5:1.0", "(usb-storage|uas)")
        lab.run("test ! -e /sys/bus/usb/devices/1-10:1.0/driver")
        lab.pull("1")
        lab.pull("5")
        lab.wait_pulled("1-1", "2-5")
        lab.run("virsh -q start vm1; virsh -q start vm2", timeout=240)


def libvirtd_restarted_stopped_or_hung_as_a_domain_ends_keeps_no_port_from_the_other(lab):
    with other_table(lab, SHARED.replace("timeout = 10", "timeout = 4")):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        holder, other = "vm1", "vm2"
        for way in ENDS:
            end = ENDS[way].format(holder)
            if way == "save":
                lab.run(f"{end} && {{ {lab.init.restart_libvirtd}; }}", timeout=180)
            elif way == "kill":
                lab.run(lab.init.stop_libvirtd)
                lab.run(f"{end} && {lab.init.start_libvirtd}")
            else:
                lab.run(f"{end} && pkill -STOP -x {lab.daemon}")
                with lab.hung_libvirtd():
                    lab.pull("1")
                    lab.plug("1")
                    lab.wait_logged("info: .*did not .*: libvirt did not answer within 4 s.*")
            lab.wait_held(other, "1-1")
            lab.run(f"virsh -q start {holder}", timeout=120)
            lab.wait_held(holder)
            lab.wait_inside("! pgrep libvirt-usb")
            lab.wait_held(other, "1-1")
            holder, other = other, holder
        lab.assert_no_complaint()


def after_the_hosts_sleep_each_domain_has_what_stayed_and_what_came_and_nothing_of_what_went(lab):
    with other_table(lab, SHARED):
        for port in "1", "4", "2":
            lab.plug(port)
        lab.wait_held("vm1", "1-1", "1-4")
        lab.wait_held("vm2", "1-2")
        with lab.asleep():
            lab.pull("4")
            lab.plug("8")
            lab.pull("2")
            lab.plug("2")
        lab.wait_held("vm1", "1-1")
        lab.wait_held("vm2", "1-2", "1-8")
        _end(lab, "vm1", "kill")
        lab.wait_held("vm2", "1-1", "1-2", "1-8")
        lab.assert_no_complaint()
