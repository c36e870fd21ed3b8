"""For tests: says in TAP what came of them, and runs programs on a machine of describe's, as umockdev shows it."""

import errno
import importlib.machinery
import importlib.util
import os
import pathlib
import pty
import subprocess
import sys

loader = importlib.machinery.SourceFileLoader("describe", str(pathlib.Path(__file__).parent / "describe"))
describe = importlib.util.module_from_spec(importlib.util.spec_from_loader("describe", loader))
loader.exec_module(describe)

results = []


def check(name, passed, *details):
    results.append(passed)
    print(f"{'ok' if passed else 'not ok'} {len(results)} - {name}", flush=True)
    if not passed:
        # prove shows stderr alone.
        print("\n".join(f"# {line}" for detail in [name, *details] for line in str(detail).splitlines()), file=sys.stderr)


def done_testing():
    print(f"1..{len(results)}")


def run_on(tree, *arguments, locale="C.UTF-8", directory=None, **environment):
    """Runs a program on a machine's tree."""
    return subprocess.run(["umockdev-run", "-d", tree, "--", *arguments], env=with_locale(locale, **environment),
                          capture_output=True, cwd=directory)


def print_on_terminal(tree, script):
    """What a shell's script prints there, where its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(["umockdev-run", "-d", tree, "--", "sh", "-c", f"stty -onlcr <&1; {script}"],
                          env=with_locale("C.UTF-8"), stdout=theirs):
        os.close(theirs)
        printed = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)
    return printed.decode(errors="surrogateescape")


def read(terminal):
    """Reads from a terminal; when nobody has its other side open, that is an error of its own."""
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def with_locale(locale, **environment):
    """An environment. The sanitizer, where there is one, need not be the first library."""
    return {**os.environ, "LC_ALL": locale, **environment,
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_stack_use_after_return=1"}
