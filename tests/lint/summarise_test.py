# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""tests/summarise.py counts what happened, and never less than what went wrong."""

import pathlib
import subprocess
import sys
import tempfile

SUMMARISE = pathlib.Path(__file__).resolve().parent.parent / "summarise.py"


def case(name: str, status: str = "run", inside: str = "") -> str:
    return f'<testcase name="{name}" classname="{name}" status="{status}">{inside}</testcase>'


def suite(*cases: str) -> str:
    return f'<?xml version="1.0"?><testsuite>{"".join(cases)}</testsuite>'


def summary(files: dict[str, str], *arguments: str) -> tuple[int, list[str]]:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            (pathlib.Path(directory) / name).write_text(text, encoding="utf-8")
        result = subprocess.run([sys.executable, SUMMARISE, *arguments, directory], capture_output=True, text=True, check=False)
        return result.returncode, result.stdout.splitlines()


SKIPPED = '<skipped message="file.cpp:7&#x0A;no vectors here"/>'
EXPECTED = [
    ("cases are counted, not binaries", {"ctest.xml": suite(case("unit.a")), "unit.a.xml": suite(case("A"), case("B"))},
     0, "2 passed, 0 failed, 0 skipped"),
    ("a skipped case is told with its reason", {"ctest.xml": suite(case("unit.a")), "unit.a.xml": suite(case("A"), case("B", inside=SKIPPED))},
     0, "skipped: unit.a: B.B: no vectors here", "1 passed, 0 failed, 1 skipped"),
    ("a failed case fails the run", {"ctest.xml": suite(case("unit.a", "fail")), "unit.a.xml": suite(case("A"), case("B", inside="<failure/>"))},
     1, "FAILED: unit.a: B.B", "1 passed, 1 failed, 0 skipped"),
    ("a binary that leaves no cases is one failure", {"ctest.xml": suite(case("unit.a", "fail"), case("lint.b"))},
     1, "FAILED: unit.a", "1 passed, 1 failed, 0 skipped"),
    ("a bad end after good cases is a failure", {"ctest.xml": suite(case("unit.a", "fail")), "unit.a.xml": suite(case("A"))},
     1, "FAILED: unit.a: ended with an error outside of its cases", "1 passed, 1 failed, 0 skipped"),
    ("a script that skips says why", {"ctest.xml": suite(case("3-1-x", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/><system-out>SKIP: no such tool\n</system-out>'))},
     0, "skipped: 3-1-x: no such tool", "0 passed, 0 failed, 1 skipped"),
    ("a test that could not start is a failure", {"ctest.xml": suite(case("unit.a", "notrun", '<skipped message="Unable to find executable"/>'))},
     1, "FAILED: unit.a: Unable to find executable", "0 passed, 1 failed, 0 skipped"),
    ("no test at all is a failure", {"ctest.xml": suite()}, 1, "0 passed, 0 failed, 0 skipped"),
    ("no report is a failure", {}, 1, "0 passed, 1 failed, 0 skipped"),
]


def main() -> int:
    wrong = 0
    for claim, files, status, *lines in EXPECTED:
        got_status, got = summary(files)
        if got_status != status or got[-1] != lines[-1] or not set(lines) <= set(got):
            print(f"{claim}: expected {lines} and exit code {status}, found {got} and {got_status}")
            wrong += 1
    _, titled = summary({"ctest.xml": suite(case("vectors.a"))}, "--title", "vectors")
    if titled != ["vectors: 1 passed, 0 failed, 0 skipped"]:
        print(f"the title is missing: {titled}")
        wrong += 1
    print(f"{len(EXPECTED) + 1} claims, {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main())
