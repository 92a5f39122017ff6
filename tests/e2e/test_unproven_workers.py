# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""A worker that is not what the policy names, or cannot prove it, gets no prompt."""

import base64
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable

import pytest
from conftest import World

from waxwing_e2e import client, programs, relay, wire
from waxwing_e2e.engine import Engine
from waxwing_e2e.relay import TamperingRelay
from waxwing_e2e.wire import Message

REJECTED = 10
Verified = tuple[int, list[str]]


def verify(world: World, url: str, policy: pathlib.Path | None = None, *more: str) -> Verified:
    """Exit code of `waxwing verify` and the checks that failed."""
    done = programs.run(world.home("verify"), "waxwing", "verify", url, "--json", "--policy",
                        str(policy or world.policy()), *more)
    if not done.stdout:
        return done.returncode, []
    verdict = json.loads(done.stdout)
    assert (verdict["decision"] == "accepted") == (done.returncode == 0)
    return done.returncode, [check["name"] for check in verdict["checks"] if check["outcome"] == "fail"]


def assert_refused(world: World, engine: Engine, url: str, check: str, policy: pathlib.Path | None = None) -> None:
    """`verify` names the check; the daemon answers at once, and the engine never hears of the prompt."""
    assert verify(world, url, policy) == (REJECTED, [check])
    answer = client.chat(world.daemon(url, policy).url)
    assert answer.status == 403
    assert answer.fields["x-should-retry"] == "false"
    assert answer.code in ("policy_refused", "evidence_rejected")
    assert engine.asked() == []


# ---- The worker is not what it should be ----


def test_accepts_what_the_other_tests_spoil(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine)
    assert verify(world, gateway.url) == (0, [])
    assert verify(world, world.tamperer(gateway.url).url) == (0, [])


def test_refuses_wrong_measurement(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine, evidence={"simulated_measurement": "5a" * 48})
    assert_refused(world, engine, gateway.url, "snp.policy.measurement")


def test_refuses_unknown_root(world: World, engine: Engine, other_root: programs.SimulatedRoot) -> None:
    gateway = world.gateway(engine, root=other_root)
    assert verify(world, gateway.url, world.policy(other_root)) == (0, [])
    assert_refused(world, engine, gateway.url, "snp.root.pinned")


def test_refuses_debug_policy(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine, evidence={"simulated_policy": hex(0x30000 | 1 << 19)})
    assert_refused(world, engine, gateway.url, "snp.policy.debug")


def own_address() -> str:
    """An address of this machine that is not a loopback one; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


def test_refuses_remote_engine_unless_listed(world: World, engine: Engine) -> None:
    remote = {"url": f"https://{own_address()}:{engine.port}", "allow_remote": True}
    gateway = world.gateway(engine, engine=remote)
    listed = world.policy(more='\n[engine]\nreach = ["remote"]\n')
    assert verify(world, gateway.url, listed) == (0, [])
    assert_refused(world, engine, gateway.url, "engine.reach")


def test_gateway_refuses_remote_engine_unless_switched_on(world: World, engine: Engine) -> None:
    done = programs.run(world.home("gateway"), "waxwing-gateway", "check-config", "--engine", f"https://{own_address()}:1")
    assert done.returncode == 78
    assert "allow_remote" in done.stderr


# ---- The evidence is changed on its way ----


def change_documents(middle: TamperingRelay, change: Callable[[dict], None]) -> None:
    def on_answer(request: Message, answer: Message) -> Message:
        if not relay.is_attestation(request):
            return answer
        document = json.loads(answer.body)
        change(document)
        return answer.with_body(json.dumps(document).encode())
    middle.on_answer = on_answer


def changed_at(text: str, at: int) -> str:
    """Base64 of the same bytes but one."""
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(data).decode()


def test_refuses_statement_changed_in_any_byte(world: World, engine: Engine) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    policy = world.policy()
    size = 0

    def measure(document: dict) -> None:
        nonlocal size
        size = len(base64.b64decode(document["statement"]))
    change_documents(middle, measure)
    assert verify(world, middle.url, policy) == (0, [])

    for at in [*range(0, size, 131), size - 1]:
        def spoil(document: dict, at: int = at) -> None:
            document["statement"] = changed_at(document["statement"], at)
        change_documents(middle, spoil)
        assert verify(world, middle.url, policy) == (REJECTED, ["report-data.binding"]), f"byte {at}"
    change_documents(middle, lambda document: document.update(statement=changed_at(document["statement"], 0)))
    assert_refused(world, engine, middle.url, "report-data.binding", policy)


def test_refuses_report_changed_in_any_field(world: World, engine: Engine) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    policy = world.policy()
    for at in range(0, 1184, 37):
        def spoil(document: dict, at: int = at) -> None:
            document["evidence"][0]["data"] = changed_at(document["evidence"][0]["data"], at)
        change_documents(middle, spoil)
        code, failed = verify(world, middle.url, policy)
        assert code in (10, 20, 30), f"byte {at}: {failed}"
    assert engine.asked() == []


def test_refuses_stale_and_foreign_nonce(world: World, engine: Engine) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    documents: list[bytes] = []

    def keep_first(request: Message, answer: Message) -> Message:
        if not relay.is_attestation(request):
            return answer
        documents.append(answer.body)
        return answer.with_body(documents[0])
    middle.on_answer = keep_first
    assert verify(world, middle.url) == (0, [])  # its own answer
    assert_refused(world, engine, middle.url, "report-data.binding")  # an old one, made for another's nonce

    # The document of another client's question, asked at the same time.
    other = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    middle.on_answer = lambda request, answer: answer
    middle.on_request = lambda request: Message(f"GET {relay.ATTESTATION_PATH}?nonce={other} HTTP/1.1", request.fields)
    assert_refused(world, engine, middle.url, "report-data.binding")


def test_refuses_nonce_of_another_length(world: World, engine: Engine) -> None:
    url = world.gateway(engine).url
    for size in (0, 31, 33):
        nonce = base64.urlsafe_b64encode(bytes(size)).decode().rstrip("=")
        assert client.get(url, f"{relay.ATTESTATION_PATH}?nonce={nonce}").status == 400


# ---- A remote engine that the policy does list ----


def test_listed_remote_engine_is_used_over_verified_tls_only(world: World, engine: Engine) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    address = own_address()
    home = world.home("pki")
    home.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=engine", "-addext", f"subjectAltName=IP:{address}", "-keyout", str(home / "key.pem"),
                    "-out", str(home / "cert.pem")], check=True, capture_output=True)
    front = TlsFront(address, engine.port, home)
    try:
        remote = {"url": f"https://{address}:{front.port}", "allow_remote": True}
        listed = world.policy(more='\n[engine]\nreach = ["remote"]\n')
        trusted = world.gateway(engine, engine={**remote, "ca_file": str(home / "cert.pem")})
        assert client.chat(world.daemon(trusted.url, listed).ready().url).status == 200
        untrusted = world.gateway(engine, engine=remote)
        answer = client.chat(world.daemon(untrusted.url, listed).ready().url)
        assert (answer.status, answer.code) == (502, "malformed")
        assert len(engine.asked()) == 1
    finally:
        front.close()


class TlsFront:
    """Ends TLS in front of the engine, on an address that is not loopback."""

    def __init__(self, address: str, port: int, home: pathlib.Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(home / "cert.pem", home / "key.pem")
        self._target = port
        self._socket = socket.create_server((address, 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as outside, \
                    socket.create_connection(("127.0.0.1", self._target)) as inside:
                message = wire.read_message(outside.makefile("rb"))
                if message is not None:
                    inside.sendall(message.encode())
                    answer = wire.read_message(inside.makefile("rb"))
                    if answer is not None:
                        outside.sendall(answer.encode())
        except (OSError, wire.Incomplete):
            pass
