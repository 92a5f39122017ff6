# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""`waxwing verify URL`: verdict for people and programs, exit code for scripts."""

import base64
import json
import pathlib
import socket
import subprocess
from collections.abc import Callable

import pytest
from conftest import SIMULATED_MEASUREMENT, World

from waxwing_e2e import programs, relay
from waxwing_e2e.relay import TamperingRelay
from waxwing_e2e.wire import Message

NOT_PROVEN = "Not proven: which build of the engine runs, which model weights it loaded, and the GPU."


def verify(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return programs.run(world.home("verify"), "waxwing", "verify", *arguments)


@pytest.fixture
def gateway(world: World) -> programs.Gateway:
    return world.gateway("builtin")


def test_accepted_worker(world: World, gateway: programs.Gateway) -> None:
    done = verify(world, gateway.url, "--policy", str(world.policy()))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "ACCEPTED [SIMULATED]"
    assert lines[-1] == NOT_PROVEN
    for check in ("snp.signature", "snp.root.pinned", "snp.policy.measurement", "report-data.binding", "engine.reach"):
        assert any(line.split()[:2] == ["ok", check] for line in lines), check


def test_json_names_checks_facts_and_what_is_not_proven(world: World, gateway: programs.Gateway) -> None:
    done = verify(world, gateway.url, "--policy", str(world.policy()), "--json")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1 and done.stdout.endswith("\n")
    verdict = json.loads(done.stdout)
    assert (verdict["schema"], verdict["decision"], verdict["label"]) == (1, "accepted", "SIMULATED")
    assert verdict["url"] == gateway.url
    assert verdict["not_proven"] == NOT_PROVEN
    assert verdict["facts"]["measurement"] == SIMULATED_MEASUREMENT
    assert verdict["facts"]["engine_reach"] == "builtin"
    assert len(verdict["checks"]) > 40
    for check in verdict["checks"]:
        assert set(check) == {"name", "outcome", "expected", "found", "clause"}
        assert check["outcome"] in ("pass", "skip")
        assert check["clause"]


def test_refused_worker_shows_the_check_and_its_expectation(world: World, gateway: programs.Gateway) -> None:
    done = verify(world, gateway.url, "--policy", str(world.policy(measurement="5a" * 48)))
    assert done.returncode == 10
    assert done.stdout.startswith("REFUSED [SIMULATED]")
    failed = [line for line in done.stdout.splitlines() if line.split()[:1] == ["FAIL"]]
    assert len(failed) == 1
    assert "snp.policy.measurement" in failed[0] and "5a5a" in failed[0] and SIMULATED_MEASUREMENT in failed[0]


def test_evidence_alone_is_never_an_accepted_worker(world: World, gateway: programs.Gateway) -> None:
    simulated = ("--simulated-root", str(world.root.certificate))
    for more, code in (((), 10), (("--evidence-only",), 0)):
        done = verify(world, gateway.url, *simulated, *more)
        assert done.returncode == code, done.stdout
        assert done.stdout.startswith(
            "EVIDENCE VALID [SIMULATED], WORKER NOT APPRAISED: no policy names its measurement\n")
        done = verify(world, gateway.url, *simulated, *more, "--json")
        assert (done.returncode, json.loads(done.stdout)["decision"]) == (code, "evidence-only")
    # And without that root, simulated evidence is nothing at all.
    for more in ((), ("--evidence-only",)):
        done = verify(world, gateway.url, *more)
        assert done.returncode == 10
        assert done.stdout.startswith("REFUSED")


def test_evidence_only_does_not_soften_a_policy(world: World, gateway: programs.Gateway) -> None:
    wrong = str(world.policy(measurement="5a" * 48))
    assert verify(world, gateway.url, "--policy", wrong, "--evidence-only").returncode == 10


Change = Callable[[dict], None]


def other_kind(document: dict) -> None:
    document["evidence"][0]["kind"] = "moon-rock"


def other_version(document: dict) -> None:
    data = bytearray(base64.b64decode(document["evidence"][0]["data"]))
    data[0] = 99
    document["evidence"][0]["data"] = base64.b64encode(data).decode()


def short_report(document: dict) -> None:
    document["evidence"][0]["data"] = base64.b64encode(bytes(100)).decode()


def no_statement(document: dict) -> None:
    del document["statement"]


def other_signature(document: dict) -> None:
    data = bytearray(base64.b64decode(document["evidence"][0]["data"]))
    data[0x2A0] ^= 1
    document["evidence"][0]["data"] = base64.b64encode(data).decode()


@pytest.mark.parametrize(("change", "code"), [
    (other_signature, 10), (other_kind, 20), (other_version, 20), (short_report, 30), (no_statement, 30)])
def test_exit_code_tells_rejected_unsupported_and_malformed_evidence(world: World, gateway: programs.Gateway,
                                                                     change: Change, code: int) -> None:
    middle: TamperingRelay = world.tamperer(gateway.url)

    def on_answer(request: Message, answer: Message) -> Message:
        document = json.loads(answer.body)
        change(document)
        return answer.with_body(json.dumps(document).encode())
    middle.on_answer = on_answer
    done = verify(world, middle.url, "--policy", str(world.policy()), "--json")
    assert done.returncode == code, done.stdout + done.stderr
    assert json.loads(done.stdout)["decision"] == "refused"


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"{}", b"[" * 100_000, b'{"statement":"' + b"A" * (2 << 20)],
                         ids=["html", "empty", "object", "deep", "large"])
def test_address_that_is_no_gateway_is_malformed_evidence(world: World, body: bytes) -> None:
    middle = world.tamperer("http://127.0.0.1:1")
    middle.on_request = lambda request: None
    middle.on_answer = lambda request, answer: relay.answer(200, body, content_type="application/json")
    assert verify(world, middle.url, "--policy", str(world.policy())).returncode == 30


@pytest.mark.parametrize(("status", "code"), [(404, 30), (302, 30), (429, 69), (503, 69)])
def test_other_answers_of_the_address(world: World, status: int, code: int) -> None:
    middle = world.tamperer("http://127.0.0.1:1")
    middle.on_request = lambda request: None
    middle.on_answer = lambda request, answer: relay.answer(status, location="http://127.0.0.1:2/")
    assert verify(world, middle.url, "--policy", str(world.policy())).returncode == code


def test_exit_codes_without_a_worker(world: World, tmp_path: pathlib.Path) -> None:
    policy = str(world.policy())
    unreachable = verify(world, "http://127.0.0.1:1", "--policy", policy)
    assert unreachable.returncode == 69 and "worker_unreachable" in unreachable.stderr and unreachable.stdout == ""
    with socket.create_server(("127.0.0.1", 0)) as refusing:
        address = f"http://127.0.0.1:{refusing.getsockname()[1]}"
        refusing.close()
        assert verify(world, address, "--policy", policy).returncode == 69
    assert verify(world).returncode == 64
    assert verify(world, "http://127.0.0.1:1", "--tls", "nonsense").returncode == 64
    wrong = tmp_path / "policy.toml"
    wrong.write_text("version = 1\nname = \"x\"\n[snp]\nmeasurement = []\n", encoding="utf-8")
    refused = verify(world, "http://127.0.0.1:1", "--policy", str(wrong))
    assert refused.returncode == 78 and "policy.toml" in refused.stderr
    assert verify(world, "http://127.0.0.1:1", "--policy", str(tmp_path / "none.toml")).returncode == 78


def test_attested_tls_and_its_binding(world: World) -> None:
    gateway = world.gateway("builtin", listen={"tls": "attested"})
    policy = str(world.policy())
    done = verify(world, gateway.url, "--tls", "attested", "--policy", policy, "--json")
    assert done.returncode == 0
    binding, = [c for c in json.loads(done.stdout)["checks"] if c["name"] == "channel.tls-binding"]
    assert binding["outcome"] == "pass" and len(binding["found"]) == 64
    # The same certificate means nothing to one who asks for a known authority.
    assert verify(world, gateway.url, "--policy", policy).returncode == 10
