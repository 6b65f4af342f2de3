#!/usr/bin/env python3
"""Measures what building the program costs, crate by crate, and prints the table of docs/BUILD.md between markers.

    python3 benches/build.py [CARGO ARGUMENTS..]

It builds everything from nothing in a temporary folder. The unit is processor time, user and system, so that other work on
the machine matters little. Cargo calls this script in place of the compilers, which it runs and times.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

ROWS = 16


def compile_and_log(command, log):
    """Runs a compiler and appends its crate and processor time to the log."""
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if "--crate-name" in command:
        crate = command[command.index("--crate-name") + 1]
    else:
        # A build script compiles C in the folder of its package, which ends in the version.
        crate = os.path.basename(os.getcwd()).rsplit("-", 1)[0].replace("-", "_") + " (C)"
    with open(log, "a") as file:
        file.write(json.dumps([crate, usage.ru_utime + usage.ru_stime]) + "\n")
    sys.exit(os.waitstatus_to_exitcode(status))


def build(arguments):
    """Returns the processor seconds of each crate of a release build, and of everything that is not a compiler."""
    script = os.path.abspath(__file__)
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "times")
        environment = dict(os.environ, CARGO_TARGET_DIR=folder, CARGO_INCREMENTAL="0", HARD_IMAGENET_BUILD_LOG=log)
        environment.update(RUSTC_WRAPPER=script, CC=f"{script} cc")
        before = os.times()
        subprocess.run(["cargo", "build", "--release", "--locked", *arguments], env=environment, check=True)
        after = os.times()
        total = after.children_user + after.children_system - before.children_user - before.children_system
        seconds = collections.Counter()
        with open(log) as file:
            for line in file:
                crate, time = json.loads(line)
                # Cargo asks the compiler a few questions without building a crate.
                seconds["" if crate == "___" else crate] += time
    return seconds, total


def main():
    log = os.environ.get("HARD_IMAGENET_BUILD_LOG")
    if log:
        compile_and_log(sys.argv[1:], log)
    seconds, total = build(sys.argv[1:])
    ours = sum(time for crate, time in seconds.items() if crate.startswith("hard_imagenet"))
    rows = [(f"`{crate}`", time) for crate, time in seconds.most_common() if crate and not crate.startswith("hard_imagenet")]
    rest = total - ours - sum(time for _, time in rows[:ROWS])
    print("<!-- begin: build -->")
    print("| crate | processor seconds |\n|---|--:|")
    for name, time in [*rows[:ROWS], ("the other dependencies, build scripts, linking", rest), ("this workspace", ours)]:
        print(f"| {name} | {time:.1f} |")
    print(f"| **total** | **{total:.0f}** |")
    print("<!-- end: build -->")


main()
