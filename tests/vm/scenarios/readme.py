"""What the README says, done by a person who has a bare system and a copy of the project."""

import re
import shlex
import subprocess
import tempfile

from lab import PROJECT

from .helpers import readme_commands

OTHER_SYSTEMS = "sudo dnf ", "sudo pacman ", "sudo zypper "
# In place of a person's hands: pastes the rows above the last line of the table.
EDITOR = "sed -i '$e cat /run/rows' \"$1\"\n"


def the_README_is_followed_line_by_line_on_a_bare_system(lab):
    if lab.init.name != "systemd":
        print("# left out: README installs what brings systemd along", flush=True)
        return
    lab.run("systemctl stop libvirt-usb-hotplug; rm -rf /usr/local/lib/udev /usr/local/lib/systemd /usr/local/bin/make"
            " /usr/local/sbin/libvirt-usb-hotplug /usr/local/share/man/man8 /etc/libvirt/hooks/qemu.d /run/libvirt-usb-hotplug.lock /run/source;"
            f" udevadm control --reload; {lab.init.reload}", check=False)
    lab.run("useradd -m -s /bin/sh person && echo 'person ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/person")
    with tempfile.NamedTemporaryFile() as packages:
        _fetch(lab.suite, packages.name)
        lab.plug("10", "usb-storage", packages.read())
    lab.wait_inside("test -b /dev/sda")
    lab.run("tar -xf /dev/sda -C /", timeout=300)
    lab.pull("10")
    names = ["Makefile", "README.md", "LICENSE", "config.h", "src", "rules", "tests"]
    tar = subprocess.run(["tar", "-c", "--exclude=__pycache__", "-C", PROJECT, *names], check=True, capture_output=True).stdout
    lab.put("/run/project.tar", tar)
    lab.put("/run/editor", EDITOR.encode())
    lab.run("cd ~person && tar -xf /run/project.tar --no-same-owner && chown -R person: .")
    lab.plug("1")
    lab.plug("2")
    lab.wait_plugged("1-1", "1-2")

    for command in readme_commands("## Install"):
        if command.startswith(OTHER_SYSTEMS):
            continue
        printed = _person(lab, command)
        if command.endswith(" -l"):
            rows = re.findall(r'\{ "DOMAIN", .*/usb1/1-[12]" \},', printed)
            assert len(rows) == 2, printed
            rows = [row.replace("DOMAIN", domain) for row, domain in zip(sorted(rows), ("vm1", "vm2"))]
            lab.put("/run/rows", "".join(f"\t{row}\n" for row in rows).encode())
        roots = _person(lab, "find . ! -user person")
        assert not roots, f"not the person's own after {command}: {roots}"
    assert _person(lab, "libvirt-usb-hotplug -V").endswith(", table /etc/libvirt-usb-hotplug.h with 2 rows\n")
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2", "1-2")
    lab.pull("1")
    lab.wait_held("vm1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    _person(lab, "make && make clean && sudo make uninstall")
    assert lab.run("find / /run -xdev -name '*usb-hotplug*' -not -path '/home/*' -not -path '/usr/src/*'") == "/etc/libvirt-usb-hotplug.h\n"


def _fetch(suite, file):
    """Writes a tar file of what apt-get needs in the machine, which has no network: packages that a smaller system lacks, and lists."""
    install, = (command for command in readme_commands("## Install") if command.startswith("sudo apt-get "))
    options = "--variant=apt", "--format=null", '--aptopt=Acquire::Check-Valid-Until "false"'
    fetch = install.replace("sudo apt-get install", 'chroot "$1" apt-get install -qq -y --download-only')
    pack = f'tar -cf {file} -C "$1" var/lib/apt/lists var/cache/apt/archives'
    subprocess.run(["mmdebstrap", "--quiet", *options, f"--customize-hook={fetch}", f"--customize-hook={pack}", suite, "-"],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _person(lab, command):
    """What it prints when the person types this, and says yes to what is asked."""
    command = f"cd ~ && yes 2>/dev/null | SUDO_EDITOR='sh /run/editor' PATH=$PATH:/usr/local/sbin sh -c {shlex.quote(command)}"
    return lab.run(f"su -l person -c {shlex.quote(command)}", timeout=900)
