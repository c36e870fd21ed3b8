"""Domains that are paused, off, unknown, started, or killed."""

from .helpers import QEMU_OF_VM1, in_mid_attach, times


def a_paused_domain_takes_and_gives_back(lab):
    lab.run("virsh suspend vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.pull("1")
    lab.wait_held("vm1")


def for_a_stopped_domain_there_is_one_info_line_and_no_warning(lab):
    lab.plug("6")
    lab.wait_plugged("1-6")
    lab.assert_log(r"info: off: did not attach 1-6 \(.*\): the domain is not running")
    assert lab.warnings() == [], lab.warnings()
    lab.mark()
    lab.pull("6")
    lab.wait_pulled("1-6")
    lab.assert_log(r"info: off: did not detach 1-6 \(.*\): the domain is not running")
    assert lab.warnings() == [], lab.warnings()


def for_an_unknown_domain_there_is_an_error_line_that_names_it(lab):
    lab.plug("7")
    lab.wait_plugged("1-7")
    lab.assert_log(r"error: missing: did not attach 1-7 \(.*\): Domain not found: .*'missing'")


def a_device_plugged_while_the_domain_is_off_is_attached_once_it_starts(lab):
    lab.run(f"grep -q enforce /proc/$(pidof {lab.daemon})/attr/current")
    lab.run("virsh -q destroy vm1")
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.run("virsh -q start vm1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_domain_started_again_and_again_has_its_three_devices_each_time(lab):
    lab.plug("1")
    lab.plug("4", "usb-hub")
    lab.plug("4.1")
    lab.plug("4.2")
    for _ in range(times(5)):
        lab.wait_held("vm1", "1-1", "1-4.1", "1-4.2")
        lab.restart_domain("vm1")
    lab.wait_held("vm1", "1-1", "1-4.1", "1-4.2")
    lab.assert_no_complaint()


def a_hub_pulled_while_the_domain_starts_leaves_nothing_stale(lab):
    lab.run("virsh -q destroy vm1")
    lab.plug("4", "usb-hub")
    for port in "4.1", "4.2", "4.4":
        lab.plug(port)
    lab.wait_plugged("1-4.1", "1-4.2", "1-4.4")
    lab.run("virsh -q start vm1 & until pgrep -f ^[^\\ ]*qemu-system.*guest=vm1; do sleep 0.1; done")
    lab.pull("4")
    lab.wait_pulled("1-4")
    lab.wait_inside("! pgrep virsh && ! pgrep libvirt-usb")
    lab.wait_held("vm1")


def a_domain_whose_qemu_is_killed_gets_its_device_back_when_it_starts(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run(f"pkill -KILL -f '{QEMU_OF_VM1}'")
    lab.wait_inside("virsh -q domstate vm1 | grep -q 'shut off'")
    lab.run("virsh -q start vm1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def _assert_one_line_and_attached_at_the_next_start(lab):
    """After vm1 went down while it was given what is in port 1. For a moment libvirt has words of its own for that."""
    lab.settle(20)
    lab.assert_log(r"(info|error): vm1: did not attach 1-1 \(.*\): .+")
    lab.wait_inside("virsh -q domstate vm1 | grep -q 'shut off'")
    lab.run("virsh -q start vm1")
    lab.wait_held("vm1", "1-1")


def a_qemu_killed_while_it_is_given_a_device_is_one_line_and_the_next_start_attaches(lab):
    with in_mid_attach(lab):
        lab.run(f"pkill -KILL -f '{QEMU_OF_VM1}'")
    _assert_one_line_and_attached_at_the_next_start(lab)


def a_domain_shut_off_while_it_is_given_a_device_is_one_line_and_the_next_start_attaches(lab):
    with in_mid_attach(lab):
        lab.run("virsh -q destroy vm1 >/dev/null 2>&1 & until pgrep -x virsh; do sleep 0.1; done")
    _assert_one_line_and_attached_at_the_next_start(lab)


def the_host_boots_with_the_device_plugged_and_the_domain_on_autostart(lab):
    lab.run("virsh -q autostart vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.reboot()
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()
    lab.run("virsh -q autostart --disable vm1")
