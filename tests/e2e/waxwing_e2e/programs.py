# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""The two programs as a user starts them: configuration in, printed lines out."""

import fcntl
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
from typing import Any

SOURCE_DIR = pathlib.Path(os.environ.get("WAXWING_SOURCE_DIR", pathlib.Path(__file__).parents[3]))
BUILD_DIR = pathlib.Path(os.environ.get("WAXWING_BUILD_DIR", SOURCE_DIR / "build" / "dev"))
BIN_DIR = pathlib.Path(os.environ.get("WAXWING_BIN_DIR", BUILD_DIR / "bin"))
START_GUARD = 120.0  # seconds until a program that says nothing counts as hung
MEASUREMENT_TEXT = "waxwing simulated guest"


def environment(home: pathlib.Path) -> dict[str, str]:
    """Everything a program may write by itself lands below `home`."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    runtime = home / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "WAXWING_GATEWAY_STATE") if name in os.environ}
    return {**kept, "HOME": str(home), "TMPDIR": str(temporary), "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"), "XDG_RUNTIME_DIR": str(runtime)}


def toml(tables: dict[str, dict[str, Any]]) -> str:
    """Two levels of tables; strings, numbers, truths and lists of strings are written alike in JSON and TOML."""
    lines = []
    for name, values in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


class Program:
    """A running program. Its standard output is read line by line, its standard error goes to a file."""

    def __init__(self, home: pathlib.Path, name: str, arguments: list[str]) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.log_file = home / f"{name}.log"
        self.output: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen([str(BIN_DIR / name), *arguments], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True, env=environment(home))
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def line(self, beginning: str) -> str:
        """The next line that begins so. Fails with the program's log if it ends first."""
        while True:
            line = self._lines.get(timeout=START_GUARD)
            if line is None:
                raise AssertionError(f"ended with {self.process.wait()} before \"{beginning}\":\n{self.log()}")
            if line.startswith(beginning):
                return line

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Asks it to end, as a service manager would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=START_GUARD)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))
            self._lines.put(self.output[-1])
        self._lines.put(None)


class SimulatedRoot:
    """State with the keys of a simulated root: made once (RSA takes its time), then shared by all test runs."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.state = directory / "state"
        self.certificate = directory / "root.pem"
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.certificate.exists():
                return
            staged = directory / "root.pem.new"
            gateway = Program(directory / "home", "waxwing-gateway",
                              ["serve", "--listen", "127.0.0.1:0", "--state-dir", str(self.state),
                               "--simulated-root-out", str(staged)])
            gateway.line("ready")
            gateway.stop()
            staged.rename(self.certificate)


class Gateway(Program):
    """waxwing-gateway with simulated evidence and, unless told otherwise, no outer TLS and reports without a pause."""

    def __init__(self, home: pathlib.Path, root: SimulatedRoot, engine_url: str,
                 tables: dict[str, dict[str, Any]] | None = None) -> None:
        config: dict[str, dict[str, Any]] = {
            "listen": {"address": ["127.0.0.1:0"], "tls": "plain", "drain": "1s"},
            "engine": {"url": engine_url},
            "evidence": {"source": "simulated"},
            "attestation": {"reports_per_second": 1000},
            "log": {"level": "debug"},
        }
        for name, values in (tables or {}).items():
            config.setdefault(name, {}).update(values)
        home.mkdir(parents=True, exist_ok=True)
        self.config_file = home / "gateway.toml"
        self.config_file.write_text(toml(config), encoding="utf-8")
        super().__init__(home, "waxwing-gateway",
                         ["serve", "--config", str(self.config_file), "--state-dir", str(root.state)])
        self.url = self.line("listening ").removeprefix("listening ")
        self.line("ready")


class Daemon(Program):
    """`waxwing serve` in front of one worker."""

    def __init__(self, home: pathlib.Path, worker_url: str, policy: pathlib.Path,
                 provider: dict[str, Any] | None = None, tables: dict[str, dict[str, Any]] | None = None) -> None:
        config: dict[str, dict[str, Any]] = {
            "listen": {"address": ["127.0.0.1:0"], "drain": "1s"},
            "log": {"level": "debug"},
        }
        for name, values in (tables or {}).items():
            config.setdefault(name, {}).update(values)
        config["[provider]"] = {"name": "test", "url": worker_url, "policy": str(policy), "tls": "plain",
                                **(provider or {})}
        home.mkdir(parents=True, exist_ok=True)
        self.config_file = home / "waxwing.toml"
        self.config_file.write_text(toml(config), encoding="utf-8")
        super().__init__(home, "waxwing", ["serve", "--config", str(self.config_file)])
        self.url = self.line("listening ").removeprefix("listening ")

    def ready(self) -> "Daemon":
        self.line("ready")
        return self


def run(home: pathlib.Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    return subprocess.run([str(BIN_DIR / name), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=environment(home), timeout=START_GUARD, check=False)
