"""The service to which events leave what they could not do."""

from .helpers import LEFT


def when_the_services_tries_run_out_it_says_so_and_the_next_plug_has_new_ones(lab):
    directory = "/run/systemd/system/libvirt-usb-hotplug.service.d"
    lab.run(f"mkdir -p {directory} && printf '[Unit]\\nStartLimitBurst=2\\n' >{directory}/few.conf")
    lab.run("systemctl daemon-reload")
    try:
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            lab.plug("1")
            lab.wait_inside("systemctl is-failed libvirt-usb-hotplug.service", seconds=90)
            lab.run("journalctl -u libvirt-usb-hotplug.service | grep -q 'Start request repeated too quickly'")
        lab.plug("4")
        lab.wait_held("vm1", "1-4")
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            lab.pull("4")
            lab.wait_logged(LEFT.format("vm1: did not detach 1-4", ".*"))
        lab.wait_held("vm1", "1-1")
    finally:
        lab.run(f"rm -r {directory}; systemctl daemon-reload")


def a_restart_lets_a_run_of_the_service_come_to_its_end_however_long_that_takes(lab):
    directory = "/run/systemd/system.conf.d"
    # What the unit leaves unsaid would kill the run after a second.
    lab.run(f"mkdir -p {directory} && printf '[Manager]\\nDefaultTimeoutStopSec=1s\\n' >{directory}/impatient.conf")
    lab.run("systemctl daemon-reload")
    try:
        with lab.stopped_process("^/usr/sbin/libvirtd"):
            for _ in range(2):
                lab.run("systemctl restart libvirt-usb-hotplug.service")
            lab.assert_log(r"info: did not sync: libvirt did not answer within \d+ s")
    finally:
        lab.run(f"rm -r {directory}; systemctl daemon-reload")
