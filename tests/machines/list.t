#!/usr/bin/env python3
"""What -l, -s and events make of the USB trees of machines. PROGRAM is the program; a list is compared with that in expected/."""

import itertools
import os
import pathlib
import re
import subprocess
import tempfile
import unicodedata

from tap import check, describe, done_testing, print_on_terminal, run_on

HERE = pathlib.Path(__file__).parent
PROGRAM = os.environ["PROGRAM"]
COMPILE = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", '-DVERSION="1"', *subprocess.run(
    ["pkg-config", "--cflags", "libxml-2.0"], check=True, capture_output=True, text=True).stdout.split()]
WIDTHS = [0, 60, 80, 132, 200]
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
    text = with_short_name(listed.stdout.decode(errors="surrogateescape"))
    expected = HERE / "expected" / name
    if "ACCEPT" in os.environ:
        expected.write_text(text, errors="surrogateescape")
    check(f"{name}: the list is as expected", listed.returncode == 0 and text == expected.read_text(errors="surrogateescape"),
          text, listed.stderr.decode())
    check_terminals(name, tree, text)
    control = [character for character in text.replace("\n", "") if unicodedata.category(character)[0] == "C"]
    check(f"{name}: no control characters", not control, *map(ascii, control))
    synced = run_on(tree, PROGRAM, "-n", "-s")
    check(f"{name}: without libvirt a sync is one line", synced.returncode == 0 and not synced.stdout
          and synced.stderr.count(b"\n") == 1, synced)
    check_rows(name, text, directory)


def with_short_name(text):
    """Names the table as on any machine."""
    return text.replace(str(pathlib.Path(__file__).absolute().parent / "config.h"), "config.h")


def check_terminals(name, tree, whole):
    """On a terminal the list is as wide as that, where its width isn't known 80 columns, and has all that the whole list has."""
    script = "for columns in {}; do stty columns $columns <&1; $PROGRAM -l; printf '\\f'; done"
    lists = dict(zip(WIDTHS, print_on_terminal(tree, script.format(" ".join(map(str, WIDTHS)))).split("\f")))
    check(f"{name}: on a terminal whose width isn't known it has 80 columns", lists.pop(0) == lists[80])
    for columns, text in lists.items():
        text, libvirt, words = with_short_name(text).rpartition("\nlibvirt could not be asked")
        wrong = [line for line in text.splitlines() if width(line) > columns or line != line.rstrip()]
        check(f"{name}: on {columns} columns no line is longer, or ends with blanks", not wrong, *wrong)
        lines = re.sub(r'"\n +"|\n +(?=/[^*])', "", text + libvirt + words).splitlines()
        wrong = [pair for pair in itertools.zip_longest(lines, whole.splitlines(), fillvalue="")
                 if not is_cut(*pair, whole.partition("\n")[0].find("belongs to"))]
        check(f"{name}: on {columns} columns nothing is missing but the ends of names", not wrong, *wrong)


def is_cut(line, whole, owner):
    """Whether the line is the whole one, but for what is missing in one place, and not from whom the port belongs to."""
    line, at_end, whole = " ".join(line.split()), width(whole) <= owner, " ".join(whole.split())
    before = len(os.path.commonprefix([line, whole]))
    after = len(os.path.commonprefix([line[::-1], whole[::-1]]))
    return line == whole or (before + after >= len(line) and (at_end or line.split()[-1] == whole.split()[-1]))


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
        taken = [run_on(directory / "laptop", PROGRAM, "-n", "-d", port).stderr for port in ("1-3", "2-4")]
        check("what is in a socket is taken back by the name of either side", b" 2-4 (" in taken[0] == taken[1], *taken)
        ascii_only = run_on(directory / "hostile_strings", PROGRAM, "-l", locale="C").stdout
        check("in a locale without UTF-8 there is ASCII alone", ascii_only.isascii(), ascii_only)
    done_testing()


main()
