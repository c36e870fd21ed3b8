"""What is installed, and taken away again."""

import os
import pathlib
import re
import subprocess
import tempfile

from lab import PROJECT

from .helpers import BUS, HEIR, TABLE, readme_commands

UNIT = "/usr/local/lib/systemd/system/libvirt-usb-hotplug.service"


def _files(lab):
    """All that an installation could leave behind, but for what libvirt, AppArmor and the journal write by themselves."""
    others = "/var/*/* /root /tmp /usr/src /run/*/* /etc/apparmor.d/libvirt/* /etc/libvirt/qemu/*"
    prune = " ".join(f"-path '{path}' -prune -o" for path in others.split())
    return set(lab.run(f"find / /run -xdev {prune} -print; ls -d /var/lib/* /var/cache/*").splitlines())


def make_install_on_a_running_system_that_never_had_a_hook_is_enough_and_make_uninstall_leaves_nothing(lab):
    make = lab.make_inside()
    installed = "/usr/local/sbin/libvirt-usb-hotplug /usr/local/lib/*/*/*libvirt-usb-hotplug* " \
        "/usr/local/share/man/man8/libvirt-usb-hotplug.8 /etc/libvirt/hooks/qemu.d/libvirt-usb-hotplug"
    before = lab.run(f"ls {installed}")
    with lab.hung_libvirtd():
        lab.run(lab.init.start_retrying)
        lab.wait_inside(f"pgrep -P {HEIR}")
        lab.run(f"{make} uninstall")
    bare = _files(lab)
    ours = [name for name in bare if re.search("usb-hotplug|/usr/local/lib/(udev|systemd)", name)]
    assert not ours, ours
    lab.run(f"{make} install && {make} uninstall")
    assert _files(lab) == bare, _files(lab) ^ bare
    lab.wait_inside("! pgrep libvirt-usb")
    lab.run(f"virsh -q destroy vm1; {lab.init.restart_libvirtd}", timeout=120)
    lab.plug("1")
    lab.plug("2")
    lab.wait_plugged("1-1", "1-2")
    said = lab.run(f"{make} install")
    assert said.endswith("in line: sudo libvirt-usb-hotplug -s\n"), said
    # Without systemd there is no unit, though the lab's machine had one to begin with.
    assert lab.run(f"ls {installed}") == (before if lab.init.name == "systemd" else before.replace(f"{UNIT}\n", ""))
    lab.wait_held("vm2")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm2", "1-2")
    lab.run("virsh -q start vm1", timeout=120)
    lab.wait_held("vm1", "1-1")
    lab.plug("4")
    lab.wait_held("vm1", "1-1", "1-4")


def a_machine_without_a_compiler_gets_a_tree_and_then_a_new_table_the_same_way(lab):
    if not lab.build_inside:
        lab.run("rm -f /usr/local/bin/make; ! command -v gcc && ! command -v make")
    _send(lab, "vm1")
    lab.plug("10")
    lab.wait_held("vm1", "1-10")
    assert "my-ports.h with 1 row\n" in lab.run("libvirt-usb-hotplug -V")
    _send(lab, "vm2")
    lab.run("libvirt-usb-hotplug -s")
    lab.wait_held("vm1")
    lab.wait_held("vm2", "1-10")
    lab.install_table(TABLE)


def _send(lab, domain):
    """Makes a tree here, of a table that gives port 10 to the domain, and sends it to the machine, all as the README says. In
    place of ssh is what keeps its input and its command."""
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        subprocess.run(["cp", "-r", *(PROJECT / name for name in ("Makefile", "config.h", "src", "rules")), place], check=True)
        table = (PROJECT / "config.h").read_text().rpartition("};")[0]
        (place / "my-ports.h").write_text(f'{table}\t{{ "{domain}", "{BUS}/1-10" }},\n}};\n')
        (place / "ssh").write_text('#!/bin/sh\nshift\ncat >input\necho "$*" >command\n')
        (place / "ssh").chmod(0o755)
        environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"}
        for command in readme_commands("Where there is no compiler"):
            subprocess.run(command, shell=True, check=True, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if (place / "command").exists():
                lab.put("/run/input", (place / "input").read_bytes())
                command = (place / "command").read_text().replace("systemctl daemon-reload; systemctl reload libvirtd", lab.init.reload)
                lab.run(f"({command}) </run/input")
