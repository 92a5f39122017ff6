# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include against the drawn layers: usage: layering.py --graph build/<preset>/modules.json [--root DIR]

1. An edge declared in CMake must be allowed by layers.json (directly, or through what the named modules may include).
2. An #include of another module needs a declared edge; in a public header a PUBLIC one.
3. src/<module>/ is private: a quoted include names a public header or a file of the same module.
4. Third-party headers appear where layers.json says, and only those it knows.
5. Pure modules (layer 1) include nothing that does I/O or reads a clock or randomness.
"""

import argparse
import json
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)
SUFFIXES = {".hpp", ".cpp", ".h", ".inc"}


def closure(starts: list[str], edges: dict[str, list[str]]) -> set[str]:
    reached, todo = set(), list(starts)
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo.extend(edges.get(name, []))
    return reached


class Lint:
    def __init__(self, root: pathlib.Path, rules: dict, graph: dict):
        self.root = root
        self.rules = rules
        self.graph = graph
        self.modules = rules["modules"]
        self.problems: list[str] = []
        public = {name: deps["public"] for name, deps in graph.items()}
        self.public_reach = {name: closure(deps["public"], public) for name, deps in graph.items()}
        self.reach = {name: closure(deps["public"] + deps["private"], public) for name, deps in graph.items()}

    def report(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}")

    def check_declared_edges(self) -> None:
        allowed = {name: rule["may_include"] for name, rule in self.modules.items()}
        for name, deps in self.graph.items():
            if name not in self.modules:
                self.report(f"src/{name}/CMakeLists.txt", f'module "{name}" has no layer in tests/lint/layers.json')
                continue
            for dep in deps["public"] + deps["private"]:
                if dep not in closure(allowed[name], allowed):
                    self.report(f"src/{name}/CMakeLists.txt", f'"{name}" may not depend on "{dep}"')

    def check_tree(self) -> None:
        for top in ("include/waxwing", "src"):
            for directory in sorted((self.root / top).iterdir()):
                if not directory.is_dir():
                    continue
                for path in sorted(directory.rglob("*")):
                    if path.suffix in SUFFIXES:
                        self.check_file(path, directory.name)

    def check_file(self, path: pathlib.Path, module: str) -> None:
        where = path.relative_to(self.root).as_posix()
        if module not in self.graph and module not in self.rules["executables"]:
            self.report(where, f'"{module}" is not a module declared with waxwing_module()')
            return
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(match.lastindex)) + 1
            angled, quoted = match.groups()
            problem = self.check_include(where, module, angled, quoted)
            if problem:
                self.report(f"{where}:{line}", problem)

    def check_include(self, where: str, module: str, angled: str | None, quoted: str | None) -> str | None:
        if quoted is not None:
            if quoted.startswith("waxwing/"):
                return self.check_public_header(where, module, quoted)
            return self.check_private_header(where, module, quoted)
        if angled.startswith("waxwing/"):
            return f"<{angled}>: our own headers are included with quotes"
        return self.check_foreign_header(where, module, angled)

    def check_public_header(self, where: str, module: str, header: str) -> str | None:
        target = header.split("/")[1]
        in_public_header = where.startswith("include/")
        if header in self.rules["sources_only_headers"] and in_public_header:
            return f'"{header}" is for sources, not for public headers'
        if not (self.root / "include" / header).exists():
            return f'"{header}" does not exist'
        if target == module:
            return None
        if module in self.rules["executables"]:
            roots = self.rules["executables"][module]
            reach = set(roots).union(*(self.reach.get(name, set()) for name in roots))
        else:
            reach = (self.public_reach if in_public_header else self.reach)[module]
        if target in reach:
            return None
        kind = "PUBLIC_DEPS" if in_public_header else "PUBLIC_DEPS or PRIVATE_DEPS"
        return f'"{module}" includes "{header}", but "{target}" is not in its {kind}'

    def check_private_header(self, where: str, module: str, header: str) -> str | None:
        own = self.root / "src" / module
        for base in (own, (self.root / where).parent):
            candidate = (base / header).resolve()
            if candidate.is_file() and candidate.is_relative_to(own.resolve()) and where.startswith("src/"):
                return None
        return f'"{header}" is neither a public header nor a private one of "{module}"'

    def check_foreign_header(self, where: str, module: str, header: str) -> str | None:
        layer = self.modules.get(module, {"layer": 3})["layer"]
        for library in self.rules["libraries"]:
            if header.startswith(tuple(library["prefixes"])):
                return self.check_library(where, layer, header, library)
        is_standard = "/" not in header or header.startswith(("sys/", "netinet/", "arpa/", "linux/", "net/"))
        if not is_standard:
            return f"<{header}> belongs to no library that tests/lint/layers.json knows"
        if layer == 1 and (header in self.rules["not_in_pure_modules"] or
                           header.startswith(tuple(p for p in self.rules["not_in_pure_modules"] if p.endswith("/")))):
            return f"<{header}> in a pure module: no I/O, clock or randomness of its own"
        return None

    @staticmethod
    def check_library(where: str, layer: int, header: str, library: dict) -> str | None:
        if where in library.get("except", []):
            return None
        if library["where"] == "sources" and where.startswith("include/"):
            return f"<{header}>: {library['name']} stays out of public headers"
        if "only_in" in library and not where.startswith(tuple(library["only_in"])):
            return f"<{header}>: {library['name']} belongs to {', '.join(library['only_in'])} alone"
        if "layers" in library and layer not in library["layers"]:
            return f"<{header}>: {library['name']} belongs to layers {library['layers']}"
        return None


def main() -> int:
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graph", type=pathlib.Path, required=True)
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    arguments = parser.parse_args()

    rules = json.loads((here / "layers.json").read_text(encoding="utf-8"))
    graph = json.loads(arguments.graph.read_text(encoding="utf-8"))
    lint = Lint(arguments.root.resolve(), rules, graph)
    lint.check_declared_edges()
    lint.check_tree()
    for problem in lint.problems:
        print(problem)
    print(f"{len(graph)} modules, {len(lint.problems)} violations of the layers")
    return 1 if lint.problems else 0


sys.exit(main())
