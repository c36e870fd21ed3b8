#!/usr/bin/env python3
"""What -l, -s and events make of the USB trees of machines. PROGRAM is the program; a list is compared with that in expected/."""

import os
import pathlib
import re
import subprocess
import tempfile
import unicodedata

from tap import check, describe, done_testing, run_on

HERE = pathlib.Path(__file__).parent
PROGRAM = os.environ["PROGRAM"]
COMPILE = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", '-DVERSION="1"', *subprocess.run(
    ["pkg-config", "--cflags", "libxml-2.0"], check=True, capture_output=True, text=True).stdout.split()]
TABLE = """static const char uri[] = "qemu:///system?socket=libvirt-sock";
static const unsigned int timeout = 1;
static const struct port ports[] = {{
{rows}
}};
"""


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def check_list(name, tree, directory):
    listed = run_on(tree, PROGRAM, "-l")
    text = listed.stdout.decode(errors="surrogateescape")
    expected = HERE / "expected" / name
    if "ACCEPT" in os.environ:
        expected.write_bytes(listed.stdout)
    check(f"{name}: the list is as expected", listed.returncode == 0 and listed.stdout == expected.read_bytes(),
          text, listed.stderr.decode())
    wide = [line for line in text.splitlines() if width(line) > 80 or line != line.rstrip()]
    check(f"{name}: at most 80 columns, and no blanks at line ends", not wide, *wide)
    control = [character for character in text.replace("\n", "") if unicodedata.category(character)[0] == "C"]
    check(f"{name}: no control characters", not control, *map(ascii, control))
    synced = run_on(tree, PROGRAM, "-n", "-s")
    check(f"{name}: without libvirt a sync is one line", synced.returncode == 0 and not synced.stdout
          and synced.stderr.count(b"\n") == 1, synced)
    check_rows(name, text, directory)


def check_rows(name, text, directory):
    """Every device that has rows is owned by its first one, when these are the table."""
    rows = re.findall(r'\{ "DOMAIN",[^}]*\},', text)
    (directory / "config.h").write_text(TABLE.format(rows="\n".join(
        row.replace("DOMAIN", f"row{number}") for number, row in enumerate(rows))))
    program = directory / "program"
    subprocess.run([*COMPILE, f'-DCONFIG="{directory}/config.h"', *(HERE.parent.parent / "src").glob("*.c"), "-o", program,
                    "-ldl"], check=True)
    wrong = []
    for number, row in enumerate(rows):
        path = "".join(re.findall(r'"([^"]*)"', row)[1:])
        event = {**os.environ, "ACTION": "add", "DEVPATH": path, "BUSNUM": "1", "DEVNUM": "2"}
        answer = subprocess.run([program, "-n"], env=event, capture_output=True, text=True)
        if not answer.stdout.startswith(f"attach row{number} 1 2\n"):
            wrong.append(f"{path}: {answer}")
    check(f"{name}: each row owns what it is for", not wrong, *wrong)


def main():
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        for machine in describe.MACHINES:
            tree = directory / machine.__name__
            tree.write_text(str(machine()))
            check_list(machine.__name__, tree, directory)
        ascii_only = run_on(directory / "hostile_strings", PROGRAM, "-l", locale="C").stdout
        check("in a locale without UTF-8 there is ASCII alone", ascii_only.isascii(), ascii_only)
    done_testing()


main()
