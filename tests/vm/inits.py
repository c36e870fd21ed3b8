"""What the lab asks of a machine's init: libvirtd, or virtqemud in its place, what tries again, and the log."""

import json

# Started as a process of its own, by its command line; the oldest is the one that the others are children of.
RETRIER = "^/[^ ]*/libvirt-usb-hotplug -r$"


class Systemd:
    name = "systemd"
    heir = "libvirt-usb-hotplug.service"  # to whom events leave what they could not do, as the log has it
    restarts_what_is_killed = True
    version = "systemctl --version | sed -n '1s/[^(]*(\\(.*\\))/systemd \\1/p'"

    # Shell commands.
    start_retrying = "systemctl restart libvirt-usb-hotplug"
    stop_retrying = "systemctl stop libvirt-usb-hotplug"
    sync_log = "journalctl --sync"
    end_of_log = f"{sync_log}; journalctl -q -n 1 --show-cursor -o cat | tail -n 1"

    def __init__(self, daemon):
        # In this boot it has been active; idle, it may have left again.
        self.libvirtd_was_up = f"systemctl show -P ActiveEnterTimestampMonotonic {daemon} | grep -q '[1-9]'"
        self.stop_libvirtd = f"systemctl stop {daemon}.socket {daemon}-ro.socket {daemon}-admin.socket {daemon}"
        self.start_libvirtd = f"systemctl start {daemon}"
        self.restart_libvirtd = f"systemctl restart {daemon}"
        self.reload = f"systemctl daemon-reload; systemctl reload {daemon}"
        self.revive_libvirtd = f"until systemctl is-active {daemon}; do sleep 0.1; done"  # it does so itself
        self.last_words = f"journalctl -b -n 300 -o short-precise; systemctl status libvirt-usb-hotplug {daemon}"

    def entries(self, run, end):
        """The log's entries since its end was there, as (identifier, priority, message)."""
        fields = "SYSLOG_IDENTIFIER,PRIORITY,MESSAGE"
        cursor = end.removeprefix("-- cursor: ")
        for line in run(f"{self.sync_log}; journalctl -q --after-cursor='{cursor}' -o json --output-fields={fields}").splitlines():
            entry = json.loads(line)
            yield entry.get("SYSLOG_IDENTIFIER"), int(entry.get("PRIORITY", 6)), str(entry["MESSAGE"])


class SysV:
    name = "sysv"
    heir = "libvirt-usb-hotplug -r"
    restarts_what_is_killed = False
    version = "echo sysvinit $(dpkg-query -f '${Version}' -W sysvinit-core)"

    libvirtd_was_up = "virsh -q list"
    stop_libvirtd = "service libvirtd stop; while pgrep -x libvirtd; do sleep 0.1; done"
    start_libvirtd = "service libvirtd start"
    restart_libvirtd = f"{stop_libvirtd}; {start_libvirtd}"
    revive_libvirtd = f"while pgrep -x libvirtd; do sleep 0.1; done; {start_libvirtd}"
    reload = "pkill -HUP -x libvirtd"
    start_retrying = "setsid /usr/local/sbin/libvirt-usb-hotplug -r >/dev/null 2>&1 &"
    # As a shutdown does.
    stop_retrying = f"pkill -TERM -f '{RETRIER}'; while pgrep -f '{RETRIER}'; do sleep 0.01; done"
    # What was said before this is in the log when this is.
    sync_log = "logger -t lab now $$; until tail -n 1000 /var/log/lab | grep -qx \"lab 5 now $$\"; do sleep 0.05; done"
    end_of_log = f"{sync_log}; wc -l </var/log/lab"
    last_words = "ps ax; tail -n 300 /var/log/lab"

    def __init__(self, daemon):
        assert daemon == "libvirtd", f"{daemon} wants systemd"

    def entries(self, run, end):
        for line in run(f"{self.sync_log}; tail -n +{int(end) + 1} /var/log/lab").splitlines():
            name, _, rest = line.partition(" ")
            priority, _, message = rest.partition(" ")
            if name != "lab":
                yield name, int(priority), message


INITS = {init.name: init for init in (Systemd, SysV)}
