"""A libvirtd that is down, starts, hangs, is killed, or is restarted."""

from .helpers import HEIR, LEFT, QEMU_OF_VM1, in_mid_attach, save_with_device, seconds, without_the_program


def while_libvirtd_is_down_there_is_one_info_line_and_the_next_plug_works(lab):
    lab.run(lab.init.stop_libvirtd)
    lab.mark()
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.assert_log(r"info: vm1: did not attach 1-1 \(.*\): libvirt is not running, .*")
    assert lab.warnings() == [], lab.warnings()
    lab.pull("1")
    lab.wait_pulled("1-1")
    lab.run(lab.init.start_libvirtd)
    lab.plug("1")
    lab.wait_held("vm1", "1-1")


def what_is_plugged_and_pulled_while_libvirtd_is_down_is_in_line_once_it_is_back(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run(lab.init.stop_libvirtd)
    lab.pull("1")
    lab.plug("4")
    lab.wait_plugged("1-4")
    lab.run(lab.init.start_libvirtd)
    lab.wait_held("vm1", "1-4")
    lab.assert_no_complaint()


def an_event_while_libvirtd_starts_is_no_alarm_and_its_device_is_attached_once_it_is_up(lab):
    lab.run(f"({lab.init.restart_libvirtd}) >/dev/null 2>&1 &")
    lab.wait_inside(f"grep -qs daemon-init /proc/$(pidof {lab.daemon})/task/*/comm")
    with lab.hung_libvirtd():
        lab.plug("1")
        lab.wait_plugged("1-1", seconds=20)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def libvirtd_restarted_while_entries_are_missing_leaves_none_and_the_domain_lives(lab):
    save_with_device(lab)
    lab.pull("1")
    lab.wait_pulled("1-1")
    with without_the_program(lab):
        lab.run("virsh -q start vm1", timeout=120)
        assert lab.state("vm1")[0] == ["missing"], lab.state("vm1")
        process = lab.run(f"pgrep -f '{QEMU_OF_VM1}'")
    lab.run(lab.init.restart_libvirtd, timeout=120)
    lab.wait_held("vm1")
    assert lab.run(f"pgrep -f '{QEMU_OF_VM1}'") == process
    lab.assert_no_complaint()


def a_libvirtd_that_does_not_answer_holds_udev_up_no_longer_than_the_timeout(lab):
    with lab.hung_libvirtd():
        lab.plug("1")
        lab.wait_plugged("1-1", seconds=20)
        lab.pull("1")
        lab.wait_pulled("1-1", seconds=20)
        lab.plug("1")
        lab.wait_plugged("1-1", seconds=20)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_plug_keeps_udev_waiting_no_longer_for_its_turn_once_the_service_is_there(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.mark()
    with lab.hung_libvirtd():
        lab.pull("1")
        lab.plug("4")
        # One of them waits for libvirt, and the other for its turn.
        lab.wait_logged(LEFT.format("vm1: did not (attach 1-4|detach 1-1)", "its turn did not come"))
        lab.wait_inside(f"grep \"POSIX .* {HEIR} \" /proc/locks")
        lab.plug("2")
        lab.wait_logged(LEFT.format("vm2: did not attach 1-2", "its turn did not come"))
    lab.wait_held("vm1", "1-4")
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def _plug_and_pull_while_hung(lab, duration):
    """Ports 1 and 4 are vm1's, 2 is vm2's: while libvirtd hangs for so long, 1 is pulled, 4 plugged and 2 replugged."""
    lab.plug("1")
    lab.plug("2")
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-2")
    lab.mark()
    with lab.hung_libvirtd():
        lab.pull("1")
        lab.plug("4")
        lab.pull("2")
        lab.plug("2")
        lab.wait_plugged("1-4", "1-2", seconds=30)
        # One of them waits for libvirt, and the others for their turn.
        for left in "vm1: did not detach 1-1", "vm1: did not attach 1-4":
            lab.wait_logged(LEFT.format(left, r"(libvirt did not answer|its turn did not come).*"))
        lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge {duration} ]", seconds=duration + 10)
    lab.wait_held("vm1", "1-4")
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def a_libvirtd_that_hangs_for_15_seconds_loses_no_plug_and_no_pull(lab):
    _plug_and_pull_while_hung(lab, 15)


def a_libvirtd_that_hangs_for_long_loses_no_plug_and_no_pull(lab):
    _plug_and_pull_while_hung(lab, seconds(60))


def a_libvirtd_killed_while_it_attaches_is_no_alarm_and_once_it_is_back_all_is_in_line(lab):
    with in_mid_attach(lab):
        lab.run(f"pkill -KILL -x {lab.daemon}")
        lab.settle(20)
        lab.wait_logged(LEFT.format("vm1: did not attach 1-1", "(End of file|Cannot).*"))
    lab.run(lab.init.revive_libvirtd)
    lab.wait_held("vm1", "1-1")
    lab.plug("4")
    lab.wait_held("vm1", "1-1", "1-4")
    lab.assert_no_complaint()


def eight_devices_arrive_though_libvirtd_is_killed_while_it_attaches_them(lab):
    lab.plug("4", "usb-hub")
    lab.wait_plugged("1-4")
    ports = [f"4.{port}" for port in (1, 2, 4, 5, 6, 7, 8)] + ["1"]
    for port in ports:
        lab.plug(port)
    lab.wait_inside("grep -q /dev/bus/usb /etc/apparmor.d/libvirt/*.files")
    lab.run(f"pkill -KILL -x {lab.daemon}")
    lab.run(lab.init.revive_libvirtd)
    lab.wait_held("vm1", *(f"1-{port}" for port in ports), seconds=120)
    lab.assert_no_complaint()


def _forget(lab, give):
    """Kills libvirtd when vm1's QEMU has taken what give() has vm1 given, and libvirtd hasn't heard of that."""
    with lab.stopped_process(QEMU_OF_VM1):
        give()
        lab.wait_inside("virsh -q domcontrol vm1 | grep -q ^occupied")
        lab.run(f"pkill -STOP -x {lab.daemon}")
    lab.wait_inside(f"ls -l /proc/$(pgrep -f '{QEMU_OF_VM1}')/fd | grep -q /dev/bus/usb/")
    lab.run(f"pkill -KILL -x {lab.daemon}")
    lab.run(lab.init.revive_libvirtd)
    lab.wait_inside("virsh -q list")


def a_libvirtd_killed_before_it_hears_that_qemu_took_a_device_forgets_it_whoever_attached_it(lab):
    with without_the_program(lab):
        lab.plug("1")
        lab.wait_plugged("1-1")
        source = "<address bus='1' device='$(cat /sys/bus/usb/devices/1-1/devnum)'/>"
        _forget(lab, lambda: lab.attach_by_hand("vm1", source, wait=False))
        assert lab.state("vm1") == ([], 1), lab.state("vm1")
    lab.restart_domain("vm1")


def a_device_that_libvirtd_forgot_is_an_error_and_comes_back_in_the_way_that_the_manual_says(lab):
    _forget(lab, lambda: lab.plug("1"))
    lab.wait_logged(r"error: vm1: did not attach 1-1 \(.*\): .*(Duplicate device ID|Setting different DAC user).*")
    lab.run("virsh qemu-monitor-command vm1 --hmp 'device_del ua-usb-hotplug-1-1'")
    lab.pull("1")
    lab.wait_pulled("1-1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
