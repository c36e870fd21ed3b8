"""Plugs and pulls, one after the other and quickly; and hubs."""

from .helpers import times, without_the_program


def a_plugged_device_reaches_its_domain_and_a_pulled_one_leaves_it(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.pull("1")
    lab.wait_held("vm1")
    lab.assert_log(
        "info: vm1: attached 1-1 \\(0627:0001, bus 1 device \\d+\\)",
        "info: vm1: detached 1-1 \\(0627:0001, bus 1 device \\d+\\)")


def replugs_leave_nothing_behind(lab):
    for _ in range(times(5)):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        lab.pull("1")
        lab.wait_held("vm1")


def two_identical_devices_in_two_ports_go_to_two_domains(lab):
    lab.plug("1")
    lab.plug("2")
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-2")


def a_superspeed_device_on_the_usb_3_bus_reaches_its_domain(lab):
    lab.plug("5", "usb-storage")
    lab.wait_held("vm2", "2-5")
    lab.pull("5")
    lab.wait_held("vm2")


def a_hub_stays_with_the_host_and_what_is_behind_it_goes_to_the_domain(lab):
    lab.plug("4", "usb-hub")
    lab.plug("4.2")
    lab.wait_held("vm1", "1-4.2")


def a_device_behind_two_hubs_goes_to_the_domain(lab):
    lab.plug("4", "usb-hub")
    lab.plug("4.1", "usb-hub")
    lab.plug("4.1.2")
    lab.wait_held("vm1", "1-4.1.2")


def a_hub_with_three_devices_pulled_at_once_leaves_nothing(lab):
    lab.plug("4", "usb-hub")
    for port in "4.1", "4.2", "4.4":
        lab.plug(port)
    lab.wait_held("vm1", "1-4.1", "1-4.2", "1-4.4")
    lab.pull("4")
    lab.wait_held("vm1")


def announcing_a_held_device_again_changes_nothing_and_warns_of_nothing(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.settle()
    lab.mark()
    lab.run("udevadm trigger -s usb && udevadm trigger -s usb -c add")
    lab.settle()
    lab.wait_held("vm1", "1-1")
    lab.assert_log()
    assert lab.warnings() == [], lab.warnings()


def a_device_replugged_while_its_port_is_still_held_is_held_once(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    with without_the_program(lab):
        lab.pull("1")
        lab.wait_pulled("1-1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.pull("1")
    lab.wait_held("vm1")
    lab.assert_no_complaint()


def plugs_and_pulls_within_a_second_each_leave_nothing_stale(lab):
    for _ in range(times(10)):
        lab.plug("1")
        lab.wait_inside("test -e /sys/bus/usb/devices/1-1/devnum")
        lab.pull("1")
    lab.wait_pulled("1-1")
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")


def a_device_that_comes_back_at_once_under_another_number_time_and_again_is_held_in_the_end(lab):
    lab.plug("1")
    lab.wait_plugged("1-1")
    for _ in range(times(30)):
        number = lab.run("cat /sys/bus/usb/devices/1-1/devnum").strip()
        lab.pull("1")
        lab.plug("1")
        lab.wait_inside(f"! grep -sqx {number} /sys/bus/usb/devices/1-1/devnum && test -e /sys/bus/usb/devices/1-1/devnum")
    lab.settle()
    lab.wait_held("vm1", "1-1")
