"""Tables that change, and what others have attached."""

import re

from .helpers import BUS, TABLE, in_mid_attach, other_table, without_the_program


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


def a_hostdev_by_port_survives_a_sync_with_its_device_there_and_gone_though_the_table_gives_the_port_away(lab):
    if not lab.knows_host_ports():
        print("# left out: this libvirt doesn't know a device by its port", flush=True)
        return
    source = "<address bus='1' port='2'/>"
    with without_the_program(lab):
        lab.plug("2")
        lab.wait_plugged("1-2")
    lab.attach_by_hand("vm1", source)
    lab.mark()
    lab.run("libvirt-usb-hotplug -s && libvirt-usb-hotplug -s vm1 && udevadm trigger -s usb -c add")
    lab.settle()
    lab.wait_held("vm1", "1-2")
    lab.wait_held("vm2")
    lab.pull("2")
    lab.wait_pulled("1-2")
    lab.run("libvirt-usb-hotplug -s")
    assert lab.state("vm1")[0] == ["1-2"], lab.state("vm1")
    assert lab.log() == [], lab.log()
    lab.detach_by_hand("vm1", source)


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
    with other_table(lab, changed):
        text = lab.run("libvirt-usb-hotplug -l", check=False)
        for port, state in ("1-1", "vm2: held by vm1"), ("1-2", "vm1: held by vm2"), ("1-4", "-: held by vm1"), \
                ("1-8", "host: held by vm2"), ("1-11", "-: held by vm1"):
            assert re.search(f"^{port} .* {re.escape(state)}", text, re.MULTILINE), (port, state, text)
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm1", "1-2", "1-11")
        lab.wait_held("vm2", "1-1", "1-12")
        assert lab.run("libvirt-usb-hotplug -n -s 2>/dev/null") == ""
    lab.run("libvirt-usb-hotplug -s vm1")
    lab.wait_held("vm1", "1-1", "1-4", "1-11")
    lab.wait_held("vm2", "1-12")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm2", "1-2", "1-8", "1-12")
    lab.assert_no_complaint()
    lab.detach_by_hand("vm1", by_hand)
    lab.detach_by_hand("vm2", by_id)


def a_table_that_is_installed_while_a_sync_is_under_way_has_the_last_word(lab):
    patient = TABLE.replace("timeout = 10", "timeout = 60")
    with other_table(lab, patient):
        with without_the_program(lab):
            lab.plug("4", "usb-hub")
            lab.plug("4.1")
            lab.plug("4.2")
            lab.wait_plugged("1-4.1", "1-4.2")
        with lab.hung_libvirtd():
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
    with other_table(lab, patient):
        with in_mid_attach(lab):
            lab.install_table(patient.replace(f'"vm1",     "{BUS}/1-1"', f'HOST,      "{BUS}/1-1"'))
            lab.run("(libvirt-usb-hotplug -s; touch /run/synced) >/dev/null 2>&1 &")
            lab.wait_inside("[ -e /run/synced ] || [ $(pgrep -cx libvirt-usb-hot) = 2 ]")
        lab.wait_inside("! pgrep -x libvirt-usb-hot")
        lab.wait_held("vm1")
    lab.assert_no_complaint()
