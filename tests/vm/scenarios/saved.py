"""Domains that start with what they had before: saved ones, snapshots, and definitions with our entries."""

from .helpers import BUS, TABLE, number_of, other_table, renumber, save_with_device, snapshots


def a_saved_domain_whose_device_was_replugged_meanwhile_starts_and_holds_it(lab):
    save_with_device(lab)
    lab.pull("1")
    lab.plug("1")
    lab.wait_plugged("1-1")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_saved_domain_whose_device_was_pulled_meanwhile_starts_and_keeps_nothing_of_it(lab):
    save_with_device(lab)
    lab.pull("1")
    lab.wait_pulled("1-1")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_saved_domain_with_nothing_of_ours_in_it_starts_untainted(lab):
    lab.set_up("vm1")  # one that was tainted by a hook once stays so for as long as it is defined
    for plugged in [], ["1"]:
        for port in plugged:
            lab.plug(port)
            lab.wait_held("vm1", f"1-{port}")
        lab.mark()
        lab.run("virsh -q managedsave vm1", timeout=120)
        lab.run("virsh -q start vm1", timeout=120)
        tainted = [message for _, _, message in lab.journal() if "tainted: hook-script" in message]
        assert len(tainted) == len(plugged), tainted
        lab.wait_held("vm1", *(f"1-{port}" for port in plugged))


def a_domain_saved_before_the_host_rebooted_leaves_the_host_what_has_its_devices_address_by_then(lab):
    renumber(lab)
    number = save_with_device(lab)
    lab.pull("1")
    lab.plug("10", "usb-kbd")
    lab.reboot()
    lab.wait_plugged("1-10")
    assert number_of(lab, "1-10") == number, (number_of(lab, "1-10"), number)
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.assert_no_complaint()


def a_saved_domain_gives_back_an_identical_device_of_another_port_that_has_the_address_by_then(lab):
    renumber(lab)
    number = save_with_device(lab)
    lab.pull("1")
    lab.plug("10")
    renumber(lab)
    lab.wait_plugged("1-10")
    assert number_of(lab, "1-10") == number, (number_of(lab, "1-10"), number)
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1")
    lab.assert_no_complaint()


def a_saved_domain_starts_though_its_device_or_one_like_it_at_its_address_is_another_domains_by_then(lab):
    renumber(lab)
    number = save_with_device(lab)
    moved = TABLE.replace(f'{{ "vm1",     "{BUS}/1-1" }}', f'{{ "vm2", "{BUS}/1-1" }}')
    assert moved != TABLE
    with other_table(lab, moved):
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
    renumber(lab)
    lab.wait_held("vm2", "1-2")
    assert number_of(lab, "1-2") == number, (number_of(lab, "1-2"), number)
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
    with snapshots(lab):
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
