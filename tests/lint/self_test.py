# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""The lints can fail: each rule is broken once in a copy of the tree, and must be reported there and nowhere else."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SPDX = "// SPDX-FileCopyrightText: The Waxwing authors\n// SPDX-License-Identifier: Apache-2.0\n"

# Planted file, its text, and what the report must say. Each breaks one rule of layering.py.
LAYERING = {
    "a public header reaches up": ("include/waxwing/base/planted.hpp", '#include "waxwing/crypto/hash.hpp"\n', '"crypto" is not in its'),
    "a source reaches up": ("src/base/planted.cpp", '#include "waxwing/crypto/hash.hpp"\n', '"crypto" is not in its'),
    "another module's private header": ("src/crypto/planted.cpp", '#include "../base/planted.hpp"\n', "neither a public header nor"),
    "OpenSSL outside of its owners": ("src/base/planted.cpp", "#include <openssl/evp.h>\n", "OpenSSL belongs to"),
    "OpenSSL in a public header": ("include/waxwing/crypto/planted.hpp", "#include <openssl/evp.h>\n", "stays out of public headers"),
    "JSON in a public header": ("include/waxwing/crypto/planted.hpp", "#include <nlohmann/json.hpp>\n", "stays out of public headers"),
    "the JSON reader in a public header": ("include/waxwing/crypto/planted.hpp", '#include "waxwing/base/json_strict.hpp"\n', "is for sources"),
    "an undeclared library": ("src/base/planted.cpp", "#include <absl/strings/str_cat.h>\n", "belongs to no library"),
    "sockets below the rim": ("src/crypto/planted.cpp", "#include <boost/asio/io_context.hpp>\n", "Boost.Asio belongs to layers"),
    "our header in angle brackets": ("src/crypto/planted.cpp", "#include <waxwing/base/bytes.hpp>\n", "included with quotes"),
    "an include that is not there": ("src/crypto/planted.cpp", '#include "waxwing/base/gone.hpp"\n', "does not exist"),
    "an undeclared module": ("src/planted/planted.cpp", "#include <string>\n", "is not a module declared"),
    "I/O in a pure module": ("src/evidence/planted.cpp", "#include <fstream>\n", "in a pure module"),
}

HOUSE = {
    "no SPDX lines": ("src/base/planted.cpp", "int planted = 0;\n", "lacks the two SPDX lines"),
    "no pragma once": ("include/waxwing/base/planted.hpp", SPDX, "lacks #pragma once"),
    "a registry's host": ("docs/planted.md", "see http://" + "deb." + "debian" + ".org/\n", "names a package registry's host"),
    "unfinished work": ("src/base/planted.cpp", SPDX + "// TO" + "DO later\n", "unfinished"),
}

DOCS = {
    "a link to nowhere": ("docs/planted.md", "see [this](gone.md)\n", "leads nowhere"),
}


def run(script: str, *arguments: str) -> tuple[int, list[str]]:
    result = subprocess.run([sys.executable, HERE / script, *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout.splitlines()[:-1]


class Copy:
    def __init__(self, directory: str):
        self.root = pathlib.Path(directory)
        for top in ("include", "src", "docs", "tests"):
            shutil.copytree(ROOT / top, self.root / top)
        self.failures: list[str] = []

    def expect(self, rule: str, planted: str, wanted: str, before: list[str], status: int, after: list[str]) -> None:
        new = [line for line in after if line not in before]
        if status == 0 or len(new) != 1 or wanted not in new[0] or not new[0].startswith(planted):
            self.failures.append(f"{rule}: expected one report at {planted} saying '{wanted}', found {new} and exit {status}")

    def plant(self, table: dict, script: str, *arguments: str) -> None:
        arguments = (*arguments, "--root", str(self.root))
        _, before = run(script, *arguments)
        for rule, (name, text, wanted) in table.items():
            path = self.root / name
            made_directory = not path.parent.exists()
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.expect(rule, name, wanted, before, *run(script, *arguments))
            path.unlink()
            if made_directory:
                path.parent.rmdir()

    def plant_edge(self, graph: dict) -> None:
        arguments = ("--root", str(self.root), "--graph", str(self.root / "graph.json"))
        before: list[str] = []
        for deps in ([], ["crypto"]):
            graph["base"]["private"] = deps
            (self.root / "graph.json").write_text(json.dumps(graph), encoding="utf-8")
            status, after = run("layering.py", *arguments)
            if not deps:
                before = after
        self.expect("an edge that points up", "src/base/CMakeLists.txt", 'may not depend on "crypto"', before, status, after)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        copy = Copy(directory)
        copy.plant(LAYERING, "layering.py", "--graph", str(arguments.graph))
        copy.plant(HOUSE, "house.py")
        copy.plant(DOCS, "docs.py")
        copy.plant_edge(json.loads(arguments.graph.read_text(encoding="utf-8")))
    for failure in copy.failures:
        print(failure)
    print(f"{len(LAYERING) + len(HOUSE) + len(DOCS) + 1} broken rules, {len(copy.failures)} not reported as they should be")
    return 1 if copy.failures else 0


sys.exit(main())
