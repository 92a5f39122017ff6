# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the middle or the worker does: no prompt without proof, no changed answer, no silent end, nothing twice."""

import base64
import json
import pathlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable

import pytest
from conftest import World

from waxwing_e2e import client, programs, relay, wire
from waxwing_e2e.engine import HANG_GUARD, Call, Engine, say
from waxwing_e2e.relay import Cut, TamperingRelay
from waxwing_e2e.wire import ANSWER_NONCE_SIZE, REQUEST_HEADER_SIZE, Message, split_sealed

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


# ---- A sealed request is changed on its way ----


class Held:
    """A sealed request that the daemon made and the gateway has not seen."""

    def __init__(self, world: World, gateway_url: str, text: str) -> None:
        middle = world.tamperer(gateway_url)
        middle.on_request = lambda request: request if relay.is_attestation(request) else None
        middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else relay.answer(503)
        daemon = world.daemon(middle.url).ready()
        assert client.chat(daemon.url, text).code == "worker_unreachable"
        self.request = middle.sealed()[0]
        self._connection = socket.create_connection(("127.0.0.1", int(gateway_url.rpartition(":")[2])))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._connection.makefile("rb")

    def send(self, body: bytes) -> Message:
        answer = wire.send_and_read(self._connection, self._reader, self.request.with_body(body))
        assert answer is not None
        return answer


MANY_FAILURES = {"max_failed_opens_per_source": 1_000_000}


def test_no_flipped_bit_of_a_request_reaches_the_engine(world: World, engine: Engine) -> None:
    held = Held(world, world.gateway(engine, listen=MANY_FAILURES).url, "one small prompt")
    body = held.request.body
    key_and_suite = range(7)
    for at in range(len(body)):
        flipped = bytearray(body)
        flipped[at] ^= 1 << at % 8
        status = held.send(bytes(flipped)).status
        assert status == (422 if at in key_and_suite else 400), f"byte {at}"
    assert engine.requests == []
    # Nothing of that spoiled the request itself: it opens, once.
    assert held.send(body).status == 200
    assert len(engine.asked()) == 1
    again = held.send(body)  # opens to a 409 inside the seal
    assert again.status == 200
    assert len(engine.asked()) == 1


def test_no_cut_request_reaches_the_engine(world: World, engine: Engine) -> None:
    held = Held(world, world.gateway(engine, listen=MANY_FAILURES).url, "x" * 40_000)
    body = held.request.body
    sealed = split_sealed(body, REQUEST_HEADER_SIZE)
    assert len(sealed.chunks) >= 3
    places = {0, 1, 7, REQUEST_HEADER_SIZE - 1, len(body) - 1, *range(REQUEST_HEADER_SIZE - 2, REQUEST_HEADER_SIZE + 6)}
    for at in sorted(places - {0} | {sealed.chunks[0][2] - 1}):
        assert held.send(body[:at]).status == 400, f"cut at {at}"
    assert engine.requests == []
    # From the second chunk on the head has opened, and the request counts as used: it needs a fresh one per cut.
    for border in sealed.borders[1:]:
        for at in (border - 1, border, border + 1, border + 3):
            spoil_request(world, engine, lambda sent, at=at: sent[:at], "x" * 40_000)


def spoil_request(world: World, engine: Engine, change: Callable[[bytes], bytes], text: str) -> None:
    """The daemon sends `text` through a relay that changes the sealed body: a typed error, and no whole request."""
    if not hasattr(engine, "spoiling"):
        middle = world.tamperer(world.gateway(engine, listen=MANY_FAILURES).url)
        engine.spoiling = (middle, world.daemon(middle.url).ready())  # type: ignore[attr-defined]
    middle, daemon = engine.spoiling  # type: ignore[attr-defined]
    before = len(middle.sealed())
    middle.on_request = lambda request: (
        request.with_body(change(request.body)) if relay.is_request(request) else request)
    answer = client.chat(daemon.url, text)
    assert (answer.status, answer.code) == (503, "worker_unreachable")
    assert len(middle.sealed()) == before + 1, "sent again"
    assert engine.asked() == []


def test_no_flipped_bit_of_a_large_request_reaches_the_engine_whole(world: World, engine: Engine) -> None:
    text = "y" * 150_000  # more than the gateway holds back: the engine has seen the beginning when the flip comes
    held = Held(world, world.gateway(engine).url, text)
    sealed = split_sealed(held.request.body, REQUEST_HEADER_SIZE)
    assert len(sealed.chunks) >= 9
    places = set()
    for begin, first, end in sealed.chunks[1:]:
        places |= {first, (first + end) // 2, end - wire.TAG_SIZE, end - 1}
    for at in sorted(places):
        def flip(body: bytes, at: int = at) -> bytes:
            changed = bytearray(body)
            changed[at] ^= 0x10
            return bytes(changed)
        spoil_request(world, engine, flip, text)


def test_reordered_doubled_and_dropped_chunks_of_a_request_are_refused(world: World, engine: Engine) -> None:
    text = "z" * 60_000

    def rearranged(order: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
        def change(body: bytes) -> bytes:
            sealed = split_sealed(body, REQUEST_HEADER_SIZE)
            chunks = [body[begin:end] for begin, _, end in sealed.chunks]
            return body[:REQUEST_HEADER_SIZE] + b"".join(order(chunks))
        return change
    for order in (lambda c: [c[0], c[2], c[1], *c[3:]], lambda c: [c[0], c[1], c[1], *c[2:]],
                  lambda c: [c[0], *c[2:]], lambda c: c[1:]):
        spoil_request(world, engine, rearranged(order), text)


# ---- A sealed answer is changed on its way ----

WHOLE_TEXT = "The bird whose wing tips look like sealing wax. " * 3
LONG_TEXT = "".join(f"word{number} " for number in range(6000))  # some 55 kB: four chunks


class Answering:
    """A daemon behind a relay that changes sealed answers."""

    def __init__(self, world: World, engine: Engine) -> None:
        self.engine = engine
        self.middle = world.tamperer(world.gateway(engine).url)
        self.daemon = world.daemon(self.middle.url).ready()
        self.sealed = b""

    def change(self, change: Callable[[Message], Message | Cut]) -> None:
        def on_answer(request: Message, answer: Message) -> Message | Cut:
            if not relay.is_request(request):
                return answer
            self.sealed = answer.body
            return change(answer)
        self.middle.on_answer = on_answer

    def ask(self, **members: object) -> client.Answer:
        """Asserts that the request went out once and came to the engine once."""
        sent, asked = len(self.middle.sealed()), len(self.engine.asked())
        answer = client.chat(self.daemon.url, **members)
        assert (len(self.middle.sealed()) - sent, len(self.engine.asked()) - asked) == (1, 1), "sent again"
        return answer


def flipped(at: int) -> Callable[[Message], Message]:
    def change(answer: Message) -> Message:
        body = bytearray(answer.body)
        body[at] ^= 1 << at % 8
        return answer.with_body(bytes(body))
    return change


def assert_typed_and_true(answer: client.Answer, codes: set[str], text: str) -> None:
    """An error body, or an event stream that is true as far as it goes, then tells the error and ends abnormally; a whole
    answer that has begun can only end abnormally."""
    if answer.status != 200:
        assert answer.status == 502 and answer.whole
        assert answer.code in codes
        assert answer.fields["x-should-retry"] == "false"
        return
    assert not answer.whole, "a silent end"
    if answer.fields["content-type"].startswith("text/event-stream"):
        assert text.startswith(answer.text())
        assert answer.text() == text or not answer.done
        assert [error["code"] in codes for error in answer.error_events] == [True]


def test_flipped_bit_anywhere_in_a_whole_answer_is_an_error(world: World, engine: Engine) -> None:
    engine.default = say(WHOLE_TEXT)
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask().json()["choices"][0]["message"]["content"] == WHOLE_TEXT
    size = len(answering.sealed)
    places = [*range(ANSWER_NONCE_SIZE + 40), *range(ANSWER_NONCE_SIZE + 40, size - 40, 11), *range(size - 40, size)]
    for at in places:
        answering.change(flipped(at))
        answer = answering.ask()
        assert answer.status == 502, f"byte {at}"
        assert_typed_and_true(answer, {"answer_forged", "answer_cut"}, WHOLE_TEXT)


def test_flipped_bit_anywhere_in_a_stream_is_an_error(world: World, engine: Engine) -> None:
    engine.default = say(WHOLE_TEXT, pieces=6)
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask(stream=True).text() == WHOLE_TEXT
    sealed = split_sealed(answering.sealed, ANSWER_NONCE_SIZE)
    assert len(sealed.chunks) >= 2
    places = set(range(ANSWER_NONCE_SIZE)) | set(range(0, len(answering.sealed), 13))
    for begin, first, end in sealed.chunks:
        places |= {*range(begin, min(first + 2, end)), *range(end - 18, end)}
    for at in sorted(place for place in places if place < len(answering.sealed)):
        answering.change(flipped(at))
        assert_typed_and_true(answering.ask(stream=True), {"answer_forged", "answer_cut"}, WHOLE_TEXT)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_answer_cut_at_any_chunk_border_is_an_error(world: World, engine: Engine, stream: bool) -> None:
    engine.default = say(LONG_TEXT, pieces=12)
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask(stream=stream).whole
    sealed = split_sealed(answering.sealed, ANSWER_NONCE_SIZE)
    assert len(sealed.chunks) >= 4
    for border in (0, 1, *sealed.borders, len(answering.sealed) - 1):
        for clean in (True, False):
            answering.change(lambda answer, border=border, clean=clean: Cut(answer, border, clean))
            assert_typed_and_true(answering.ask(stream=stream), {"answer_cut", "answer_forged"}, LONG_TEXT)


def test_an_answer_to_another_request_is_an_error(world: World, engine: Engine) -> None:
    answering = Answering(world, engine)
    answers: list[Message] = []

    def swap(answer: Message) -> Message:
        answers.append(answer)
        return answers[0]
    answering.change(swap)
    assert answering.ask().status == 200
    answer = answering.ask()
    assert (answer.status, answer.code) == (502, "answer_forged")


# ---- Keys and workers change ----


def test_client_notices_nothing_of_key_rotation(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine, keys={"rotation": "1s", "grace": "1s"})
    daemon = world.daemon(gateway.url).ready()
    keys = set()
    asked = 0
    while len(keys) < 4:
        for session in client.get(daemon.url, "/readyz").json()["sessions"]:
            keys.add(session["key_id"])
        assert client.chat(daemon.url, stream=asked % 2 == 0).status == 200
        asked += 1
    assert len(engine.asked()) == asked
    assert len({s["worker"] for s in client.get(daemon.url, "/readyz").json()["sessions"]}) == 1


def test_restarted_gateway_is_attested_and_asked_once(world: World, engine: Engine) -> None:
    first = world.gateway(engine)
    middle = world.recorder(first.url)
    daemon = world.daemon(middle.url).ready()
    assert client.chat(daemon.url).status == 200
    first.stop()
    middle.target_url = world.gateway(engine).url
    assert client.chat(daemon.url).status == 200
    assert client.chat(daemon.url, stream=True).done
    assert len(engine.asked()) == 3
    assert sum(recording.to_daemon.count(b"HTTP/1.1 421 ") for recording in middle.recordings) == 1


def test_other_worker_behind_the_same_address_is_judged_first(world: World, engine: Engine) -> None:
    trusted = world.gateway(engine)
    stranger_engine = world.engine()
    stranger = world.gateway(stranger_engine, evidence={"simulated_measurement": "5a" * 48})
    middle = world.recorder(trusted.url)
    daemon = world.daemon(middle.url).ready()
    assert client.chat(daemon.url).status == 200
    middle.target_url = stranger.url
    middle.drop_connections()
    answer = client.chat(daemon.url)
    assert (answer.status, answer.code) == (403, "policy_refused")
    assert stranger_engine.requests == []
    assert len(engine.asked()) == 1


# ---- The edge lies about keys ----


@pytest.mark.parametrize("status", [421, 422])
def test_forged_hint_after_the_request_ran_sends_nothing_twice(world: World, engine: Engine, status: int) -> None:
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask().status == 200
    attested = answering.middle.attestations()
    problem = b'{"type":"https://iana.org/assignments/http-problem-types#ohttp-key"}'
    answering.change(lambda answer: relay.answer(status, problem, content_type="application/problem+json"))
    answer = answering.ask()
    assert (answer.status, answer.code) == (503, "worker_unreachable")
    assert answering.middle.attestations() == attested + 1
    # And again: while the edge proves nothing, it is not asked again and again.
    for _ in range(5):
        assert answering.ask().status == 503
    assert answering.middle.attestations() <= attested + 2


@pytest.mark.parametrize("status", [421, 422])
def test_forged_hint_in_place_of_the_gateway_runs_nothing(world: World, engine: Engine, status: int) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    daemon = world.daemon(middle.url).ready()
    middle.on_request = lambda request: request if relay.is_attestation(request) else None
    middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else relay.answer(status)
    answer = client.chat(daemon.url)
    assert (answer.status, answer.code) == (503, "worker_unreachable")
    assert len(middle.sealed()) == 1
    assert engine.requests == []


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_unsealed_answers_of_the_edge_are_never_the_workers(world: World, engine: Engine, status: int) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    daemon = world.daemon(middle.url).ready()
    words = b'{"error":{"message":"words of the edge"},"choices":[]}'
    middle.on_request = lambda request: request if relay.is_attestation(request) else None
    middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else relay.answer(
        status, words, content_type="application/json", location="/elsewhere", set_cookie="a=b")
    answer = client.chat(daemon.url)
    assert answer.status == (429 if status == 429 else 503)
    assert answer.code == ("rate_limited" if status == 429 else "worker_unreachable")
    assert b"words of the edge" not in answer.body
    assert "set-cookie" not in answer.fields and "location" not in answer.fields
    assert len(middle.sealed()) == 1


# ---- Something dies ----


def half_a_stream(until: threading.Event) -> Callable[[Call], None]:
    def script(call: Call) -> None:
        call.begin()
        call.text("half an ")
        until.wait(programs.START_GUARD)
        call.abort()
    return script


def stream_in_background(url: str) -> tuple[threading.Thread, list[client.Answer], threading.Event]:
    """Starts a streamed request; the event is set when its first bytes have come."""
    import http.client
    answers: list[client.Answer] = []
    begun = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=programs.START_GUARD)
        connection.request("POST", "/v1/chat/completions", client.chat_body(stream=True), {"content-type": "application/json"})
        response = connection.getresponse()
        body = b""
        whole = True
        try:
            while piece := response.read1(65536):
                body += piece
                if b"half an " in body:
                    begun.set()
        except (http.client.HTTPException, ConnectionError):
            whole = False
        answers.append(client.Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body, whole))
        begun.set()
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread, answers, begun


@pytest.mark.parametrize("what", ["gateway", "engine", "connection"])
def test_death_in_mid_stream_is_a_typed_event(world: World, engine: Engine, what: str) -> None:
    over = threading.Event()
    engine.default = half_a_stream(over)
    gateway = world.gateway(engine)
    middle = world.recorder(gateway.url)
    daemon = world.daemon(middle.url).ready()
    thread, answers, begun = stream_in_background(daemon.url)
    assert begun.wait(programs.START_GUARD)
    if what == "gateway":
        gateway.kill()
    elif what == "engine":
        over.set()
    else:
        middle.drop_connections()
    thread.join()
    over.set()
    answer, = answers
    assert (answer.status, answer.text(), answer.done, answer.whole) == (200, "half an ", False, False)
    assert [error["code"] for error in answer.error_events] == ["answer_cut"]
    assert len(engine.asked()) == 1


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
        import ssl
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



def test_slow_reader_gets_all_of_a_cut_stream_and_its_error(world: World, engine: Engine) -> None:
    """What was passed on before the cut is not lost with the connection."""
    text = "word " * 40_000

    def script(call: Call) -> None:
        call.begin()
        call.text(text)
        call.hang_up()
    engine.default = script
    daemon = world.daemon(world.gateway(engine).url).ready()
    with socket.socket() as app:
        app.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        app.settimeout(HANG_GUARD)
        app.connect(("127.0.0.1", int(daemon.url.rpartition(":")[2])))
        body = client.chat_body(stream=True)
        app.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n%s" % (len(body), body))
        while "answer cut" not in daemon.log():
            client.get(daemon.url, "/healthz")
        received = b""
        while piece := app.recv(65536):
            received += piece
    assert received.count(b"word ") >= 39_900  # all but those that a chunk border falls into
    assert b'"code":"answer_cut"' in received
    assert not received.endswith(b"0\r\n\r\n")
