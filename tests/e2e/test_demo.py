# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""`waxwing demo`: what ./run ends with."""

import subprocess

import pytest
from conftest import World

from waxwing_e2e import programs
from waxwing_e2e.engine import MODEL, Engine, say


def demo(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return programs.run(world.home("demo"), "waxwing", "demo", "--once", "--port", "0", *arguments)


@pytest.fixture(autouse=True)
def root_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's gateway keeps its root in its state directory: here in the shared one."""
    monkeypatch.setenv("WAXWING_GATEWAY_STATE", str(world.root.state))


def test_builtin_engine_answers_and_is_labelled_everywhere(world: World) -> None:
    done = demo(world, "--engine", "builtin", "--question", "Does wax seal?")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "It is no language model" in done.stdout
    assert "not a language model" in done.stdout.split("Does wax seal?", 1)[1]  # the answer itself says so
    assert "ACCEPTED [SIMULATED]" in done.stdout
    assert "from openai import OpenAI" in done.stdout


def test_own_engine_is_asked(world: World, engine: Engine) -> None:
    engine.default = say("from your own engine")
    done = demo(world, "--engine", engine.url, "--question", "Whose are you?")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from your own engine" in done.stdout
    assert f'model="{MODEL}"' in done.stdout
    asked, = engine.asked()
    assert asked.json()["messages"] == [{"role": "user", "content": "Whose are you?"}]


def test_verdict_is_printed_check_by_check(world: World) -> None:
    lines = demo(world, "--engine", "builtin").stdout.splitlines()
    for check in ("snp.signature", "snp.chain.path", "snp.policy.measurement", "report-data.binding", "engine.reach"):
        assert any(line.split()[:2] == ["ok", check] for line in lines), check
    assert any(line.startswith("Not proven: ") for line in lines)


def test_engine_that_is_down_is_told(world: World) -> None:
    done = demo(world, "--engine", "http://127.0.0.1:1")
    assert done.returncode != 0
    assert "engine" in done.stderr
