"""Domains that can't be changed for long."""

from .helpers import BUS, LEFT, QEMU_OF_VM1, TABLE, other_table, seconds, snapshots


def _while_vm1_is_busy(lab):
    """Devices come and go for long, while vm1 can't be changed; vm2 is not kept waiting."""
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
    lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge {seconds(45)} ]")
    assert "vm1: busy" in lab.run("libvirt-usb-hotplug -l", check=False)


def a_domain_whose_qemu_does_not_answer_for_long_gets_what_it_owns_then_and_others_at_once(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.mark()
    with lab.stopped_process(QEMU_OF_VM1):
        _while_vm1_is_busy(lab)
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-8")
    lab.assert_no_complaint()


def a_domain_that_is_being_saved_for_long_keeps_no_other_waiting_and_is_in_line_when_it_starts(lab):
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


def a_snapshot_with_memory_that_takes_long_keeps_no_other_waiting_and_what_came_and_went_is_in_line(lab):
    with snapshots(lab):
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


def a_backup_that_lasts_keeps_no_device_waiting_not_even_while_someone_asks_the_domain_something(lab):
    with snapshots(lab):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        lab.begin_backup("vm1")
        lab.mark()
        lab.pull("1")
        lab.wait_held("vm1", seconds=20)
        lab.plug("4")
        lab.wait_held("vm1", "1-4", seconds=20)
        # libvirt gives the age of the backup for that of the question.
        lab.run("(touch /run/asking; while [ -e /run/asking ]; do virsh -q domstats vm1; done) >/dev/null 2>&1 &")
        lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge 15 ]")
        lab.plug("1")
        lab.wait_held("vm1", "1-1", "1-4", seconds=20)
        assert ": busy" not in lab.run("libvirt-usb-hotplug -l", check=False)
        lab.run("libvirt-usb-hotplug -s")
        lab.pull("4")
        lab.wait_held("vm1", "1-1", seconds=20)
        lab.run("rm /run/asking; virsh -q domjobinfo vm1 | grep -q Unbounded")
        assert not any("left to" in line for line in lab.log()), lab.log()
        lab.end_backup("vm1")
        lab.assert_no_complaint()


def a_pull_from_a_port_whose_device_another_busy_domain_still_holds_leaves_nothing_in_it(lab):
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    with other_table(lab, TABLE.replace(f'"vm1",     "{BUS}/1-1"', f'"vm2",     "{BUS}/1-1"')):
        with lab.stopped_process(QEMU_OF_VM1):
            lab.run("virsh -q qemu-monitor-command vm1 --hmp info status >/dev/null 2>&1 &")
            lab.wait_inside("virsh -q domcontrol vm1 | grep -E 'occupied \\(([3-9]|[1-9][0-9])'")
            lab.pull("1")
            lab.wait_pulled("1-1")
        lab.wait_held("vm1")
    lab.assert_no_complaint()
