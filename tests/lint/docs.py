# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Documents stay true: usage: docs.py [--root DIR]

Links between files lead somewhere. Each numbered claim of docs/threat-model.md names tests, and every test it names exists:
`Suite.Claim` is a GoogleTest case, `test_claim` a function of tests/e2e, `4-2-claim` a script of tests/acceptance,
`lint.name` and the like a test of CTest.
"""

import argparse
import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CLAIM = re.compile(r"^\| (\d+) \|.*\| ([^|]*) \|$")
CODE = re.compile(r"`([^`]+)`")
GTEST = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+)\s*,\s*(\w+)\s*\)")


def test_names(root: pathlib.Path) -> set[str]:
    names = {path.name for path in (root / "tests/acceptance").glob("[0-9]*-*")}
    for path in (root / "tests").rglob("*.cpp"):
        names.update(f"{suite}.{name}" for suite, name in GTEST.findall(path.read_text(encoding="utf-8")))
    for path in (root / "tests").rglob("*.py"):
        names.update(re.findall(r"^\s*(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))
    for path in (root / "tests").rglob("CMakeLists.txt"):
        text = path.read_text(encoding="utf-8")
        names.update(re.findall(r"add_test\(NAME ([\w.]+)", text))
        names.update(f"lint.{name}" for name in re.findall(r"waxwing_lint\(NAME (\w+)", text))
    return names


def broken_links(root: pathlib.Path) -> list[str]:
    found = []
    for path in [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("src/*/README.md")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for target in LINK.findall(line):
                if "://" not in target and not (path.parent / target).exists():
                    found.append(f"{path.relative_to(root)}:{number}: leads nowhere: {target}")
    return found


def unshown_claims(root: pathlib.Path) -> list[str]:
    found, known, seen = [], test_names(root), set()
    path = root / "docs/threat-model.md"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = CLAIM.match(line)
        if not match:
            continue
        where = f"docs/threat-model.md:{number}"
        claim, tests = match.group(1), CODE.findall(match.group(2))
        if claim in seen:
            found.append(f"{where}: a second claim {claim}")
        seen.add(claim)
        if not tests:
            found.append(f"{where}: no test shows claim {claim}")
        found += [f"{where}: there is no test {name}" for name in tests if name not in known]
    if not seen:
        found.append("docs/threat-model.md:1: holds no numbered claim")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent.parent)
    root = parser.parse_args().root.resolve()
    found = broken_links(root) + unshown_claims(root)
    for problem in found:
        print(problem)
    print(f"{len(found)} untrue places in the documents")
    return 1 if found else 0


sys.exit(main())
