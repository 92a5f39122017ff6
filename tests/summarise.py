# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Counts test cases, not binaries: usage: summarise.py [--title WORD] [--quiet] RESULTS_DIR...

Each directory holds ctest.xml (ctest --output-junit) and, for a ctest NAME that is a binary of many cases, NAME.xml in
JUnit form (GoogleTest, pytest). Prints each skipped case with its reason, each failed one, and the closing line
"[WORD: ]N passed, N failed, N skipped". Exit code 1 if a case failed or none ran.

A ctest that ended badly without naming a failed case (a crash, a time-out, a sanitizer's report at exit) counts as a
failure of its own, so a binary that dies cannot be counted by what it managed to write.
"""

import argparse
import pathlib
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Tally:
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def reason_of(skipped: ElementTree.Element) -> str:
    """GoogleTest puts "file:line" on a line before the message; pytest puts the message in an attribute."""
    text = skipped.get("message") or skipped.text or ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def count_cases(name: str, path: pathlib.Path, tally: Tally) -> bool:
    """Adds the cases of one JUnit file; returns whether one of them failed."""
    some_failed = False
    for case in ElementTree.parse(path).iter("testcase"):
        label = f"{name}: {case.get('classname', '')}.{case.get('name', '')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed.append(label)
            some_failed = True
        elif skipped is not None:
            tally.skipped.append((label, reason_of(skipped)))
        elif case.get("status") == "notrun":
            tally.skipped.append((label, "disabled"))
        else:
            tally.passed += 1
    return some_failed


def count_whole(name: str, case: ElementTree.Element, tally: Tally) -> None:
    """A ctest that is one case, such as a lint or an acceptance script; these print "SKIP: reason" and exit 77."""
    status = case.get("status")
    if status == "run":
        tally.passed += 1
    elif status in ("notrun", "disabled"):
        output = case.findtext("system-out", default="")
        reasons = [line[len("SKIP: "):] for line in output.splitlines() if line.startswith("SKIP: ")]
        skipped = case.find("skipped")
        fallback = skipped.get("message", "not run") if skipped is not None else "not run"
        # A test that could not even be started (its binary is missing) is no skip.
        if reasons or "SKIP" in fallback or status == "disabled":
            tally.skipped.append((name, reasons[-1] if reasons else fallback))
        else:
            tally.failed.append(f"{name}: {fallback}")
    else:
        tally.failed.append(name)


def count(directory: pathlib.Path, tally: Tally) -> None:
    report = directory / "ctest.xml"
    if not report.exists():
        tally.failed.append(f"{report}: no test was run")
        return
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "")
        own = directory / f"{name}.xml"
        if not own.exists():
            count_whole(name, case, tally)
        elif not count_cases(name, own, tally) and case.get("status") == "fail":
            tally.failed.append(f"{name}: ended with an error outside of its cases")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--title", help="a word before the closing line")
    parser.add_argument("--quiet", action="store_true", help="the closing line only")
    parser.add_argument("directories", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    tally = Tally()
    for directory in arguments.directories:
        count(directory, tally)
    if not arguments.quiet:
        for name, reason in tally.skipped:
            print(f"skipped: {name}: {reason}")
        for name in tally.failed:
            print(f"FAILED: {name}")
    title = f"{arguments.title}: " if arguments.title else ""
    print(f"{title}{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failed or tally.passed + len(tally.skipped) == 0 else 0


sys.exit(main())
