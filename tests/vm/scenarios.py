"""What must hold on the real machine. Each function is a scenario; its name, read as a sentence, says what it shows.

The ports and their domains are in config.h. A scenario starts with nothing plugged in, and vm1 and vm2 running.
"""

import contextlib
import hashlib
import itertools
import random
import re
import xml.etree.ElementTree as ElementTree

import lab as lab_module


LEFT = r"info: {} \(.*\): {}: left to libvirt-usb-hotplug\.service"
QEMU_OF_VM1 = "^[^ ]*qemu-system[^ ]* .*guest=vm1"


TABLE = (lab_module.HERE / "config.h").read_text()
BUS = "/devices/pci0000:00/0000:00:14.0/usb1"


@contextlib.contextmanager
def _table(lab, table):
    """While this lasts, the machine's program has this table."""
    lab.install_table(table)
    try:
        yield
    finally:
        lab.install_table(TABLE)


@contextlib.contextmanager
def _without_the_program(lab):
    """While this lasts, neither udev nor libvirt can run the program."""
    lab.run("mv /usr/local/sbin/libvirt-usb-hotplug /usr/local/sbin/away")
    try:
        yield
        lab.settle()
    finally:
        lab.run("mv /usr/local/sbin/away /usr/local/sbin/libvirt-usb-hotplug")


@contextlib.contextmanager
def _snapshots(lab):
    """While this lasts, vm1 has a disk that takes snapshots."""
    image = "/var/lib/libvirt/images/vm1.qcow2"
    lab.run(f"qemu-img create -q -f qcow2 {image} 16M")
    lab.set_up("vm1", devices=f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{image}'/>"
                              "<target dev='vda' bus='virtio'/></disk>")
    try:
        yield
    finally:
        lab.run("for name in $(virsh -q snapshot-list --name vm1); do virsh -q snapshot-delete vm1 $name; done")
        lab.set_up("vm1")


def _renumber(lab):
    """Has the kernel number the devices anew, as it does at each boot."""
    controller = "0000:00:14.0"
    driver = "/sys/bus/pci/drivers/xhci_hcd"
    lab.run(f"echo {controller} >{driver}/unbind; udevadm settle; echo {controller} >{driver}/bind; udevadm settle")


def _number(lab, port):
    return int(lab.run(f"cat /sys/bus/usb/devices/{port}/devnum"))


def _save_with_device(lab):
    """Has vm1 saved, as libvirt-guests does at shutdown, while it holds what is in port 1. Returns its number."""
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run("virsh -q managedsave vm1", timeout=120)
    return _number(lab, "1-1")


def _partitioned(content):
    """The content of a disk that has one partition with this content, at 1 MiB."""
    start, length = 2048, len(content) // 512
    entry = bytes([0, 0, 0, 0, 0x83, 0, 0, 0]) + start.to_bytes(4, "little") + length.to_bytes(4, "little")
    return (bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(512 * start, b"\0") + content


@contextlib.contextmanager
def _in_mid_attach(lab):
    """While this lasts, vm1's QEMU is stopped, and libvirtd waits for it to take what was plugged into port 1."""
    with lab.stopped_process(QEMU_OF_VM1):
        lab.plug("1")
        lab.wait_inside("grep -q /dev/bus/usb /etc/apparmor.d/libvirt/*.files")
        yield


def _assert_one_line_and_attached_at_the_next_start(lab):
    """After vm1 went down while it was given what is in port 1. For a moment libvirt has words of its own for that."""
    lab.settle(20)
    lab.assert_log(r"(info|error): vm1: did not attach 1-1 \(.*\): .+")
    lab.wait_inside("virsh -q domstate vm1 | grep -q 'shut off'")
    lab.run("virsh -q start vm1")
    lab.wait_held("vm1", "1-1")


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
    for name, pattern in {"libvirtd": "^/usr/sbin/libvirtd", "QEMU": QEMU_OF_VM1}.items():
        process = lab.run(f"pgrep -f '{pattern}'").strip()
        script = f"ls /proc/{process}/fd | wc -l; awk '/^VmRSS/ {{ print $2 }}' /proc/{process}/status"
        figures[name] = tuple(map(int, lab.run(script).split()))
    return figures


def a_plugged_device_reaches_its_domain_and_a_pulled_one_leaves_it(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.pull("1")
    lab.wait_held("vm1")
    lab.assert_log(
        "info: vm1: attached 1-1 \\(0627:0001, bus 1 device \\d+\\)",
        "info: vm1: detached 1-1 \\(0627:0001, bus 1 device \\d+\\)")


def five_replugs_leave_nothing_behind(lab):
    for _ in range(5):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        lab.pull("1")
        lab.wait_held("vm1")


def two_identical_devices_in_two_ports_go_to_two_domains(lab):
    lab.plug("1")
    lab.plug("2")
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-2")


def ports_10_and_11_stay_with_the_host_though_port_1_has_a_row(lab):
    lab.plug("10")
    lab.plug("11")
    lab.wait_plugged("1-10", "1-11")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")


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


def eight_devices_at_once_all_arrive(lab):
    lab.plug("4", "usb-hub")
    lab.plug("3", "usb-hub")
    for port in "4.1", "4.2", "4.3", "4.4", "1", "2", "3.2", "8":
        lab.plug(port)
    lab.wait_held("vm1", "1-1", "1-3.2", "1-4.1", "1-4.2", "1-4.4")
    lab.wait_held("vm2", "1-2", "1-4.3", "1-8")


def a_sub_port_written_short_works_and_its_neighbour_stays_with_the_host(lab):
    lab.plug("3", "usb-hub")
    lab.plug("3.1")
    lab.plug("3.2")
    lab.wait_plugged("1-3.1", "1-3.2")
    lab.wait_held("vm1", "1-3.2")


def the_most_specific_row_wins(lab):
    lab.plug("4", "usb-hub")
    lab.plug("4.2")
    lab.plug("4.3")
    lab.wait_held("vm1", "1-4.2")
    lab.wait_held("vm2", "1-4.3")


def an_id_kept_for_the_host_stays_there_though_its_port_has_a_row(lab):
    lab.plug("1", "usb-wacom-tablet")
    lab.wait_plugged("1-1")
    lab.wait_held("vm1")
    lab.assert_log()


def a_superspeed_device_on_the_usb_3_bus_reaches_its_domain(lab):
    lab.plug("5", "usb-storage")
    lab.wait_held("vm2", "2-5")
    lab.pull("5")
    lab.wait_held("vm2")


def one_row_for_any_bus_covers_both_sides_of_a_port(lab):
    lab.plug("8")
    lab.wait_held("vm2", "1-8")
    lab.pull("8")
    lab.wait_held("vm2")
    lab.plug("8", "usb-storage")
    lab.wait_held("vm2", "2-8")


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


def while_libvirtd_is_down_there_is_one_info_line_and_the_next_plug_works(lab):
    lab.run("systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd")
    lab.mark()
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.assert_log(r"info: vm1: did not attach 1-1 \(.*\): libvirt is not running: .*")
    assert lab.warnings() == [], lab.warnings()
    lab.pull("1")
    lab.wait_pulled("1-1")
    lab.run("systemctl start libvirtd")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")


def _plug_and_pull_while_hung(lab, seconds):
    """Ports 1 and 4 are vm1's, 2 is vm2's: while libvirtd hangs for so long, 1 is pulled, 4 plugged and 2 replugged."""
    lab.plug("1")
    lab.plug("2")
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-2")
    lab.mark()
    with lab.stopped_process("^/usr/sbin/libvirtd"):
        lab.pull("1")
        lab.plug("4")
        lab.pull("2")
        lab.plug("2")
        lab.wait_plugged("1-4", "1-2", seconds=30)
        # One of them waits for libvirt, and the others for their turn.
        for left in "vm1: did not detach 1-1", "vm1: did not attach 1-4":
            lab.wait_logged(LEFT.format(left, r"(libvirt did not answer|its turn did not come).*"))
        lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge {seconds} ]", seconds=seconds + 10)
    lab.wait_held("vm1", "1-4")
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def a_libvirtd_that_hangs_for_15_seconds_loses_no_plug_and_no_pull(lab):
    _plug_and_pull_while_hung(lab, 15)


def a_libvirtd_that_hangs_for_60_seconds_loses_no_plug_and_no_pull(lab):
    _plug_and_pull_while_hung(lab, 60)


def a_plug_keeps_udev_waiting_no_longer_once_the_service_waits_for_its_turn(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.mark()
    with lab.stopped_process("^/usr/sbin/libvirtd"):
        lab.pull("1")
        lab.plug("4")
        # One of them waits for libvirt, and the other for its turn.
        lab.wait_logged(LEFT.format("vm1: did not (attach 1-4|detach 1-1)", r"its turn did not come within \d+ s"))
        lab.wait_inside("grep -q 'OFDLCK.*READ' /proc/locks")
        lab.plug("2")
        lab.wait_logged(LEFT.format("vm2: did not attach 1-2", "its turn did not come"))
    lab.wait_held("vm1", "1-4")
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def a_sync_that_was_stopped_while_it_had_the_turn_keeps_no_device_waiting_for_ever(lab):
    with _table(lab, TABLE.replace("timeout = 10", "timeout = 4")):
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            lab.run("libvirt-usb-hotplug -s >/dev/null 2>&1 &")
            lab.wait_inside("grep \" FLOCK .* $(pgrep -f '^libvirt-usb-hotplug -s') \" /proc/locks && "
                            "pkill -STOP -f '^libvirt-usb-hotplug -s'")
        with lab.stopped_process("^libvirt-usb-hotplug -s"):
            lab.plug("1")
            lab.wait_held("vm1", "1-1", seconds=120)
    lab.assert_no_complaint()


def a_table_that_is_installed_while_a_sync_is_under_way_has_the_last_word(lab):
    patient = TABLE.replace("timeout = 10", "timeout = 60")
    with _table(lab, patient):
        with _without_the_program(lab):
            lab.plug("4", "usb-hub")
            lab.plug("4.1")
            lab.plug("4.2")
            lab.wait_plugged("1-4.1", "1-4.2")
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            lab.run("libvirt-usb-hotplug -s >/dev/null 2>&1 &")
            lab.wait_inside("pgrep -x libvirt-usb-hot")
            lab.install_table(patient.replace(f'"vm1",     "{BUS}/1-4"', f'"vm2",     "{BUS}/1-4"'))
            lab.run("libvirt-usb-hotplug -s >/dev/null 2>&1 &")
            lab.wait_inside("[ $(pgrep -cx libvirt-usb-hot) = 2 ]")
        lab.wait_inside("! pgrep -x libvirt-usb-hot")
        lab.wait_held("vm2", "1-4.1", "1-4.2")
        lab.wait_held("vm1")
    lab.assert_no_complaint()


def a_table_that_is_installed_while_a_device_is_attached_has_the_last_word(lab):
    patient = TABLE.replace("timeout = 10", "timeout = 60")
    with _table(lab, patient):
        with _in_mid_attach(lab):
            lab.install_table(patient.replace(f'"vm1",     "{BUS}/1-1"', f'HOST,      "{BUS}/1-1"'))
            lab.run("(libvirt-usb-hotplug -s; touch /run/synced) >/dev/null 2>&1 &")
            lab.wait_inside("[ -e /run/synced ] || grep -q -- '-> FLOCK' /proc/locks")
        lab.wait_inside("! pgrep -x libvirt-usb-hot")
        lab.wait_held("vm1")
    lab.assert_no_complaint()


def a_libvirtd_that_does_not_answer_holds_udev_up_no_longer_than_the_timeout(lab):
    with lab.stopped_process("^/usr/sbin/libvirtd"):
        lab.plug("1")
        lab.wait_plugged("1-1", seconds=20)
        lab.pull("1")
        lab.wait_pulled("1-1", seconds=20)
        lab.plug("1")
        lab.wait_plugged("1-1", seconds=20)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_libvirtd_killed_while_it_attaches_is_no_alarm_and_once_it_is_back_all_is_in_line(lab):
    with _in_mid_attach(lab):
        lab.run("pkill -KILL -x libvirtd")
        lab.settle(20)
        lab.wait_logged(LEFT.format("vm1: did not attach 1-1", "(End of file|Cannot).*"))
    lab.wait_inside("systemctl is-active libvirtd")
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
    lab.run("pkill -KILL -x libvirtd")
    lab.wait_inside("systemctl is-active libvirtd")
    lab.wait_held("vm1", *(f"1-{port}" for port in ports), seconds=120)
    lab.assert_no_complaint()


def _forget(lab, give):
    """Kills libvirtd when vm1's QEMU has taken what give() has vm1 given, and libvirtd hasn't heard of that."""
    with lab.stopped_process(QEMU_OF_VM1):
        give()
        lab.wait_inside("virsh -q domcontrol vm1 | grep -q ^occupied")
        lab.run("pkill -STOP -x libvirtd")
    lab.wait_inside(f"ls -l /proc/$(pgrep -f '{QEMU_OF_VM1}')/fd | grep -q /dev/bus/usb/")
    lab.run("pkill -KILL -x libvirtd")
    lab.wait_inside("virsh -q list")


def a_libvirtd_killed_before_it_hears_that_qemu_took_a_device_forgets_it_whoever_attached_it(lab):
    with _without_the_program(lab):
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


def _while_vm1_is_busy(lab):
    """Devices come and go for 45 s, while vm1 can't be changed; vm2 is not kept waiting."""
    lab.pull("1")
    lab.plug("4")
    lab.plug("2")
    lab.wait_held("vm2", "1-2")
    lab.wait_logged(LEFT.format("vm1: did not detach 1-1", ".*"))
    lab.pull("2")
    lab.wait_held("vm2")
    lab.pull("4")
    lab.plug("1")
    lab.plug("8")
    lab.wait_held("vm2", "1-8")
    lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge 45 ]")


def a_domain_whose_qemu_does_not_answer_for_45_seconds_gets_what_it_owns_then_and_others_at_once(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.mark()
    with lab.stopped_process(QEMU_OF_VM1):
        _while_vm1_is_busy(lab)
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-8")
    lab.assert_no_complaint()


def a_domain_that_is_being_saved_for_45_seconds_keeps_no_other_waiting_and_is_in_line_when_it_starts(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.mark()
    with lab.stopped_process(QEMU_OF_VM1):
        lab.run("virsh -q managedsave vm1 >/dev/null 2>&1 &")
        _while_vm1_is_busy(lab)
    lab.wait_inside("virsh -q domstate vm1 | grep -q 'shut off'")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-8")
    lab.assert_no_complaint()


def a_snapshot_with_memory_that_takes_45_seconds_keeps_no_other_waiting_and_what_came_and_went_is_in_line(lab):
    with _snapshots(lab):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        lab.mark()
        with lab.stopped_process(QEMU_OF_VM1):
            lab.run("virsh -q snapshot-create-as vm1 slow >/dev/null 2>&1 &")
            _while_vm1_is_busy(lab)
        lab.wait_inside("! pgrep virsh")
        lab.wait_held("vm1", "1-1")
        lab.wait_held("vm2", "1-8")
        lab.assert_no_complaint()


def twenty_two_devices_at_once_all_arrive_and_all_leave_when_their_hubs_are_pulled(lab):
    lab.set_up("vm1", ports=15, devices="<controller type='usb' index='1' model='qemu-xhci' ports='15'/>")
    lab.mark()
    for hub in "1", "3", "4":
        lab.plug(hub, "usb-hub")
    lab.wait_plugged("1-1", "1-3", "1-4")
    ports = [f"{hub}.{port}" for hub in ("1", "3", "4") for port in range(1, 9)]
    ports = [port for port in ports if port not in ("4.3",)][:22]
    with _table(lab, TABLE.replace(f"{BUS}/1-3.2", f"{BUS}/1-3")):
        for port in ports:
            lab.plug(port)
        lab.wait_held("vm1", *(f"1-{port}" for port in ports), seconds=180)
        for hub in "1", "3", "4":
            lab.pull(hub)
        lab.wait_held("vm1", seconds=180)
        lab.settle()
        lab.assert_no_complaint()
    lab.set_up("vm1")


def a_host_that_boots_with_ten_devices_and_two_domains_on_autostart_comes_up_with_all_in_place(lab):
    lab.run("virsh -q autostart vm1 && virsh -q autostart vm2")
    lab.plug("4", "usb-hub")
    ports = ["1", "4.1", "4.2", "4.4", "4.5", "4.6"]
    for port in *ports, "4.3", "2", "8":
        lab.plug(port)
    lab.plug("5", "usb-storage")
    lab.run("journalctl --sync")
    lab.reboot()
    lab.wait_held("vm1", *(f"1-{port}" for port in ports), seconds=120)
    lab.wait_held("vm2", "1-4.3", "1-2", "1-8", "2-5")
    lab.assert_no_complaint()
    lab.run("virsh -q autostart --disable vm1 && virsh -q autostart --disable vm2")


def when_the_services_tries_run_out_it_says_so_and_the_next_plug_has_new_ones(lab):
    directory = "/run/systemd/system/libvirt-usb-hotplug.service.d"
    lab.run(f"mkdir -p {directory} && printf '[Unit]\\nStartLimitBurst=2\\n' >{directory}/few.conf")
    lab.run("systemctl daemon-reload")
    try:
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            lab.plug("1")
            lab.wait_inside("systemctl is-failed libvirt-usb-hotplug.service", seconds=90)
            lab.run("journalctl -u libvirt-usb-hotplug.service | grep -q 'Start request repeated too quickly'")
        lab.plug("4")
        lab.wait_held("vm1", "1-4")
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            lab.pull("4")
            lab.wait_logged(LEFT.format("vm1: did not detach 1-4", ".*"))
        lab.wait_held("vm1", "1-1")
    finally:
        lab.run(f"rm -r {directory}; systemctl daemon-reload")


def a_restart_lets_a_run_of_the_service_come_to_its_end_however_long_that_takes(lab):
    directory = "/run/systemd/system.conf.d"
    # What the unit leaves unsaid would kill the run after a second.
    lab.run(f"mkdir -p {directory} && printf '[Manager]\\nDefaultTimeoutStopSec=1s\\n' >{directory}/impatient.conf")
    lab.run("systemctl daemon-reload")
    try:
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            for _ in range(2):
                lab.run("systemctl restart libvirt-usb-hotplug.service")
            lab.assert_log(r"info: did not sync: libvirt did not answer within \d+ s")
    finally:
        lab.run(f"rm -r {directory}; systemctl daemon-reload")


def a_domain_whose_qemu_is_killed_gets_its_device_back_when_it_starts(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run(f"pkill -KILL -f '{QEMU_OF_VM1}'")
    lab.wait_inside("virsh -q domstate vm1 | grep -q 'shut off'")
    lab.run("virsh -q start vm1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_qemu_killed_while_it_is_given_a_device_is_one_line_and_the_next_start_attaches(lab):
    with _in_mid_attach(lab):
        lab.run(f"pkill -KILL -f '{QEMU_OF_VM1}'")
    _assert_one_line_and_attached_at_the_next_start(lab)


def a_domain_shut_off_while_it_is_given_a_device_is_one_line_and_the_next_start_attaches(lab):
    with _in_mid_attach(lab):
        lab.run("virsh -q destroy vm1 >/dev/null 2>&1 & until pgrep -x virsh; do sleep 0.1; done")
    _assert_one_line_and_attached_at_the_next_start(lab)


def an_event_while_libvirtd_starts_is_no_alarm_and_its_device_is_attached_once_it_is_up(lab):
    lab.run("systemctl restart --no-block libvirtd")
    lab.wait_inside("grep -qs daemon-init /proc/$(pidof libvirtd)/task/*/comm")
    with lab.stopped_process("^/usr/sbin/libvirtd"):
        lab.plug("1")
        lab.wait_plugged("1-1", seconds=20)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


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


def ten_plugs_and_pulls_within_a_second_each_leave_nothing_stale(lab):
    for _ in range(10):
        lab.plug("1")
        lab.wait_inside("test -e /sys/bus/usb/devices/1-1/devnum")
        lab.pull("1")
    lab.wait_pulled("1-1")
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")


def a_device_that_comes_back_at_once_under_another_number_thirty_times_is_held_in_the_end(lab):
    lab.plug("1")
    lab.wait_plugged("1-1")
    for _ in range(30):
        number = lab.run("cat /sys/bus/usb/devices/1-1/devnum").strip()
        lab.pull("1")
        lab.plug("1")
        lab.wait_inside(f"! grep -sqx {number} /sys/bus/usb/devices/1-1/devnum && test -e /sys/bus/usb/devices/1-1/devnum")
    lab.settle()
    lab.wait_held("vm1", "1-1")


def a_full_controller_refuses_devices_by_name_and_the_others_work(lab):
    lab.set_up("small", ports=2)
    lab.mark()
    lab.plug("9", "usb-hub")
    for port in "9.1", "9.2", "9.3", "9.4":
        lab.plug(port)
    lab.wait_plugged("1-9.1", "1-9.2", "1-9.3", "1-9.4")
    held, opened = lab.state("small")
    refused = sorted({"1-9.1", "1-9.2", "1-9.3", "1-9.4"} - set(held))
    assert len(held) == 2 and opened == 2, (held, opened)
    log = sorted(lab.log())
    for port, line in zip(refused, log[:2]):
        assert line.startswith(f"error: small: did not attach {port} (") and "No free USB ports" in line, log
    for port, line in zip(held, log[2:]):
        assert line.startswith(f"info: small: attached {port} ("), log
    lab.pull(held[0].removeprefix("1-"))
    lab.wait_held("small", held[1])
    lab.run("libvirt-usb-hotplug -s small", check=False)
    held, opened = lab.state("small")
    assert len(held) == 2 and opened == 2, (held, opened)
    lab.pull("9")
    lab.wait_held("small")
    lab.run("virsh -q destroy small")


def three_hundred_plugs_and_pulls_in_random_order_end_in_line_and_leak_nothing(lab):
    dice = random.Random(300)
    ports = {"1": "vm1", "2": "vm2", "4": "vm1", "8": "vm2"}
    with lab.without_apparmor("vm1", "vm2"):
        _plug_and_pull_at_random(lab, dice, list(ports), 30)
        before = _all_pulled(lab)  # libvirtd has all its threads and buffers by now
        _plug_and_pull_at_random(lab, dice, list(ports), 270)
        for domain in "vm1", "vm2":
            lab.wait_held(domain, *(f"1-{port}" for port in lab.plugged if ports[port] == domain))
        after = _all_pulled(lab)
    print(f"# descriptors and KiB before: {before}, after: {after}")
    for name in before:
        assert after[name][0] <= before[name][0] and after[name][1] <= 1.05 * before[name][1], (before, after)


def a_device_plugged_while_the_domain_is_off_is_attached_once_it_starts(lab):
    lab.run("grep -q enforce /proc/$(pidof libvirtd)/attr/current")
    lab.run("virsh -q destroy vm1")
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.run("virsh -q start vm1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def the_host_boots_with_the_device_plugged_and_the_domain_on_autostart(lab):
    lab.run("virsh -q autostart vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.reboot()
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()
    lab.run("virsh -q autostart --disable vm1")


def what_is_plugged_and_pulled_while_libvirtd_is_down_is_in_line_once_it_is_back(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run("systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd")
    lab.pull("1")
    lab.plug("4")
    lab.wait_plugged("1-4")
    lab.run("systemctl start libvirtd")
    lab.wait_held("vm1", "1-4")
    lab.assert_no_complaint()


def a_domain_started_five_times_has_its_three_devices_each_time(lab):
    lab.plug("1")
    lab.plug("4", "usb-hub")
    lab.plug("4.1")
    lab.plug("4.2")
    for _ in range(5):
        lab.wait_held("vm1", "1-1", "1-4.1", "1-4.2")
        lab.restart_domain("vm1")
    lab.wait_held("vm1", "1-1", "1-4.1", "1-4.2")
    lab.assert_no_complaint()


def a_device_attached_by_hand_survives_a_sync(lab):
    lab.plug("11")
    lab.wait_plugged("1-11")
    lab.attach_by_hand("vm1", "<address bus='1' device='$(cat /sys/bus/usb/devices/1-11/devnum)'/>")
    lab.wait_held("vm1", "1-11")
    lab.mark()
    lab.run("libvirt-usb-hotplug -s && libvirt-usb-hotplug -s vm1")
    lab.wait_held("vm1", "1-11")
    lab.assert_log()
    lab.detach_by_hand("vm1", "<address bus='1' device='$(cat /sys/bus/usb/devices/1-11/devnum)'/>")


def a_hostdev_by_vendor_and_product_survives_a_sync_even_when_its_device_is_gone(lab):
    source = "<vendor id='0x0627'/><product id='0x0001'/>"
    lab.plug("11")
    lab.wait_plugged("1-11")
    lab.attach_by_hand("vm1", source)
    lab.wait_held("vm1", "1-11")
    lab.pull("11")
    lab.wait_pulled("1-11")
    lab.mark()
    lab.run("libvirt-usb-hotplug -s")
    assert lab.state("vm1")[0] == ["gone"], lab.state("vm1")
    lab.assert_log()
    lab.detach_by_hand("vm1", source)


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


def a_sync_repeated_changes_nothing_and_a_dry_run_nothing_at_all(lab):
    lab.run("virsh -q suspend vm1 && virsh -q suspend vm2")
    lab.run("mv /usr/local/lib/udev/rules.d /usr/local/lib/udev/rules.off && udevadm control --reload")
    try:
        lab.plug("1")
        lab.wait_plugged("1-1")
        number = int(lab.run("cat /sys/bus/usb/devices/1-1/devnum"))
        planned = lab.run("libvirt-usb-hotplug -n -s")
        assert planned.splitlines()[0] == f"attach vm1 1 {number}" and len(planned.splitlines()) == 9, planned
        lab.wait_held("vm1")
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm1", "1-1")
        assert lab.run("libvirt-usb-hotplug -n -s && libvirt-usb-hotplug -s") == ""
        lab.pull("1")
        lab.wait_pulled("1-1")
        planned = lab.run("libvirt-usb-hotplug -n -s vm1")
        assert planned.splitlines()[0] == f"detach vm1 1 {number}", planned
        lab.run("libvirt-usb-hotplug -s vm2")
        assert lab.state("vm1")[0] == ["gone"]
        lab.run("libvirt-usb-hotplug -s vm1")
        lab.wait_held("vm1")
    finally:
        lab.run("mv /usr/local/lib/udev/rules.off /usr/local/lib/udev/rules.d && udevadm control --reload")


def events_and_syncs_at_the_same_moment_end_in_the_right_state_without_a_complaint(lab):
    for _ in range(3):
        lab.run("for i in 1 2 3 4 5 6 7 8; do libvirt-usb-hotplug -s; done >/dev/null 2>&1 &")
        lab.plug("1")
        lab.plug("4")
        lab.wait_held("vm1", "1-1", "1-4")
        lab.run("for i in 1 2 3 4 5 6 7 8; do libvirt-usb-hotplug -s; done >/dev/null 2>&1 &")
        lab.pull("1")
        lab.pull("4")
        lab.wait_pulled("1-1", "1-4")
        lab.wait_inside("! pgrep libvirt-usb")
        lab.wait_held("vm1")
    lab.assert_no_complaint()


def the_list_shows_ports_domains_rows_and_mistakes(lab):
    lab.plug("1")
    lab.plug("4", "usb-hub")
    lab.plug("4.3")
    lab.plug("6")
    lab.plug("10")
    lab.plug("5", "usb-storage")
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-4.3", "2-5")
    lab.wait_plugged("1-6", "1-10")
    text = lab.run("libvirt-usb-hotplug -l; echo status $?")
    print("# " + text.replace("\n", "\n# "))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80, text

    def has(*words):
        assert any(all(word in line for word in words) for line in lines), (words, text)

    has("bus 1, 480 Mb/s: /devices/pci0000:00/0000:00:14.0/usb1")
    has("1-1 ", "2-1 ", "0627:0001 QEMU USB Tablet", "vm1: held")
    has("1-2 ", "vm2: running")
    has("1-4 ", "0409:55aa QEMU USB Hub, 12M")
    has("1-4.3 ", "vm2: held")
    has("1-6 ", "off: off; 2-6: -")
    has("1-7 ", "missing: unknown")
    has("1-5 ", "2-5 ", "vm2: held; 1-5: -")
    has('{ "DOMAIN", "/devices/pci0000:00/0000:00:14.0/usb1/1-10" },')
    has("row 8, missing: Domain not found")
    has("status 1")
    text = lab.run("setpriv --reuid nobody --clear-groups libvirt-usb-hotplug -l; echo status $?")
    assert "0627:0001" in text and "could not be asked" in text and "status 0" in text, text


def a_saved_domain_whose_device_was_replugged_meanwhile_starts_and_holds_it(lab):
    _save_with_device(lab)
    lab.pull("1")
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_saved_domain_whose_device_was_pulled_meanwhile_starts_and_keeps_nothing_of_it(lab):
    _save_with_device(lab)
    lab.pull("1")
    lab.wait_pulled("1-1")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_domain_saved_before_the_host_rebooted_leaves_the_host_what_has_its_devices_address_by_then(lab):
    _renumber(lab)
    number = _save_with_device(lab)
    lab.pull("1")
    lab.plug("10", "usb-kbd")
    lab.reboot()
    lab.wait_plugged("1-10")
    assert _number(lab, "1-10") == number, (_number(lab, "1-10"), number)
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_saved_domain_gives_back_an_identical_device_of_another_port_that_has_the_address_by_then(lab):
    _renumber(lab)
    number = _save_with_device(lab)
    lab.pull("1")
    lab.plug("10")
    _renumber(lab)
    lab.wait_plugged("1-10")
    assert _number(lab, "1-10") == number, (_number(lab, "1-10"), number)
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.assert_no_complaint()


def a_saved_domain_starts_though_its_device_or_one_like_it_at_its_address_is_another_domains_by_then(lab):
    _renumber(lab)
    number = _save_with_device(lab)
    moved = TABLE.replace(f'{{ "vm1",     "{BUS}/1-1" }}', f'{{ "vm2", "{BUS}/1-1" }}')
    assert moved != TABLE
    with _table(lab, moved):
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm2", "1-1")
        lab.run("virsh -q start vm1", timeout=120)
        lab.wait_held("vm1")
        lab.wait_held("vm2", "1-1")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm1", "1-1")
    lab.run("virsh -q managedsave vm1", timeout=120)
    lab.pull("1")
    lab.plug("2")
    _renumber(lab)
    lab.wait_held("vm2", "1-2")
    assert _number(lab, "1-2") == number, (_number(lab, "1-2"), number)
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def a_domain_saved_to_a_file_is_restored_though_its_device_was_replugged(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run("virsh -q save vm1 /var/lib/libvirt/images/vm1.save", timeout=120)
    lab.pull("1")
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.run("virsh -q restore /var/lib/libvirt/images/vm1.save", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_domain_reverted_to_a_snapshot_with_memory_holds_what_is_plugged_in_now(lab):
    with _snapshots(lab):
        lab.mark()
        lab.plug("1")
        lab.plug("4")
        lab.wait_held("vm1", "1-1", "1-4")
        lab.run("virsh -q snapshot-create-as vm1 before", timeout=120)
        lab.pull("1")
        lab.plug("1")
        lab.pull("4")
        lab.wait_pulled("1-4")
        lab.wait_held("vm1", "1-1")
        lab.run("virsh -q snapshot-revert vm1 before", timeout=120)
        lab.wait_held("vm1", "1-1")
        lab.assert_no_complaint()


def a_definition_with_our_entries_in_it_starts_with_the_device_there_elsewhere_and_gone(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run("virsh -q dumpxml vm1 >/run/vm1.xml && virsh -q define /run/vm1.xml")
    lab.run("virsh -q dumpxml --inactive vm1 | grep -q ua-usb-hotplug-1-1")
    lab.restart_domain("vm1")
    lab.wait_held("vm1", "1-1")
    for port, held in (("1", ["1-1"]), ("4", ["1-4"]), ("2", []), ("10", [])):
        lab.pull_all()
        lab.plug(port)
        lab.wait_plugged(f"1-{port}")
        lab.restart_domain("vm1")
        lab.wait_held("vm1", *held)
    lab.pull_all()
    lab.restart_domain("vm1")
    lab.wait_held("vm1")
    lab.assert_no_complaint()
    lab.set_up("vm1")


def a_table_changed_in_every_way_is_followed_by_one_sync_and_what_others_attached_stays(lab):
    by_id = "<vendor id='0x056a'/><product id='0x0000'/>"
    by_hand = "<address bus='1' device='$(cat /sys/bus/usb/devices/1-11/devnum)'/>"
    for port, driver in ("1", "usb-tablet"), ("2", "usb-tablet"), ("4", "usb-tablet"), ("8", "usb-ccid"), \
            ("11", "usb-tablet"), ("12", "usb-wacom-tablet"):
        lab.plug(port, driver)
    lab.wait_plugged("1-11", "1-12")
    lab.attach_by_hand("vm1", by_hand)
    lab.attach_by_hand("vm2", by_id)
    lab.wait_held("vm1", "1-1", "1-4", "1-11")
    lab.wait_held("vm2", "1-2", "1-8", "1-12")
    lab.mark()
    changed = TABLE
    for old, new in (
            (f'{{ "vm1",     "{BUS}/1-1" }}', f'{{ "vm2", "{BUS}/1-1" }}'),                  # to another domain
            (f'{{ "vm1",     "{BUS}/1-4" }},', ""),                                         # dropped
            ("ports[] = {", 'ports[] = { { HOST, "/devices", "08e6:4433" },'                # an id for the host
                            f'{{ "vm1", "{BUS}/1-2", "0627:0001" }},')):                    # an id added
        assert old in changed, old
        changed = changed.replace(old, new)
    with _table(lab, changed):
        text = lab.run("libvirt-usb-hotplug -l", check=False)
        for port, state in ("1-1", "vm2: held by vm1"), ("1-2", "vm1: held by vm2"), ("1-4", "-: held by vm1"), \
                ("1-8", "host: held by vm2"), ("1-11", "-: held by vm1"):
            assert re.search(f"^{port} .* {re.escape(state)}", text, re.MULTILINE), (port, state, text)
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm1", "1-2", "1-11")
        lab.wait_held("vm2", "1-1", "1-12")
        assert lab.run("libvirt-usb-hotplug -n -s") == ""
    lab.run("libvirt-usb-hotplug -s vm1")
    lab.wait_held("vm1", "1-1", "1-4", "1-11")
    lab.wait_held("vm2", "1-12")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm2", "1-2", "1-8", "1-12")
    lab.assert_no_complaint()
    lab.detach_by_hand("vm1", by_hand)
    lab.detach_by_hand("vm2", by_id)


def libvirtd_restarted_while_entries_are_missing_leaves_none_and_the_domain_lives(lab):
    _save_with_device(lab)
    lab.pull("1")
    lab.wait_pulled("1-1")
    with _without_the_program(lab):
        lab.run("virsh -q start vm1", timeout=120)
        assert lab.state("vm1")[0] == ["missing"], lab.state("vm1")
        process = lab.run(f"pgrep -f '{QEMU_OF_VM1}'")
    lab.run("systemctl restart libvirtd", timeout=120)
    lab.wait_held("vm1")
    assert lab.run(f"pgrep -f '{QEMU_OF_VM1}'") == process
    lab.assert_no_complaint()


def a_stale_address_whose_number_another_device_has_by_now_is_given_up(lab):
    _renumber(lab)
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    number = _number(lab, "1-1")
    with _without_the_program(lab):
        lab.pull("1")
        lab.plug("2")
        _renumber(lab)
        lab.wait_plugged("1-2")
        assert _number(lab, "1-2") == number, (_number(lab, "1-2"), number)
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm1")
    lab.wait_held("vm2", "1-2")
    lab.run("systemctl restart libvirtd", timeout=120)
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def a_device_replugged_while_its_port_is_still_held_is_held_once(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    with _without_the_program(lab):
        lab.pull("1")
        lab.wait_pulled("1-1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.pull("1")
    lab.wait_held("vm1")
    lab.assert_no_complaint()


def a_disk_that_the_host_uses_stays_with_it_until_it_is_free(lab):
    written = b"written by the host"
    for content, use, free in (
            (lab_module.file_system(), "mount /dev/sda /mnt", "umount /mnt"),
            (_partitioned(lab_module.file_system()), "mount /dev/sda1 /mnt", "umount /mnt"),
            (bytes(2**23), "mkswap /dev/sda && swapon /dev/sda", "swapoff /dev/sda")):
        lab.run("virsh -q destroy vm2")
        lab.plug("5", "usb-storage", content)
        lab.wait_plugged("2-5")
        lab.wait_inside("test -b /dev/sda")
        lab.settle()
        lab.run(use)
        if "mount" in free:
            lab.run(f"echo {written.decode()} >/mnt/file")
        lab.mark()
        lab.run("virsh -q start vm2", timeout=120)
        lab.wait_logged(rf"error: vm2: did not attach 2-5 \(46f4:0001, .*\): the host uses its disk sda")
        lab.wait_held("vm2")
        text = lab.run("libvirt-usb-hotplug -s; echo status $?; libvirt-usb-hotplug -l", check=False)
        assert "status 1" in text and "vm2: the host uses sda" in text, text
        lab.run(free)
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm2", "2-5")
        if "mount" in free:
            assert written in lab.stick("5"), "what was written is lost"
        lab.pull("5")
        lab.wait_held("vm2")


def make_install_on_a_running_system_that_never_had_a_hook_is_enough_and_make_uninstall_leaves_nothing(lab):
    make = lab.make_inside()
    installed = "/usr/local/sbin/libvirt-usb-hotplug /usr/local/lib/*/*/*libvirt-usb-hotplug* " \
        "/usr/local/share/man/man8/libvirt-usb-hotplug.8 /etc/libvirt/hooks/qemu.d/libvirt-usb-hotplug"
    before = lab.run(f"ls {installed}")
    with lab.stopped_process("^/usr/sbin/libvirtd"):
        lab.run("systemctl restart libvirt-usb-hotplug")
        lab.wait_inside("systemctl show -P SubState libvirt-usb-hotplug | grep -x auto-restart")
        lab.run(f"{make} uninstall")
    assert lab.run(f"ls {installed} 2>/dev/null", check=False) == ""
    assert lab.run("systemctl show -P SubState libvirt-usb-hotplug") == "dead\n"
    lab.run("virsh -q destroy vm1; rmdir /etc/libvirt/hooks/qemu.d; systemctl restart libvirtd", timeout=120)
    lab.plug("1")
    lab.plug("2")
    lab.wait_plugged("1-1", "1-2")
    said = lab.run(f"{make} install")
    assert said.endswith("in line: sudo libvirt-usb-hotplug -s\n"), said
    assert lab.run(f"ls {installed}") == before
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm2", "1-2")
    lab.plug("4")
    lab.wait_held("vm1", "1-1", "1-4")


def a_udev_rule_of_one_line_tells_a_desktop_to_leave_a_disk_in_a_domains_port_alone(lab):
    rule = 'SUBSYSTEM=="block", DEVPATH=="*/usb[12]/[12]-5/*", ENV{UDISKS_IGNORE}="1"\n'
    lab.put("/etc/udev/rules.d/90-vm-ports.rules", rule.encode())
    lab.run("udevadm control --reload; virsh -q destroy vm2")
    lab.plug("5", "usb-storage")
    lab.wait_plugged("2-5")
    lab.wait_inside("test -b /dev/sda")
    lab.settle()
    lab.run("udevadm info -q property /dev/sda | grep -qx UDISKS_IGNORE=1")
    lab.run("rm /etc/udev/rules.d/90-vm-ports.rules; udevadm control --reload; virsh -q start vm2")
    lab.wait_held("vm2", "2-5")


def devices_are_at_the_ports_of_the_guest_that_the_table_says_in_whatever_order_they_come(lab):
    guest_ports = {"1": "0:5", "2": "0:6", "10": "0:7"}
    rows = {**guest_ports, "11": "0:5", "12": "0:55"}
    table = TABLE.replace(f'{{ "vm1",     "{BUS}/1-1" }},', "").replace(f'{{ "vm2",     "{BUS}/1-2" }},', "")
    table = table.replace("ports[] = {", "ports[] = {" + "".join(
        f'{{ "vm1", "{BUS}/1-{port}", .guest = "{guest}" }},' for port, guest in rows.items()))

    def guest_port_of(port):
        alias = f"ua-usb-hotplug-1-{port}"
        hostdevs = ElementTree.fromstring(lab.run("virsh dumpxml vm1")).findall("devices/hostdev")
        addresses = [h.find("address") for h in hostdevs if h.find("alias").get("name") == alias]
        return ":".join(addresses[0].get(name) for name in ("bus", "port"))

    with _table(lab, table):
        for order in itertools.permutations(guest_ports):
            for port in order:
                lab.plug(port)
            lab.wait_held("vm1", "1-1", "1-2", "1-10")
            found = {port: guest_port_of(port) for port in guest_ports}
            assert found == guest_ports, (order, found)
            lab.pull_all()
            lab.wait_held("vm1")
        lab.mark()
        for port in "1", "11", "12", "2":
            lab.plug(port)
            lab.wait_plugged(f"1-{port}")
        lab.wait_held("vm1", "1-1", "1-2")
        lab.assert_log(
            r"info: vm1: attached 1-1 .*",
            r"error: vm1: did not attach 1-11 .*: .*Duplicate USB address bus 0 port 5",
            r"error: vm1: did not attach 1-12 .*: .*requested USB port 55 not present.*",
            r"info: vm1: attached 1-2 .*")
        lab.pull_all()
        lab.wait_held("vm1")


def a_guest_reads_from_a_stick_the_very_bytes_that_are_on_it(lab):
    console = "/var/log/libvirt/qemu/guest-console.log"
    lab.put("/run/make-guest", (lab_module.HERE / "guest").read_bytes())
    lab.run("sh /run/make-guest /var/lib/libvirt/images/guest.img")
    kernel = lab.run("realpath /vmlinuz").strip()
    lab.set_up(
        "guest", memory=256,
        boot=f"<kernel>{kernel}</kernel><initrd>/var/lib/libvirt/images/guest.img</initrd>"
        "<cmdline>console=ttyS0 no_timer_check mitigations=off random.trust_cpu=on</cmdline>",
        devices=f"<serial type='file'><source path='{console}'/></serial>")
    lab.wait_inside(f"grep -q 'guest: up' {console}", seconds=600)
    for turn in 1, 2:
        content = random.Random(turn).randbytes(2**20)
        lab.plug("9", "usb-storage", content)
        lab.wait_held("guest", "2-9")
        lab.wait_inside(f"grep -q 'guest: read {hashlib.sha256(content).hexdigest()}' {console}", seconds=120)
        lab.wait_inside(f"[ $(grep -c 'SuperSpeed.*USB device number' {console}) = {turn} ]")
        lab.pull("9")
        lab.wait_inside(f"[ $(grep -c 'USB disconnect' {console}) = {turn} ]", seconds=120)
        lab.wait_held("guest")
    lab.run("virsh -q destroy guest")
