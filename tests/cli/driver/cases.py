"""
For the tests beside it: runs PROGRAM while devices are plugged in and libvirt's test driver has domains, and compares all that
it says. That driver refuses to attach and to detach, so what the program would do is seen in what it says of that. And nothing
changes, so cases share a machine: each has ports and addresses of its own there, on buses 3 to 10.

A device is written in words, such as "3-1 3:7 046d:c08e hub": its port, its bus and number, its id, and what it is: "hub",
"used sda" for a disk that the host uses, or "free sda". What a domain holds is written so, too: with a port it is the
program's own, without one it is another's. "claimed" is what a program of the host uses.
"""

import collections
import ctypes
import fcntl
import itertools
import os
import pathlib
import pty
import re
import shlex
import sys
import tempfile
import termios

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "machines"))

from tap import check, describe, done_testing, run_on

PROGRAM = os.path.realpath(os.environ["PROGRAM"])
CONTROLLER = f"{describe.PCI}/0000:00:14.0"
RUNNING, SHUT_OFF = 1, 5  # virDomainState
CAP_SYS_ADMIN, PR_CAPBSET_DROP = 21, 24

# A terminal that is claimed answers open(2) as a disk in use does: EBUSY, though not for who has this capability.
ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0)
claimed = pty.openpty()[1]
fcntl.ioctl(claimed, termios.TIOCEXCL)

REFUSAL = r"(vm.*: did not (?:attach|detach) .*\)): (?:this function is|unsupported configuration|non unique alias).*"

WRONG = "What is wrong with the table:"

machines = []


class Device:
    def __init__(self, words):
        port, address, ids, disk = (re.search(rf"(?<!\S){pattern}(?!\S)", words) for pattern in
                                    (r"\d+-[\d.]+", r"(\d{1,3}):(\d{1,3})", "([0-9a-f]{4}):([0-9a-f]{4})", r"(free|used) (\w+)"))
        self.port = port and port[0]
        self.bus, self.number = map(int, address.groups()) if address else (None, None)
        self.ids = ids and ids.groups()
        self.product = ids and "/".join(f"{int(number, 16):x}" for number in [*self.ids, "100"])  # as the kernel writes it
        self.is_hub = words.endswith("hub")
        self.is_claimed = words.endswith("claimed")
        self.disk = disk and disk.groups()

    def devpath(self):
        hubs = [self.port.rsplit(".", count)[0] for count in range(self.port.count("."), 0, -1)]
        return "/".join([f"{CONTROLLER}/usb{self.bus}", *hubs, self.port])

    def text(self):
        ids = f"{':'.join(self.ids)}, " if self.ids else ""
        place = f"bus {self.bus} device {self.number}"
        return f"{self.port} ({ids}{place})" if self.port else ids + place

    def xml(self, guest=None):
        """The program's <hostdev>."""
        lines = ["<hostdev mode='subsystem' type='usb'>", "  <source startupPolicy='optional'>"]
        lines += [f"    <vendor id='0x{self.ids[0]}'/>", f"    <product id='0x{self.ids[1]}'/>"] if self.ids else []
        lines += [f"    <address bus='{self.bus}' device='{self.number}'/>"] if self.bus else []
        lines += ["  </source>"]
        lines += [f"  <alias name='ua-usb-hotplug-{self.port.replace('.', '_')}'/>"] if self.port else []
        lines += ["  <address type='usb' bus='{}' port='{}'/>".format(*guest.split(":"))] if guest else []
        return "\n".join([*lines, "</hostdev>\n"])


def mouse(port, number=None, kind=""):
    """In words. Its number, where none is given, is made from that of its port."""
    return f"{port} {port.split('-')[0]}:{number or 10 + int(re.split('[-.]', port)[-1])} 046d:c08e {kind}".strip()


def printer(port, number=None):
    return mouse(port, number).replace("046d:c08e", "04a9:1912")


# What is run: options, and the variables of an event as the kernel tells of it, or as a person does.

def event(action, words, options="", **variables):
    device = Device(words)
    return options, {**by_hand(action, words)[1], "SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "SEQNUM": "4711",
                     "PRODUCT": device.product, "TYPE": "9/0/1" if device.is_hub else "0/0/0", **variables}


def by_hand(action, words):
    device = Device(words)
    return "", {"ACTION": action, "DEVPATH": device.devpath(), "BUSNUM": f"{device.bus:03}", "DEVNUM": f"{device.number:03}"}


def command(options):
    return options, {}


# What the program is to do, and what is said where that fails.

class Change(collections.namedtuple("Change", "action domain words guest")):
    def printed(self):
        device = Device(self.words)
        return f"{self.action} {self.domain} {device.bus} {device.number}\n{device.xml(self.guest)}"

    def refused(self):
        return did_not(self.action, self.domain, self.words, "this function is not supported by the connection driver: "
                       f"virDomain{self.action.capitalize()}DeviceFlags")


def attach(domain, words, guest=None):
    return Change("attach", domain, words, guest)


def detach(domain, words):
    return Change("detach", domain, words, None)


def did_not(action, domain, words, why):
    return f"{domain}: did not {action} {Device(words).text()}: {why}"


# What came of a run.

class Result(collections.namedtuple("Result", "prints says status")):
    """What was printed, each <hostdev> by itself; the messages; and the exit status."""

    def about(self, addresses):
        """What of it is about these, or all of it."""
        if addresses is None:
            return self
        return Result(*([text for text in texts if address_of(text) in addresses] for texts in self[:2]), None)

    def without_table(self):
        """What is wrong with the table is the same for all: it is seen once."""
        return self._replace(says=[line for line in self.says if line.startswith("libvirt-usb-hotplug: ")])

    def text(self):
        # The driver has its reasons in other words, or others, from version to version.
        says = [re.sub(REFUSAL, r"\1: refused", line) for line in self.says]
        return "".join(in_order(self.prints)), "\n".join(in_order(says)), self.status


def address_of(text):
    """Of the device that a <hostdev>, or a message, is about."""
    found = re.search(r"bus (\d+) device (\d+)|^\S+ \S+ (\d+) (\d+)$", text, re.MULTILINE)
    return found and ":".join(filter(None, found.groups()))


def in_order(texts):
    """libvirt has domains in another order each time: sorts these, but leaves what is taken out before what is put in."""
    groups = itertools.groupby(texts, lambda text: re.search("attach|detach|$", text)[0])
    return [text for _, group in groups for text in sorted(group)]


def result_of(run, changes, prints="", says=(), status=0):
    says = [line if WRONG in says else f"libvirt-usb-hotplug: {line}" for line in says]
    if "-n" in run[0]:
        return Result([change.printed() for change in changes], says, status)
    says += (f"libvirt-usb-hotplug: {change.refused()}" for change in changes)
    return Result([prints], says, 1 if changes else status)


class Machine:
    def __init__(self, running, off):
        self.states = {**dict.fromkeys(running, RUNNING), **dict.fromkeys(off, SHUT_OFF)}
        self.plugged, self.held, self.worlds = {}, {name: {} for name in self.states}, {}
        self.runs, self.cases = [], []

    def add(self, name, plugged, held):
        """Plugs in what a case has, and has domains hold theirs. Returns the addresses."""
        words = " ".join([*plugged, *itertools.chain(*held.values())])
        addresses = re.findall(r"(?<!\S)\d{1,3}:\d{1,3}(?!\S)", words)
        for place in [*addresses, *re.findall(r"\d+-[\d.]+", words)]:
            if self.worlds.setdefault(place, (plugged, held)) != (plugged, held):
                sys.exit(f"{name}: {place} is another case's, too")
        self.plugged.update(dict.fromkeys(plugged))
        for domain, has in held.items():
            self.held[domain].update(dict.fromkeys(has))
        return addresses

    def expect(self, name, run, addresses, expected):
        if run not in self.runs:
            self.runs.append(run)
        self.cases.append((name, self.runs.index(run), addresses, expected))

    def node(self):
        lines = ["<node>"]
        for name, state in self.states.items():
            lines += ["<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>", f"<name>{name}</name>",
                      "<memory>8192</memory>", "<os><type>hvm</type></os>",
                      "<devices>", *(Device(words).xml() for words in self.held[name]), "</devices>",
                      f"<test:runstate>{state}</test:runstate>", "</domain>"]
        return "\n".join([*lines, "</node>\n"])

    def tree(self):
        machine = describe.Machine()
        for bus in range(3, 11):
            machine.bus(CONTROLLER, bus, 3)
        for device in sorted(map(Device, self.plugged), key=lambda device: device.port):  # a hub before what is behind it
            machine.device(device.port, device.product, 4 if device.is_hub else 0, devnum=device.number)
            if device.is_claimed:
                machine.blocks[f"{device.port}:1.0"] = [f"P: {device.devpath()}/{device.port}:1.0", "E: SUBSYSTEM=usb",
                                                        "E: DEVTYPE=usb_interface", "E: DRIVER=usbfs"]
            if device.disk:
                use, name = device.disk
                machine.blocks[name] = [f"P: {device.devpath()}/{device.port}:1.0/host0/target0:0:0/0:0:0:0/block/{name}",
                                        "E: SUBSYSTEM=block", "E: DEVTYPE=disk",
                                        f"E: DEVNAME={os.ttyname(claimed) if use == 'used' else '/dev/null'}"]
        return str(machine)

    def results(self):
        """What comes of the runs, for each one."""
        with tempfile.TemporaryDirectory() as directory:
            directory = pathlib.Path(directory)
            (directory / "node.xml").write_text(self.node())
            (directory / "tree").write_text(self.tree())
            script = []
            for number, (options, variables) in enumerate(self.runs):
                variables = (f"{key}={shlex.quote(value)}" for key, value in variables.items())
                script.append(" ".join([*variables, '"$PROGRAM"', options, f">{number}.out 2>{number}.err; echo $?"]))
            ran = run_on(directory / "tree", "sh", "-c", "\n".join(script), directory=directory, PROGRAM=PROGRAM)
            for number, status in enumerate(map(int, ran.stdout.split())):
                prints, says = ((directory / f"{number}.{ending}").read_text() for ending in ("out", "err"))
                yield Result(list(filter(None, re.split(r"(?<=</hostdev>\n)", prints))), says.splitlines(), status)

    def check_cases(self):
        results = list(self.results())
        for name, run, addresses, expected in self.cases:
            result = results[run] if WRONG in expected.says else results[run].without_table()
            expected, came = expected.text(), result.about(addresses).text()
            check(name, expected == came, "expected:", *expected, "came:", *came)
        every = [address for _, _, addresses, _ in self.cases for address in addresses or []]
        results = [result.without_table() for result in results]
        if every:
            check("nothing else is done", all(result[:2] == result.about(every)[:2] for result in results), *results)
            actions = [text.split()[0] for result in results for text in result.prints]
            check("everything is taken out before anything is put in", actions == sorted(actions, reverse=True), *actions)


def machine(running=(), off=()):
    """From here on the cases have a machine of their own, where libvirt has these domains."""
    machines.append(Machine(running, off))


def case(name, run, *changes, plugged=(), held={}, prints="", says=(), status=0):
    """What comes of a run: the changes, which -n prints and libvirt refuses otherwise; and all else that it prints and says."""
    machines[-1].add(name, plugged, held)
    machines[-1].expect(name, run, None, result_of(run, changes, prints, says, status))


def settles(name, *changes, plugged=(), held={}, says=()):
    """What -s does about this, whatever else there is on the machine, and -n -s prints; and what both say."""
    addresses = machines[-1].add(name, plugged, held)
    for run in command("-s"), command("-n -s"):
        machines[-1].expect(f"{run[0]}: {name}", run, addresses, result_of(run, changes, says=says)._replace(status=None))


def run_cases():
    for each in machines:
        each.check_cases()
    done_testing()
