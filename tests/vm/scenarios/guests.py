"""What the guest has: its ports, and what it reads."""

import hashlib
import itertools
import random
import xml.etree.ElementTree as ElementTree

import lab as lab_module
from .helpers import BUS, TABLE, other_table, times


def a_full_controller_refuses_devices_by_name_and_the_others_work(lab):
    lab.set_up("small", ports=2)
    lab.mark()
    lab.plug("9", "usb-hub")
    for port in "9.1", "9.2", "9.3", "9.4":
        lab.plug(port)
    lab.wait_plugged("1-9.1", "1-9.2", "1-9.3", "1-9.4")
    lab.wait_inside("! pgrep libvirt-usb")
    held, opened = lab.state("small")
    refused = sorted({"1-9.1", "1-9.2", "1-9.3", "1-9.4"} - set(held))
    assert len(held) == 2 and opened == 2, (held, opened)
    log = lab.log()
    # An event that left it to the service has told why not, too.
    for port in refused:
        told = [line for line in log if line.startswith(f"error: small: did not attach {port} (")]
        assert told and all("No free USB ports" in line for line in told), log
    assert sorted(line[:line.index(" (")] for line in log if "attached" in line) == \
        [f"info: small: attached {port}" for port in held], log
    assert all("attach" in line and line.startswith(("info", *(f"error: small: did not attach {port} (" for port in refused)))
               for line in log), log
    # What libvirt refuses is tried again once, for it may have been in passing.
    tries = [message for name, _, message in lab.journal()
             if name != "libvirt-usb-hotplug" and message.endswith("No free USB ports")]
    assert len(tries) >= 2 * len(refused), tries
    lab.pull(held[0].removeprefix("1-"))
    lab.wait_held("small", held[1])
    lab.run("libvirt-usb-hotplug -s small", check=False)
    held, opened = lab.state("small")
    assert len(held) == 2 and opened == 2, (held, opened)
    lab.pull("9")
    lab.wait_held("small")
    lab.run("virsh -q destroy small")


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

    with other_table(lab, table):
        for order in list(itertools.permutations(guest_ports))[-times(6):]:
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


def a_guest_reads_from_a_stick_the_very_bytes_that_are_on_it_and_sees_a_new_one_when_it_is_given_again(lab):
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
    lab.plug("9", "usb-storage")
    for turn in 3, 4:
        lab.wait_inside(f"[ $(grep -c 'SuperSpeed.*USB device number' {console}) = {turn} ]", seconds=120)
        lab.run("libvirt-usb-hotplug -a 2-9")
        lab.wait_inside(f"[ $(grep -c 'USB disconnect' {console}) = {turn} ]", seconds=120)
    lab.wait_held("guest", "2-9")
    lab.run("virsh -q destroy guest")
