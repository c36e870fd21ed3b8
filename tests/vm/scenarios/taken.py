"""What a person takes back from a domain, gives it again, and moves to another; and what a program of the host's has."""

import re

from .helpers import BUS, QEMU_OF_VM1, SHARED, TABLE, has_driver, other_table, without_the_program

PROGRAM = "libvirt-usb-hotplug"
AS_MEMBER = "setpriv --reuid member --regid member --init-groups"
# USBDEVFS_CLAIMINTERFACE of linux/usbdevice_fs.h, for interface 0.
CLAIM = """perl -e 'open(my $node, "+<", shift) or die; my $interface = pack("I", 0);
	ioctl($node, 0x8004550f, $interface) or die; sleep' """

MARK = """perl -e 'exit(syscall(188, shift, my $name = "security.lab", my $value = "", 0, 0) < 0)' """  # setxattr(2)


def _status(lab, options):
    """The program's exit status, and what it said."""
    *said, status = lab.run(f"{PROGRAM} {options}; echo $?").splitlines()
    return int(status), "\n".join(said)


def _assert_status(lab, options, expected):
    status, said = _status(lab, options)
    assert status == expected, (options, status, said)
    return said


def _list(lab):
    return lab.run(f"{PROGRAM} -l", check=False)


def what_was_taken_back_stays_with_the_host_whatever_happens_until_it_is_replugged_or_given_again(lab):
    lab.run(f"grep -q enforce /proc/$(pidof {lab.daemon})/attr/current")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")
    _assert_status(lab, "-d 1-1", 0)
    lab.wait_held("vm1")
    has_driver(lab, "1-1:1.0", "usbhid")
    assert "vm1: taken back" in _list(lab), _list(lab)
    # Port 4 is the domain's too, and shows that it was put in line.
    lab.run(lab.init.stop_libvirtd)
    lab.plug("4")
    lab.wait_plugged("1-4")
    lab.run(lab.init.start_libvirtd)
    lab.wait_held("vm1", "1-4")
    lab.run(f"{PROGRAM} -s && udevadm trigger -s usb -c add")
    lab.settle()
    lab.run("virsh -q reset vm1")
    lab.wait_held("vm1", "1-4")
    lab.restart_domain("vm1")
    lab.wait_held("vm1", "1-4")
    with other_table(lab, TABLE.replace(f'"vm1",     "{BUS}/1-1"', f'"vm2",     "{BUS}/1-1"')):
        lab.run(f"{PROGRAM} -s")
        lab.wait_held("vm2")
    lab.wait_held("vm1", "1-4")
    lab.pull("1")
    # While the host's driver has it, a replug within a moment may pass for a mere reset.
    lab.wait_pulled("1-1")
    lab.plug("1")
    lab.wait_held("vm1", "1-1", "1-4")
    _assert_status(lab, "-d 1-1", 0)
    lab.wait_held("vm1", "1-4")
    _assert_status(lab, "-a 1-1", 0)
    lab.wait_held("vm1", "1-1", "1-4")
    lab.run(f"{PROGRAM} -s")
    assert "vm1: held" in _list(lab) and "taken back" not in _list(lab), _list(lab)
    lab.assert_no_complaint()


def what_is_held_is_given_again_as_by_a_replug_and_a_hub_is_all_that_is_behind_it(lab):
    lab.plug("1")
    lab.plug("4", "usb-hub")
    lab.plug("4.2")
    lab.plug("4.3")
    lab.wait_held("vm1", "1-1", "1-4.2")
    lab.wait_held("vm2", "1-4.3")
    lab.mark()
    _assert_status(lab, "-a 1-1", 0)
    lab.wait_held("vm1", "1-1", "1-4.2")
    lab.assert_log("info: vm1: detached 1-1 .*", "info: vm1: attached 1-1 .*")
    _assert_status(lab, "-d 1-4", 0)
    lab.wait_held("vm1", "1-1")
    lab.wait_held("vm2")
    lab.plug("4.1")
    lab.wait_held("vm1", "1-1", "1-4.1")
    _assert_status(lab, "-a 1-4.2", 0)
    lab.wait_held("vm1", "1-1", "1-4.1", "1-4.2")
    _assert_status(lab, "-a 1-4", 0)
    lab.wait_held("vm1", "1-1", "1-4.1", "1-4.2")
    lab.wait_held("vm2", "1-4.3")
    lab.assert_no_complaint()


def what_domains_share_goes_to_the_one_that_a_person_names_if_that_runs(lab):
    with other_table(lab, SHARED):
        lab.plug("1")
        lab.plug("4")
        lab.wait_held("vm1", "1-1", "1-4")
        _assert_status(lab, "-a 1-1 vm2", 0)
        lab.wait_held("vm2", "1-1")
        lab.wait_held("vm1", "1-4")
        lab.run(f"{PROGRAM} -s")
        _assert_status(lab, "-a 1-1", 0)
        lab.wait_held("vm2", "1-1")
        _assert_status(lab, "-a 1-4 vm2", 2)
        _assert_status(lab, "-a 1-11", 2)
        _assert_status(lab, "-d 1-11", 2)
        lab.plug("11")
        lab.wait_plugged("1-11")
        _assert_status(lab, "-a 1-11", 2)
        _assert_status(lab, "-d 1-11", 0)
        lab.run("virsh -q destroy vm1")
        said = _assert_status(lab, "-a 1-1 vm1", 1)
        assert "vm1" in said, said
        lab.wait_held("vm2", "1-1")
        _assert_status(lab, "-d 1-1", 0)
        lab.wait_held("vm2")
        _assert_status(lab, "-a 1-1 vm1", 1)
        lab.run("virsh -q destroy vm2")
        lab.run("virsh -q start vm1", timeout=120)
        lab.wait_held("vm1", "1-4")
        lab.wait_inside("! pgrep libvirt-usb")
        assert lab.state("vm1")[0] == ["1-4"], lab.state("vm1")
        _assert_status(lab, "-a 1-1", 0)
        lab.wait_held("vm1", "1-1", "1-4")


def what_was_taken_back_is_left_alone_by_whoever_may_not_mark_it_and_who_may_not_takes_nothing_back(lab):
    lab.run("useradd -G libvirt member")
    for port in "1", "4":
        lab.plug(port)
    lab.wait_held("vm1", "1-1", "1-4")
    lab.run(f"{PROGRAM} -d 1-1")
    lab.wait_held("vm1", "1-4")
    lab.run(f"{AS_MEMBER} {PROGRAM} -s")
    lab.wait_inside(f"{AS_MEMBER} {PROGRAM} -l | grep 'vm1: taken back'")
    lab.wait_held("vm1", "1-4")
    # Debian 12's kernel asks nobody for rights to that, it seems where it has the LSM "bpf", whose answer passes for a yes.
    if lab.run(f"{AS_MEMBER} {MARK} /dev/bus/usb/001/001; echo $?") == "0\n":
        print("# left out: this kernel lets anybody mark a device", flush=True)
    else:
        for options in "-d 1-4", "-a 1-1":
            text = lab.run(f"{AS_MEMBER} {PROGRAM} {options}; echo status $?")
            assert "status 1" in text and options[-3:] in text, text
        lab.run(f"{PROGRAM} -s")
        lab.wait_held("vm1", "1-4")
    lab.run("userdel member")


def what_a_domain_could_not_give_back_because_it_did_not_answer_is_taken_from_it_by_the_next_sync(lab):
    with other_table(lab, TABLE.replace("timeout = 10", "timeout = 4")):
        lab.plug("1")
        lab.wait_held("vm1", "1-1")
        with lab.stopped_process(QEMU_OF_VM1):
            lab.run("virsh -q qemu-monitor-command vm1 --hmp info status >/dev/null 2>&1 &")
            lab.run(f"{PROGRAM} -d 1-1", check=False)
            assert "taken back" in _list(lab), _list(lab)
        lab.wait_inside("! pgrep virsh")
        lab.run(f"{PROGRAM} -s")
        lab.wait_held("vm1")
        has_driver(lab, "1-1:1.0", "usbhid")


def a_device_that_a_program_has_claimed_is_an_error_once_and_is_attached_when_the_program_lets_go(lab):
    with without_the_program(lab):
        lab.plug("1", "usb-ccid")
        lab.wait_plugged("1-1")
        node = lab.run("printf /dev/bus/usb/001/%03d $(cat /sys/bus/usb/devices/1-1/devnum)")
        lab.run(f"{CLAIM} {node} >/dev/null 2>&1 &")
        has_driver(lab, "1-1:1.0", "usbfs")
    lab.mark()
    lab.run("udevadm trigger -s usb -c add")
    lab.wait_logged(rf"error: vm1: did not attach 1-1 \(08e6:4433, .*\): .*{node}.*")
    text = _list(lab)
    assert re.search("vm1: .*claimed", text), text
    # The service tries again after 5 and 10 s.
    lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge 10 ]")
    lab.wait_held("vm1")
    errors = [line for line in lab.log() if line.startswith("error")]
    assert len(errors) == 1, lab.log()
    lab.run("pkill -x perl")
    lab.wait_held("vm1", "1-1", seconds=30)
