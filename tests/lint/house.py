# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Small rules of the house, over every file of the project: usage: house.py [--root DIR] [FILE...]

Two SPDX lines head each source, script and build file; a header says #pragma once; nothing is left unfinished; no file
names a package registry's host (a mirror is the machine's configuration, not ours); a module has its page.
"""

import argparse
import pathlib
import re
import subprocess
import sys

SPDX = ("SPDX-FileCopyrightText: The Waxwing authors", "SPDX-License-Identifier: Apache-2.0")
SUFFIXES = {".cpp", ".hpp", ".py", ".sh", ".cmake"}
# Written in pieces, so that this file passes its own check.
REGISTRIES = re.compile("|".join(re.escape(".".join(parts)) for parts in (
    ("deb", "debian"), ("security", "debian"), ("py" + "pi", "org"), ("files", "pythonhosted"), ("registry", "npmjs"),
    ("proxy", "golang"), ("index", "crates"), ("static", "crates"), ("repo1", "maven"))))
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")


def files_of(root: pathlib.Path) -> list[pathlib.Path]:
    """Tracked files and those about to be; without git, all but the build tree."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.decode().split("\0")
        return [root / name for name in names if name and (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file() and "build" not in path.relative_to(root).parts[:1]]


def is_source(path: pathlib.Path, text: str) -> bool:
    return path.suffix in SUFFIXES or path.name == "CMakeLists.txt" or text.startswith("#!")


def problems_of(path: pathlib.Path, name: str) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []  # a fuzzing corpus or a picture
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := REGISTRIES.search(line):
            found.append(f"{name}:{number}: names a package registry's host ({match.group()})")
    if not is_source(path, text):
        return found
    head = "\n".join(text.splitlines()[:5])
    if not all(line in head for line in SPDX):
        found.append(f"{name}:1: lacks the two SPDX lines")
    if path.suffix == ".hpp" and "\n#pragma once\n" not in text:
        found.append(f"{name}:1: lacks #pragma once")
    for number, line in enumerate(text.splitlines(), 1):
        if match := UNFINISHED.search(line):
            found.append(f"{name}:{number}: unfinished ({match.group()})")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent.parent)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="only these (the pre-commit hook)")
    arguments = parser.parse_args()
    root = arguments.root.resolve()

    found = []
    files = [path.resolve() for path in arguments.files] or files_of(root)
    for path in files:
        found += problems_of(path, path.relative_to(root).as_posix())
    if not arguments.files:
        for build_file in sorted(root.glob("src/*/CMakeLists.txt")):
            if "waxwing_module(" in build_file.read_text(encoding="utf-8") and not (build_file.parent / "README.md").exists():
                found.append(f"{build_file.parent.relative_to(root)}: lacks its README.md")
    for problem in found:
        print(problem)
    print(f"{len(files)} files, {len(found)} problems")
    return 1 if found else 0


sys.exit(main())
