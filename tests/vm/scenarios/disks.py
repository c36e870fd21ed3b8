"""Disks that the host uses, and those it is to leave alone."""

import lab as lab_module

from .helpers import without_the_program


def _partitioned(content):
    """The content of a disk that has one partition with this content, at 1 MiB."""
    start, length = 2048, len(content) // 512
    entry = bytes([0, 0, 0, 0, 0x83, 0, 0, 0]) + start.to_bytes(4, "little") + length.to_bytes(4, "little")
    return (bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(512 * start, b"\0") + content


def a_disk_that_the_host_uses_stays_with_it_until_it_is_free(lab):
    # As systemd does it, too: else each QEMU that starts keeps what is mounted then, in its own namespace.
    lab.run("mount --make-rshared /")
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
        assert "status 1" in text and "vm2: the host uses its disk sda" in text, text
        lab.run(free)
        lab.run("libvirt-usb-hotplug -s")
        lab.wait_held("vm2", "2-5")
        if "mount" in free:
            assert written in lab.stick("5"), "what was written is lost"
        lab.pull("5")
        lab.wait_held("vm2")


def a_disk_that_was_mounted_while_its_plug_waited_for_libvirtd_stays_with_the_host(lab):
    lab.run("modprobe -a usb_storage sd_mod")  # udev loads them after the plug's event
    with lab.hung_libvirtd():
        lab.plug("5", "usb-storage", lab_module.file_system())
        lab.wait_inside("test -b /dev/sda", seconds=9)
        lab.run("mount /dev/sda /mnt && echo written >/mnt/file")
    lab.wait_logged(r"error: vm2: did not attach 2-5 \(46f4:0001, .*\): the host uses its disk sda")
    lab.wait_held("vm2")
    lab.run("umount /mnt; libvirt-usb-hotplug -s")
    lab.wait_held("vm2", "2-5")


def a_disk_is_left_alone_by_whoever_may_not_see_whether_it_is_in_use(lab):
    lab.run("useradd -G libvirt member")
    with without_the_program(lab):
        lab.plug("5", "usb-storage", lab_module.file_system())
        lab.plug("1")
        lab.wait_plugged("2-5", "1-1")
        lab.wait_inside("test -b /dev/sda")
    lab.run("mount /dev/sda /mnt")
    text = lab.run("setpriv --reuid member --regid member --init-groups libvirt-usb-hotplug -s; echo status $?")
    assert "vm2: did not attach 2-5 (46f4:0001, bus 2 device" in text, text
    assert "the host may use its disk sda, which only root can tell\nstatus 1" in text, text
    lab.wait_held("vm2")
    lab.wait_held("vm1", "1-1")
    lab.run("umount /mnt; userdel member")


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
