"""What is installed, and taken away again."""

from .helpers import HEIR


def make_install_on_a_running_system_that_never_had_a_hook_is_enough_and_make_uninstall_leaves_nothing(lab):
    make = lab.make_inside()
    installed = "/usr/local/sbin/libvirt-usb-hotplug /usr/local/lib/*/*/*libvirt-usb-hotplug* " \
        "/usr/local/share/man/man8/libvirt-usb-hotplug.8 /etc/libvirt/hooks/qemu.d/libvirt-usb-hotplug"
    before = lab.run(f"ls {installed}")
    with lab.stopped_process("^/usr/sbin/libvirtd"):
        lab.run(lab.init.start_retrying)
        lab.wait_inside(f"pgrep -P {HEIR}")
        lab.run(f"{make} uninstall")
    assert lab.run(f"ls {installed} 2>/dev/null", check=False) == ""
    lab.run(f"test -z {HEIR}")
    lab.run(f"virsh -q destroy vm1; rmdir /etc/libvirt/hooks/qemu.d; {lab.init.restart_libvirtd}", timeout=120)
    lab.plug("1")
    lab.plug("2")
    lab.wait_plugged("1-1", "1-2")
    said = lab.run(f"{make} install")
    assert said.endswith("in line: sudo libvirt-usb-hotplug -s\n"), said
    assert lab.run(f"ls {installed}") == before
    lab.wait_held("vm2")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm2", "1-2")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.plug("4")
    lab.wait_held("vm1", "1-1", "1-4")
