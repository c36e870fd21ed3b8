"""The lab: a Debian in QEMU with USB ports to plug, and in it the real udevd, libvirtd and a nested QEMU.

    with Lab("bookworm") as lab:
        lab.plug("1", "usb-tablet")
        print(lab.run("virsh dumpxml vm1"))

The machine has an emulated xHCI at 0000:00:14.0 with 15 ports: bus 1 is its USB 2 side, bus 2 its USB 3 side.
"""

import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from inits import INITS

HERE = pathlib.Path(__file__).parent
PROJECT = HERE.parent.parent
SOURCE = "usr/src/libvirt-usb-hotplug"  # in the machine
COUNTERS = "/var/log/coverage"  # in the machine, where a program that counts which of its lines run leaves that

DOMAIN = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type>{boot}</os>
  <devices>
    <controller type='usb' model='qemu-xhci' ports='{ports}'/>
    <memballoon model='none'/>
    {devices}
  </devices>
  {seclabel}
</domain>
"""

HOSTDEV = "<hostdev mode='subsystem' type='usb'><source>{source}</source></hostdev>"
# Kernels of 2026 panic on QEMU 7.2's "max".
CPU = {"sid": "Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"}
NO_APPARMOR = "<seclabel type='none' model='apparmor'/>"


class LabError(Exception):
    pass


def file_system(size=2**23):
    """An empty file system's content."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(size)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", file.name], check=True)
        return file.read()


class Monitor:
    """QEMU's monitor, over which devices are plugged."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.call("qmp_capabilities")

    def call(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        for line in self.stream:
            answer = json.loads(line)
            if "error" in answer:
                raise LabError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise LabError("QEMU is gone")

    def wait_for_event(self, name):
        for line in self.stream:
            if json.loads(line).get("event") == name:
                return
        raise LabError("QEMU is gone")


class Shell:
    """The shell that waits at the machine's serial port "lab"."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.received = b""

    def run(self, script, timeout):
        """Runs a script; returns its exit status and what it printed, errors included."""
        mark = f"-- {time.monotonic_ns()} "
        deadline = time.monotonic() + timeout
        self.socket.settimeout(timeout)
        self.socket.sendall(f"echo '{mark}'; sh -c {shlex.quote(script)} </dev/null 2>&1; echo '{mark}'$?\n".encode())
        # What comes before is the answer to a script that took too long.
        pattern = re.compile(b"%b\n(.*)%b(\\d+)\n" % (2 * (re.escape(mark.encode()),)), re.DOTALL)
        try:
            while not (found := pattern.search(self.received)):
                self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
                received = self.socket.recv(65536)
                if not received:
                    raise LabError(f"QEMU is gone: {script}")
                self.received += received
        except TimeoutError:
            raise LabError(f"no answer within {timeout} s: {script}") from None
        self.received = self.received[found.end() :]
        return int(found.group(2)), found.group(1).decode(errors="replace")


def wait_until(condition, what, seconds=60, interval=0.1):
    """Waits until condition() is true and returns what it gave; after so many seconds it is an error."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds} s in vain: {what() if callable(what) else what}")
        time.sleep(interval)


class Lab:
    def __init__(self, suite="bookworm", build="outside", counts=False, init=os.environ.get("LAB_INIT", "systemd"),
                 daemon=os.environ.get("LAB_DAEMON", "libvirtd"), more=()):
        """A machine with this release of Debian, this init, "systemd" or "sysv", and this daemon, "libvirtd" or "virtqemud",
        those of LAB_INIT and LAB_DAEMON unless they are given; the program is built "outside", or "inside" the machine.
        One that counts has a single CPU whose time is the instructions it has executed, a nanosecond for each: the same
        work takes the same time, whatever else this machine does. QEMU gets more arguments."""
        self.suite = suite
        self.init = INITS[init](daemon)
        self.daemon = daemon  # its process, and its unit
        self.counts = counts
        self.build_inside = build == "inside"
        self.image = PROJECT / "build" / "lab" / "-".join([suite] + [init] * (init != "systemd") + [daemon] * (daemon != "libvirtd"))
        self.more = more
        self.plugged = {}
        self.sticks = 0
        self.sticks_by_port = {}

    def __enter__(self):
        self.build()
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def build(self):
        """Builds the machine's disk, unless that of an earlier run is as good."""
        subprocess.run([HERE / "image", self.suite, self.init.name, self.daemon, self.image], check=True,
                       stdin=subprocess.DEVNULL)
        if not (self.image / "warm").exists():
            self.warm_up()

    def warm_up(self):
        """Boots once and keeps what that leaves on the disk: AppArmor's compiled profiles and what libvirt learns of
        its QEMU. Every later boot is so much faster."""
        print("Booting it once, to warm its caches.", flush=True)
        try:
            self.boot("off")
            self.run("virsh domcapabilities --virttype qemu >/dev/null")
            self.run("poweroff >/dev/null 2>&1 &")
            self.qemu.wait(120)
        finally:
            self.stop()
        (self.image / "warm").touch()

    def start(self):
        """Boots the machine, which installs what "make install" makes of the lab's table."""
        self.boot("on")

    def boot(self, snapshot):
        """Boots the machine; with snapshot "on" what it writes to its disk is gone in the end."""
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lab-"))
        self.console = self.directory / "console"
        arguments = ["-machine", "q35", "-cpu", CPU.get(self.suite, "max"), "-m", "2048", "-nodefaults", "-display", "none"]
        if self.counts:
            arguments += ["-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=0"]
        else:
            arguments += ["-accel", os.environ.get("LAB_ACCEL", "tcg,thread=multi"), "-smp", "2"]
        arguments += ["-kernel", self.image / "vmlinuz", "-initrd", self.image / "initrd.img"]
        # On an emulated CPU, a clock that is read without a system call and programs that are always at the same
        # addresses, whose translations QEMU finds again, save a third of an attach.
        arguments += ["-append", "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0 tsc=reliable norandmaps"]
        arguments += ["-drive", f"file={self.image}/disk.img,format=raw,if=virtio,snapshot={snapshot}"]
        if snapshot == "on":
            self.pack()
            arguments += ["-drive", f"file={self.directory}/installed.tar,format=raw,if=virtio,readonly=on"]
        arguments += ["-serial", f"file:{self.console}", "-device", "virtio-serial"]
        arguments += ["-qmp", f"unix:{self.directory}/qmp,server=on,wait=off"]
        arguments += ["-chardev", f"socket,path={self.directory}/shell,server=on,wait=off,id=shell"]
        arguments += ["-device", "virtserialport,chardev=shell,name=lab"]
        arguments += ["-device", "qemu-xhci,id=xhci,addr=0x14,p2=15,p3=15"]
        # setpriv: should this process die, however it dies, the kernel ends QEMU.
        self.qemu = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", *arguments, *self.more], stdin=subprocess.DEVNULL)
        self.connect()
        self.wait_for_boot()

    def pack(self):
        """Packs what is to be installed, for the machine to unpack from its second disk: the source, which it makes
        and installs itself, or what "make install" makes of it here."""
        root = self.directory / "root"
        source = root / SOURCE if self.build_inside else self.directory / "source"
        for name in "src", "rules":
            shutil.copytree(PROJECT / name, source / name)
        for path in PROJECT / "Makefile", HERE / "config.h":
            shutil.copy(path, source)
        if not self.build_inside:
            self.make(source, f"DESTDIR={root}", "install")
        subprocess.run(["tar", "--owner=0", "--group=0", "-cf", self.directory / "installed.tar", "-C", root, "."],
                       check=True)

    def make(self, directory, *arguments):
        counting = ["CC=gcc", f"CFLAGS=--coverage -O0 -fprofile-dir={COUNTERS} -D_exit=exit"] if "LAB_COVERAGE" in os.environ else []
        subprocess.run(["make", "-C", directory, "CONFIG=config.h", *counting, *arguments], check=True, stdout=subprocess.DEVNULL)

    def save_counters(self, directory):
        """Brings out which lines of the program have run, and puts it beside what gcc noted of them."""
        archive = base64.b64decode(self.run(f"tar -czC {COUNTERS} . | base64"))
        pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-xzC", directory], input=archive, check=True)
        for data in pathlib.Path(directory).glob("*.gcda"):
            data.rename(data.with_name(data.name.rpartition("#")[2]))
        for notes in (self.directory / "source").glob("*.gcno"):
            shutil.copy(notes, directory)

    def install_table(self, table):
        """Makes the program with this text for its config.h, and installs it in the running machine."""
        if self.build_inside:
            self.put(f"/{SOURCE}/config.h", table.encode())
            self.run(f"make -C /{SOURCE} install", timeout=300)
        else:
            source = self.directory / "source"
            (source / "config.h").write_text(table)
            self.make(source, "LDFLAGS=-s")
            self.put("/usr/local/sbin/libvirt-usb-hotplug", (source / "libvirt-usb-hotplug").read_bytes())

    def make_inside(self):
        """The command that is make, in the machine, of the source from which the program was made."""
        if self.build_inside:
            return f"make -C /{SOURCE}"
        tar = subprocess.run(["tar", "-c", "-C", self.directory, "source"], check=True, capture_output=True).stdout
        self.put("/run/source.tar", tar)
        self.put("/usr/local/bin/make", pathlib.Path(shutil.which("make")).read_bytes())
        self.run("tar -xf /run/source.tar -C /run && chmod +x /usr/local/bin/make")
        # The machine has no compiler: what is made is not made again.
        return "make -s -C /run/source -o libvirt-usb-hotplug"

    def connect(self):
        sockets = [self.directory / "qmp", self.directory / "shell"]
        wait_until(lambda: self.qemu.poll() is not None or all(map(os.path.exists, sockets)), "QEMU's sockets")
        if self.qemu.poll() is not None:
            raise LabError(f"QEMU ended with status {self.qemu.returncode}")
        self.monitor = Monitor(sockets[0])
        self.shell = Shell(sockets[1])

    def wait_for_boot(self):
        """Waits until the daemon has been active in this boot."""
        try:
            self.wait_inside(self.init.libvirtd_was_up, seconds=240)
        except LabError as error:
            console = self.console.read_text(errors="replace")[-4000:]
            last_words = ""
            with contextlib.suppress(LabError):  # from a machine that doesn't answer
                last_words = self.run(self.init.last_words, check=False)
            raise LabError(f"the machine doesn't come up: {error}\nIts console:\n{console}\n{last_words}") from None

    def reboot(self):
        """Resets the machine, at once, and waits until it is up again."""
        self.run(f"{self.init.sync_log}; sync")
        self.monitor.call("system_reset")
        self.monitor.wait_for_event("RESET")
        self.wait_for_boot()

    @contextlib.contextmanager
    def asleep(self):
        """While this lasts, the machine sleeps, suspended to RAM."""
        with concurrent.futures.ThreadPoolExecutor() as executor:
            sleep = executor.submit(self.run, "echo mem >/sys/power/state", timeout=240)
            try:
                wait_until(lambda: self.monitor.call("query-status")["status"] == "suspended", "the machine to sleep", seconds=120)
                yield
            finally:
                # One that sleeps on would take all scenarios behind this one with it.
                self.monitor.call("system_wakeup")
            sleep.result()

    def stop(self):
        if hasattr(self, "qemu"):
            self.qemu.kill()
            self.qemu.wait()
        if hasattr(self, "directory"):
            shutil.rmtree(self.directory, ignore_errors=True)

    # Commands inside.

    def run(self, script, check=True, timeout=60):
        """Runs a shell script in the machine and returns what it printed, its errors too."""
        status, output = self.shell.run(script, timeout)
        if check and status != 0:
            raise LabError(f"{script}: status {status}: {output}")
        return output

    def put(self, path, content):
        """Writes a file in the machine; one that is there already, and may be running, is replaced and its mode kept."""
        self.run(f": >{path}.new")
        for start in range(0, len(content), 2**16):  # execve(2) takes 128 KiB for an argument
            encoded = base64.encodebytes(content[start : start + 2**16]).decode()
            self.run(f"base64 -d >>{path}.new <<'EOF'\n{encoded}EOF")
        self.run(f"[ ! -e {path} ] || chmod --reference={path} {path}.new; mv {path}.new {path}")

    # USB devices, plugged into the machine from outside.

    def plug(self, port, driver="usb-tablet", content=bytes(2**20)):
        """Plugs a device into a port, such as "1" or "3.2" for a hub's; a usb-storage is a SuperSpeed stick that
        has this content."""
        properties = {}
        if driver == "usb-storage":
            self.sticks += 1
            properties["drive"] = f"stick{self.sticks}"
            file = self.sticks_by_port[port] = self.directory / properties["drive"]
            file.write_bytes(content)
            self.monitor.call("blockdev-add", driver="file", filename=str(file), **{"node-name": properties["drive"]})
        self.monitor.call("device_add", driver=driver, bus="xhci.0", port=port, id=f"port{port}", **properties)
        self.plugged[port] = driver

    def pull(self, port):
        """Pulls what is in a port, a hub with all behind it."""
        self.monitor.call("device_del", id=f"port{port}")
        for name in [name for name in self.plugged if name == port or name.startswith(port + ".")]:
            del self.plugged[name]

    def stick(self, port):
        """What is on the stick in this port."""
        return self.sticks_by_port[port].read_bytes()

    def pull_all(self):
        for port in sorted(self.plugged, key=len):
            if port in self.plugged:
                self.pull(port)

    # What is so inside.

    def versions(self):
        """What the machine runs, in a line."""
        script = """
            . /etc/os-release
            qemu=$(qemu-system-x86_64 --version | sed -n 's/.*version \\([^ ]*\\).*/\\1/p')
            echo "$PRETTY_NAME, Linux $(uname -r), $init, $daemon $(virsh --version), QEMU $qemu,"
        """
        script = f"init=$({self.init.version}) daemon={self.daemon}\n{script}"
        return f"{self.run(script).strip()} the program built {'inside' if self.build_inside else 'outside'}"

    def state(self, domain):
        """The ports whose devices the live domain holds, "gone" for one no more plugged in, "missing" for one that was
        gone when the domain started, and how many of them its QEMU has opened."""
        script = f"virsh -q 'dumpxml {domain}; echo ====; qemu-monitor-command {domain} --hmp info usb; echo ===='"
        script += "; grep -H . /sys/bus/usb/devices/*/busnum /sys/bus/usb/devices/*/devnum"
        xml, opened, sysfs = self.run(script, check=False).split("====")
        numbers = {}
        for port, number in re.findall(r"devices/(\S+)/(?:bus|dev)num:(\d+)", sysfs):
            numbers[port] = numbers.get(port, ()) + (number,)
        names = {number: port for port, number in numbers.items()}
        held = []
        for source in ElementTree.fromstring(xml).findall("devices/hostdev[@type='usb']/source"):
            address = source.find("address")
            number = address is not None and (address.get("bus"), address.get("device"))
            if address is not None and address.get("port") and not address.get("device"):
                held.append(f"{address.get('bus')}-{address.get('port')}")
                continue
            held.append("missing" if source.get("missing") else names.get(number, "gone"))
        return sorted(held), len(re.findall(r"ID: (?:hostdev|ua-)", opened))

    def wait_held(self, domain, *ports, seconds=60):
        """Waits until the domain holds what is in these ports and nothing else, and its QEMU has opened it."""
        expected = (sorted(ports), len(ports))
        state = None

        def as_expected():
            nonlocal state
            state = self.state(domain)
            return state == expected

        wait_until(as_expected, lambda: f"{domain} to hold {expected}, it has {state}", seconds=seconds)

    def wait_plugged(self, *ports, seconds=60):
        """Waits until the machine's kernel has devices at these ports ("1-3.2"), and udev is done with them."""
        paths = " ".join(f"/sys/bus/usb/devices/{port}/devnum" for port in ports)
        self.wait_inside(f"ls {paths}")
        self.settle(seconds)

    def wait_pulled(self, *ports, seconds=60):
        """Waits until the machine's kernel has no devices there any more, and udev is done with that."""
        for port in ports:
            self.wait_inside(f"! test -e /sys/bus/usb/devices/{port}")
        self.settle(seconds)

    def wait_inside(self, condition, seconds=60):
        """Waits until a shell command succeeds in the machine."""
        loop = shlex.quote(f"until {condition}; do sleep 0.1; done")
        self.run(f"timeout {seconds} sh -c {loop} >/dev/null", timeout=seconds + 30)

    def settle(self, seconds=60):
        """Waits until udev has nothing to do."""
        self.run(f"udevadm settle --timeout={seconds}", timeout=seconds + 30)

    def mark(self):
        """From here on journal() tells what is new."""
        self.end_of_log = self.run(self.init.end_of_log).strip()
        self.marked = int(self.run("date +%s"))

    def journal(self):
        """The journal's entries since mark(), as (identifier, priority, message)."""
        return self.init.entries(self.run, self.end_of_log)

    def log(self, identifier="libvirt-usb-hotplug"):
        """What the program, or another, logged since mark(), as "error: ...", "info: ..." and so on."""
        names = {3: "error", 4: "warning", 5: "notice", 6: "info", 7: "debug"}
        return [f"{names.get(p, p)}: {message}" for name, p, message in self.journal() if name == identifier]

    def wait_logged(self, pattern):
        """Waits until the program has logged a line since mark() that matches the regular expression."""
        wait_until(lambda: any(re.fullmatch(pattern, line) for line in self.log()), lambda: f"{pattern}: {self.log()}")

    def assert_log(self, *patterns):
        """Asserts that the program's lines since mark() are just these, as regular expressions."""
        log = self.log()
        assert len(log) == len(patterns) and all(map(re.fullmatch, patterns, log)), f"the log is {log}"

    def warnings(self):
        """What anything logged since mark() as a warning or worse."""
        return [f"{name}: {message}" for name, priority, message in self.journal() if priority <= 4]

    def assert_no_complaint(self):
        """Asserts that the program logged nothing graver than info since mark()."""
        complaints = [line for line in self.log() if not line.startswith(("info", "debug"))]
        assert not complaints, complaints

    # Domains.

    def define(self, name, memory=64, ports=15, **elements):
        """Defines a domain; boot, devices and seclabel are more of its XML."""
        elements = {"boot": "", "devices": "", "seclabel": "", **elements}
        xml = DOMAIN.format(name=name, memory=memory, ports=ports, **elements)
        self.run(f"virsh -q define /dev/stdin <<'EOF'\n{xml}EOF")

    def disk(self, name):
        """Makes an empty disk for a domain; returns its XML."""
        image = f"/var/lib/libvirt/images/{name}.qcow2"
        self.run(f"qemu-img create -q -f qcow2 {image} 16M")
        return f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{image}'/>" \
               "<target dev='vda' bus='virtio'/></disk>"

    def begin_backup(self, name):
        """Begins a backup of the domain's disk that lasts until end_backup()."""
        port = 10809 + sum(name.encode())
        xml = f"<domainbackup mode='pull'><server name='localhost' port='{port}'/></domainbackup>"
        self.run(f"echo \"{xml}\" >/run/backup.xml; virsh -q backup-begin {name} /run/backup.xml", timeout=120)

    def end_backup(self, name):
        self.run(f"virsh -q domjobabort {name}", timeout=120)
        self.wait_inside(f"virsh -q domjobinfo {name} | grep -q None")

    def knows_host_ports(self):
        """Whether this libvirt takes a device of the host by its port."""
        return int(self.run("virsh --version").split(".")[0]) >= 12

    def attach_by_hand(self, domain, source, command="attach-device", timeout=60, wait=True):
        """Attaches a device as a person does, with a <hostdev> of this source; the shell expands it."""
        wait = "" if wait else ">/dev/null 2>&1 &"
        xml = HOSTDEV.format(source=source)
        self.run(f"cat >/run/by-hand.xml <<EOF\n{xml}\nEOF\nvirsh -q {command} {domain} /run/by-hand.xml --live {wait}",
                 timeout=timeout)

    def detach_by_hand(self, domain, source, timeout=60):
        self.attach_by_hand(domain, source, "detach-device", timeout)

    def restart_domain(self, name):
        self.run(f"virsh -q destroy {name}", check=False)
        self.wait_inside(f"virsh domstate {name} | grep -q off")
        self.run(f"virsh -q start {name}", timeout=120)

    @contextlib.contextmanager
    def stopped_process(self, pattern):
        """While this lasts, the processes whose command lines match the pattern do nothing."""
        self.run(f"pkill -STOP -f '{pattern}'")
        try:
            yield
        finally:
            self.run(f"pkill -CONT -f '{pattern}'", check=False)

    def hung_libvirtd(self):
        """While this lasts, the daemon does nothing."""
        return self.stopped_process(f"^/usr/sbin/{self.daemon}")

    def set_up(self, *names, **elements):
        """Defines domains anew and starts them."""
        for name in names:
            self.run(f"virsh destroy {name}; virsh undefine {name}", check=False)
            self.define(name, **elements)
            self.run(f"virsh -q start {name}", timeout=120)

    @contextlib.contextmanager
    def without_apparmor(self, *names):
        """While this lasts, the domains have no AppArmor profile, whose compilation takes most of an attach here."""
        self.set_up(*names, seclabel=NO_APPARMOR)
        try:
            yield
        finally:
            self.set_up(*names)

    def reset(self):
        """What every scenario starts from: vm1 and vm2 are running, nothing is plugged in and nothing held."""
        self.pull_all()
        self.run("virsh resume vm1; virsh resume vm2; virsh start vm1; virsh start vm2", check=False)
        for name in "vm1", "vm2":
            try:
                self.wait_held(name, seconds=20)
            except LabError:  # an earlier scenario failed
                self.restart_domain(name)
        self.settle()
        self.mark()


def main():
    """Boots the lab for a person: lab.py [SUITE [BUILD]], then "plug PORT [DRIVER]", "pull PORT", or any shell command."""
    with Lab(*sys.argv[1:]) as lab:
        lab.set_up("vm1", "vm2")
        lab.define("off")
        print("The lab is up: plug PORT [DRIVER], pull PORT, or a shell command to run in it; end of file stops it.",
              flush=True)
        for line in sys.stdin:
            words = line.split()
            try:
                if words[:1] == ["plug"]:
                    lab.plug(*words[1:])
                elif words[:1] == ["pull"]:
                    lab.pull(*words[1:])
                else:
                    print(lab.run(line, check=False), end="", flush=True)
            except (LabError, TypeError) as error:
                print(error)


if __name__ == "__main__":
    main()
