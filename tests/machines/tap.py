"""For tests: says in TAP what came of them, and runs a program on a machine of describe's, as umockdev shows it."""

import importlib.machinery
import importlib.util
import os
import pathlib
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
    """Runs a program on a machine's tree. The sanitizer, where there is one, need not be the first library."""
    environment = {**os.environ, "LC_ALL": locale, **environment,
                   "ASAN_OPTIONS": "verify_asan_link_order=0:detect_stack_use_after_return=1"}
    return subprocess.run(["umockdev-run", "-d", tree, "--", *arguments], env=environment, capture_output=True, cwd=directory)
