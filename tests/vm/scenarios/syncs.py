"""Syncs, and the list."""

from .helpers import TABLE, number_of, other_table, renumber, times, without_the_program


# What -s tells by hand of the lab's table.
MISTAKES = "\nWhat is wrong with the table:\n\nrow 8, missing: Domain not found: no domain with matching name 'missing'\n"


def a_sync_repeated_changes_nothing_and_a_dry_run_nothing_at_all(lab):
    lab.run("virsh -q suspend vm1 && virsh -q suspend vm2")
    lab.run("mv /usr/local/lib/udev/rules.d /usr/local/lib/udev/rules.off && udevadm control --reload")
    try:
        lab.plug("1")
        lab.wait_plugged("1-1")
        number = int(lab.run("cat /sys/bus/usb/devices/1-1/devnum"))
        planned = lab.run("libvirt-usb-hotplug -n -s")
        assert planned.startswith(MISTAKES), planned
        planned = planned.removeprefix(MISTAKES)
        assert planned.splitlines()[0] == f"attach vm1 1 {number}" and len(planned.splitlines()) == 9, planned
        lab.wait_held("vm1")
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm1", "1-1")
        assert lab.run("libvirt-usb-hotplug -n -s && libvirt-usb-hotplug -s") == 2 * MISTAKES
        lab.pull("1")
        lab.wait_pulled("1-1")
        planned = lab.run("libvirt-usb-hotplug -n -s vm1").removeprefix(MISTAKES)
        assert planned.splitlines()[0] == f"detach vm1 1 {number}", planned
        lab.run("libvirt-usb-hotplug -s vm2")
        assert lab.state("vm1")[0] == ["gone"]
        lab.run("libvirt-usb-hotplug -s vm1")
        lab.wait_held("vm1")
    finally:
        lab.run("mv /usr/local/lib/udev/rules.off /usr/local/lib/udev/rules.d && udevadm control --reload")


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


def a_stale_address_whose_number_another_device_has_by_now_is_given_up(lab):
    renumber(lab)
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    number = number_of(lab, "1-1")
    with without_the_program(lab):
        lab.pull("1")
        lab.plug("2")
        renumber(lab)
        lab.wait_plugged("1-2")
        assert number_of(lab, "1-2") == number, (number_of(lab, "1-2"), number)
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm1")
    lab.wait_held("vm2", "1-2")
    lab.run(lab.init.restart_libvirtd, timeout=120)
    lab.wait_held("vm2", "1-2")
    lab.assert_no_complaint()


def events_and_syncs_at_the_same_moment_end_in_the_right_state_without_a_complaint(lab):
    for _ in range(times(3)):
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


def a_sync_that_was_stopped_while_it_had_the_turn_keeps_no_device_waiting_for_ever(lab):
    with other_table(lab, TABLE.replace("timeout = 10", "timeout = 4")):
        with lab.hung_libvirtd():
            lab.run("libvirt-usb-hotplug -s >/dev/null 2>&1 &")
            lab.wait_inside("grep \" FLOCK .* $(pgrep -f '^libvirt-usb-hotplug -s') \" /proc/locks && "
                            "pkill -STOP -f '^libvirt-usb-hotplug -s'")
        with lab.stopped_process("^libvirt-usb-hotplug -s"):
            lab.plug("1")
            lab.wait_held("vm1", "1-1", seconds=120)
    lab.assert_no_complaint()
