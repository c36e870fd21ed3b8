"""What the scenarios of more than one file use."""

import contextlib
import os
import re

import lab as lab_module
from inits import RETRIER

LEFT = r"info: {} \(.*\): {}: left to libvirt-usb-hotplug(\.service| -r)"
# In the shell, the process that tries again.
HEIR = f"$(pgrep -o -f '{RETRIER}')"
QEMU_OF_VM1 = "^[^ ]*qemu-system[^ ]* .*guest=vm1"

TABLE = (lab_module.HERE / "config.h").read_text()
BUS = "/devices/pci0000:00/0000:00:14.0/usb1"
SHARED = TABLE.replace(f'{{ "vm1",     "{BUS}/1-1" }},', f'{{ "vm1", "{BUS}/1-1" }}, {{ "vm2", "{BUS}/1-1" }},')

CYCLES = int(os.environ.get("LAB_CYCLES", 40))


def readme_commands(heading):
    """The commands in a part of the README, "## ..." or "**...", up to the next part: of the lines of its indented blocks, which
    also have what is printed, those that begin as commands do."""
    text = (lab_module.PROJECT / "README.md").read_text()
    part = re.search(rf"^(?:\*\*)?{re.escape(heading)}.*?(?=^(?:## |\*\*))", text, re.DOTALL | re.MULTILINE).group()
    return re.findall(r"^ {4,}((?:sudo |sudoedit |make |ssh |\(cd ).*)", part, re.MULTILINE)


def times(most):
    """How often to do what is done so often where LAB_CYCLES is 300: with fewer less often, but twice at least."""
    return max(2, most * CYCLES // 300)


def seconds(most):
    """How long to do what is done for so long where LAB_CYCLES is 300: with fewer for less, but more than any timeout."""
    return max(20, most * CYCLES // 300)


@contextlib.contextmanager
def other_table(lab, table):
    """While this lasts, the machine's program has this table."""
    lab.install_table(table)
    try:
        yield
    finally:
        lab.install_table(TABLE)


@contextlib.contextmanager
def without_the_program(lab):
    """While this lasts, neither udev nor libvirt can run the program."""
    lab.run("mv /usr/local/sbin/libvirt-usb-hotplug /usr/local/sbin/away")
    try:
        yield
        lab.settle()
    finally:
        lab.run("mv /usr/local/sbin/away /usr/local/sbin/libvirt-usb-hotplug")


@contextlib.contextmanager
def snapshots(lab):
    """While this lasts, vm1 has a disk that takes snapshots, and backups."""
    lab.set_up("vm1", devices=lab.disk("vm1"))
    try:
        yield
    finally:
        lab.run("for name in $(virsh -q snapshot-list --name vm1); do virsh -q snapshot-delete vm1 $name; done")
        lab.set_up("vm1")


def renumber(lab):
    """Has the kernel number the devices anew, as it does at each boot."""
    controller = "0000:00:14.0"
    driver = "/sys/bus/pci/drivers/xhci_hcd"
    lab.run(f"echo {controller} >{driver}/unbind; udevadm settle; echo {controller} >{driver}/bind; udevadm settle")


def number_of(lab, port):
    return int(lab.run(f"cat /sys/bus/usb/devices/{port}/devnum"))


def has_driver(lab, interface, driver):
    """Waits until the host has such a driver for this interface, "1-1:1.0"."""
    lab.wait_inside(f"readlink /sys/bus/usb/devices/{interface}/driver | grep -qE '/{driver}$'", seconds=30)


def save_with_device(lab):
    """Has vm1 saved, as libvirt-guests does at shutdown, while it holds what is in port 1. Returns its number."""
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    lab.run("virsh -q managedsave vm1", timeout=120)
    return number_of(lab, "1-1")


@contextlib.contextmanager
def in_mid_attach(lab):
    """While this lasts, vm1's QEMU is stopped, and libvirtd waits for it to take what was plugged into port 1."""
    with lab.stopped_process(QEMU_OF_VM1):
        lab.plug("1")
        lab.wait_inside("grep -q /dev/bus/usb /etc/apparmor.d/libvirt/*.files")
        yield
