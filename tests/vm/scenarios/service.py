"""The service, or without systemd the process, to which events leave what they could not do."""

import re

from .helpers import HEIR, LEFT, QEMU_OF_VM1, TABLE, other_table, without_the_program

HUNG = r"info: did not sync: libvirt did not answer within 2 s"


def the_service_tries_ever_more_slowly_says_so_once_and_looks_at_once_when_an_event_comes(lab):
    with other_table(lab, TABLE.replace("timeout = 10", "timeout = 2")):
        with lab.hung_libvirtd():
            lab.plug("1")
            lab.wait_logged(LEFT.format("vm1: did not attach 1-1", ".*"))
            assert any(line.endswith(f": left to {lab.init.heir}") for line in lab.log()), lab.log()
            # 2 s for each try, and 5, 10 and 20 s between them.
            lab.wait_inside(f"[ $(($(date +%s) - {lab.marked})) -ge 30 ]")
            said = [line for line in lab.log() if re.fullmatch(HUNG, line)]
            assert len(said) == 1, lab.log()
        lab.plug("2")
        lab.wait_held("vm2", "1-2")
        lab.wait_held("vm1", "1-1", seconds=10)
    lab.wait_inside("! pgrep libvirt-usb")
    lab.assert_no_complaint()


def whichever_process_of_the_service_is_killed_nothing_is_lost(lab):
    # Without systemd nobody starts the process anew that was killed; but the child that it tries in may die.
    for victim in [HEIR] * lab.init.restarts_what_is_killed + [f"$(pgrep -P {HEIR})"]:
        with lab.hung_libvirtd():
            lab.plug("1")
            lab.wait_logged(LEFT.format("vm1: did not attach 1-1", ".*"))
            lab.wait_inside(f"pgrep -P {HEIR}")
            lab.run(f"kill -KILL {victim}")
        lab.wait_held("vm1", "1-1")
        lab.pull("1")
        lab.wait_held("vm1")
        lab.mark()


def _seconds_to_stop(lab):
    return float(lab.run(f"start=$(date +%s.%N); ({lab.init.stop_retrying}) >/dev/null; "
                         "echo $(date +%s.%N) $start | awk '{ print $1 - $2 }'"))


def stopping_the_service_waits_for_the_change_under_way_and_no_longer(lab):
    with without_the_program(lab):
        lab.plug("1")
        lab.plug("4")
        lab.wait_plugged("1-1", "1-4")
    with lab.hung_libvirtd():
        lab.run(lab.init.start_retrying)
        lab.wait_inside(f"pgrep -P {HEIR}")
        assert _seconds_to_stop(lab) < 3
    with lab.stopped_process(QEMU_OF_VM1):
        lab.run(lab.init.start_retrying)
        lab.wait_inside("virsh -q domcontrol vm1 | grep -q ^occupied")
        lab.run("(sleep 2; pkill -CONT -f '" + QEMU_OF_VM1 + "') >/dev/null 2>&1 &")
        assert 1 < _seconds_to_stop(lab) < 15
    lab.wait_held("vm1", "1-1")
    lab.assert_log(r"info: vm1: attached 1-1 .*")
    lab.run(lab.init.start_retrying)
    lab.wait_held("vm1", "1-1", "1-4")
