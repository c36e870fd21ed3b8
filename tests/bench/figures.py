"""Runs commands beside each other with hyperfine, and says how they compare."""

import json
import statistics


def compare(hyperfine, commands, rounds, *options):
    """Runs the commands, a dictionary by name, in rounds: in each, hyperfine times one after the other. hyperfine is
    a function that runs it with arguments and returns its JSON. Returns each command's median time, in ms, by round."""
    times = {name: [] for name in commands}
    for _ in range(rounds):
        report = json.loads(hyperfine(["--shell=none", "--style=none", *options, *commands.values()]))
        for name, result in zip(commands, report["results"]):
            times[name].append(1000 * result["median"])
    return times


def show(times):
    for name, rounds in times.items():
        print(f"  {name:48}{statistics.median(rounds):9.2f} ms", flush=True)


def show_ratio(times, name, baseline, goal=""):
    """Prints how many times the baseline's a command's time is, compared round for round."""
    low, median, high = statistics.quantiles([a / b for a, b in zip(times[name], times[baseline])])
    print(f"  {name} / {baseline}: {median:.2f}, half of the rounds from {low:.2f} to {high:.2f}{goal}", flush=True)
