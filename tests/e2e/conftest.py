# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures. What a test starts ends with it; its files are below its own directory."""

import contextlib
import hashlib
import itertools
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from waxwing_e2e.engine import Engine
from waxwing_e2e.programs import BUILD_DIR, MEASUREMENT_TEXT, Daemon, Gateway, SimulatedRoot
from waxwing_e2e.relay import RecordingRelay, TamperingRelay

SIMULATED_MEASUREMENT = hashlib.sha384(MEASUREMENT_TEXT.encode()).hexdigest()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write", action="store_true", help="write the pages that tests make, then compare")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a real language model")


def shared_root(name: str) -> SimulatedRoot:
    base = pathlib.Path(os.environ.get("WAXWING_E2E_STATE", BUILD_DIR / "e2e"))
    return SimulatedRoot(base / name)


@pytest.fixture(scope="session")
def root() -> SimulatedRoot:
    return shared_root("root")


@pytest.fixture(scope="session")
def other_root() -> SimulatedRoot:
    """Of another installation: as valid as the first, and nobody's policy names it."""
    return shared_root("other-root")


class World:
    """Starts things and ends them in reverse order."""

    def __init__(self, directory: pathlib.Path, root: SimulatedRoot) -> None:
        self.directory = directory
        self.root = root
        self._ending = contextlib.ExitStack()
        self._numbers = itertools.count()

    def home(self, name: str) -> pathlib.Path:
        return self.directory / f"{name}-{next(self._numbers)}"

    def engine(self) -> Engine:
        return self._ending_with(Engine(), "close")

    def gateway(self, behind: Engine | str, root: SimulatedRoot | None = None, **tables: dict[str, Any]) -> Gateway:
        """`behind` it is an engine or the URL of one; `tables` change its configuration."""
        url = behind if isinstance(behind, str) else behind.url
        return self._ending_with(Gateway(self.home("gateway"), root or self.root, url, tables), "stop")

    def daemon(self, worker_url: str, policy: pathlib.Path | None = None, provider: dict[str, Any] | None = None,
               **tables: dict[str, Any]) -> Daemon:
        return self._ending_with(Daemon(self.home("daemon"), worker_url, policy or self.policy(), provider, tables), "stop")

    def recorder(self, target_url: str) -> RecordingRelay:
        return self._ending_with(RecordingRelay(target_url), "close")

    def tamperer(self, target_url: str) -> TamperingRelay:
        return self._ending_with(TamperingRelay(target_url), "close")

    def policy(self, root: SimulatedRoot | None = None, measurement: str = SIMULATED_MEASUREMENT, more: str = "") -> pathlib.Path:
        path = self.home("policy").with_suffix(".toml")
        certificate = (root or self.root).certificate
        path.write_text(f'version = 1\nname = "test"\n\n[[roots]]\nlabel = "SIMULATED"\nfile = "{certificate}"\n\n'
                        f'[snp]\nmeasurements = ["{measurement}"]\n{more}', encoding="utf-8")
        return path

    def close(self) -> None:
        self._ending.close()

    def _ending_with(self, thing: Any, end: str) -> Any:
        self._ending.callback(getattr(thing, end))
        return thing


@pytest.fixture
def world(tmp_path: pathlib.Path, root: SimulatedRoot) -> Iterator[World]:
    made = World(tmp_path, root)
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_world(tmp_path_factory: pytest.TempPathFactory, root: SimulatedRoot) -> Iterator[World]:
    """For tests that only ask: one set of programs for all of a file."""
    made = World(tmp_path_factory.mktemp("module"), root)
    yield made
    made.close()


@pytest.fixture
def engine(world: World) -> Engine:
    return world.engine()
