# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Every named check has a test that dies without it, and what is shipped has no such switch.

usage: run.py checks PROGRAM             PROGRAM holds the tests of all checks; WAXWING_DISABLED_CHECK names one to switch off
       run.py shipped PROGRAM BINARY...  the switch is in PROGRAM and in none of the binaries
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

SWITCH = "WAXWING_DISABLED_CHECK"
MARKS = (SWITCH.encode(), b"waxwing_check_is_disabled")
# Thousands of flipped bits test the parsers, not one check.
FILTER = "--gtest_filter=-*Exhaustive.*"


def run(program: str, disabled: str | None) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in (SWITCH, "GTEST_OUTPUT")}
    command = [program, FILTER, "--gtest_brief=1"]
    if disabled is not None:
        environment[SWITCH] = disabled
        command.append("--gtest_fail_fast")
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def killer(result: subprocess.CompletedProcess) -> str | None:
    """The test that noticed, or None when all passed or the program died of something else."""
    match = re.search(r"^\[  FAILED  \] (\S+?)(?: \(|$)", result.stdout, re.MULTILINE)
    return match.group(1) if result.returncode == 1 and match else None


def checks(program: str) -> int:
    listed = subprocess.run([program, "--list-checks"], capture_output=True, text=True, check=True)
    names = listed.stdout.split()
    whole = run(program, None)
    if whole.returncode != 0 or not names:
        print(whole.stdout + whole.stderr)
        print("The tests do not pass as they are.")
        return 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(names, pool.map(lambda name: run(program, name), names)))
    survivors = []
    for name, result in results.items():
        test = killer(result)
        print(f"{name:32} {test or 'NOTHING NOTICED (exit code %d)' % result.returncode}")
        if test is None:
            survivors.append(name)
    print(f"mutation: {len(names) - len(survivors)} of {len(names)} checks have a test that dies without them")
    return 1 if survivors else 0


def shipped(program: str, binaries: list[str]) -> int:
    for mark in MARKS:
        if mark not in pathlib.Path(program).read_bytes():
            print(f"The search is blind: {mark.decode()} is not in {program}.")
            return 1
    found = [f"{mark.decode()} is in {binary}" for binary in binaries for mark in MARKS
             if mark in pathlib.Path(binary).read_bytes()]
    print("\n".join(found) or f"No switch in {', '.join(binaries)}.")
    return 1 if found else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["checks", program]:
            sys.exit(checks(program))
        case ["shipped", program, *binaries] if binaries:
            sys.exit(shipped(program, binaries))
        case _:
            sys.exit(__doc__)
