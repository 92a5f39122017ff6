# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""`waxwing serve` as apps and service managers meet it."""

import http.client
import json
import socket
import threading

import pytest
from conftest import World

from waxwing_e2e import client, programs, relay
from waxwing_e2e.engine import HANG_GUARD, MODEL, Call, Engine, say

NOBODY = "http://127.0.0.1:1"  # nothing listens there


def test_answers_whole_and_streamed(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url).ready()
    whole = client.chat(daemon.url)
    assert (whole.status, whole.json()["choices"][0]["message"]["content"]) == (200, "The answer is 42.")
    streamed = client.chat(daemon.url, stream=True)
    assert (streamed.status, streamed.text(), streamed.done, streamed.whole) == (200, "The answer is 42.", True, True)
    assert len(engine.asked()) == 2


def test_events_arrive_one_by_one(world: World, engine: Engine) -> None:
    """The engine goes on only when the app has the event before: nothing on the way waits for more."""
    seen = threading.Semaphore(0)

    def paced(call: Call) -> None:
        call.begin()
        for number in range(5):
            call.text(f"token{number}")
            assert seen.acquire(timeout=HANG_GUARD)
        call.end()
    engine.default = paced
    daemon = world.daemon(world.gateway(engine).url).ready()
    connection = http.client.HTTPConnection(daemon.url.removeprefix("http://"), timeout=HANG_GUARD)
    connection.request("POST", "/v1/chat/completions", client.chat_body(stream=True), {"content-type": "application/json"})
    response = connection.getresponse()
    for number in range(5):
        data = b""
        while f"token{number}".encode() not in data:
            data += response.read1(65536)
        seen.release()
    assert b"[DONE]" in response.read()


def test_every_label_says_simulated(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url)
    assert daemon.line("ready") == "ready SIMULATED"
    for answer in (client.chat(daemon.url), client.get(daemon.url, "/v1/models"), client.get(daemon.url, "/readyz")):
        assert answer.fields["waxwing-verdict"] == 'accepted; label="SIMULATED"'
    assert [s["label"] for s in client.get(daemon.url, "/readyz").json()["sessions"]] == ["SIMULATED"]


def test_attested_outer_tls(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine, listen={"tls": "attested"})
    assert gateway.url.startswith("https://")
    daemon = world.daemon(gateway.url, provider={"tls": "attested", "tls_binding": "required"}).ready()
    assert client.chat(daemon.url).status == 200
    untrusted = world.daemon(gateway.url, provider={"tls": "webpki"})
    answer = client.chat(untrusted.url)
    assert answer.status in (403, 503) and answer.code in ("evidence_rejected", "worker_unreachable")
    assert len(engine.asked()) == 1


# ---- Health and models ----


def test_health_and_readiness(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url).ready()
    for path in ("/healthz", "/livez"):
        assert (client.get(daemon.url, path).status, client.get(daemon.url, path).json()) == (200, {"status": "ok"})
    ready = client.get(daemon.url, "/readyz")
    assert ready.status == 200 and ready.json()["ready"] is True
    session, = ready.json()["sessions"]
    assert len(session["statement_sha256"]) == 64 and session["not_after"].endswith("Z")

    lonely = world.daemon(NOBODY)
    client.chat(lonely.url)  # after this an attestation has been tried
    assert client.get(lonely.url, "/healthz").status == 200
    not_ready = client.get(lonely.url, "/readyz")
    assert not_ready.status == 503
    assert not_ready.json()["ready"] is False and not_ready.json()["error"]["code"] == "worker_unreachable"


def test_models_are_fetched_once_and_looked_up(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url).ready()
    for _ in range(3):
        assert [m["id"] for m in client.get(daemon.url, "/v1/models").json()["data"]] == [MODEL]
    assert client.get(daemon.url, f"/v1/models/{MODEL}").json()["id"] == MODEL
    missing = client.get(daemon.url, "/v1/models/none-such")
    assert (missing.status, missing.code) == (404, "not_found")
    assert len(engine.requests) == 1


# ---- Nothing to serve with ----


def test_no_worker_is_a_typed_error_at_once(world: World) -> None:
    daemon = world.daemon(NOBODY)
    for _ in range(3):
        answer = client.chat(daemon.url)
        assert (answer.status, answer.code) == (503, "worker_unreachable")
        assert answer.fields["x-should-retry"] == "true" and int(answer.fields["retry-after"]) >= 0
        assert answer.fields["x-request-id"].startswith("req_")


def test_silent_worker_is_a_typed_error_after_the_attestation_time(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts by the kernel's grace, and never answers
        daemon = world.daemon(f"http://127.0.0.1:{mute.getsockname()[1]}", provider={"attest": "300ms"})
        answer = client.chat(daemon.url)
        assert (answer.status, answer.code) == (504, "deadline")


def test_engine_down_is_a_typed_error_at_once(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url).ready()
    engine.close()
    for stream in (False, True):
        answer = client.chat(daemon.url, stream=stream)
        assert (answer.status, answer.code) == (503, "worker_unreachable")
        assert "engine" in answer.json()["error"]["message"]


def test_worker_that_comes_later_is_found(world: World, engine: Engine) -> None:
    middle = world.recorder(NOBODY)
    daemon = world.daemon(middle.url)
    assert client.chat(daemon.url).status == 503
    middle.target_url = world.gateway(engine).url
    daemon.ready()
    assert client.chat(daemon.url).status == 200


def test_engine_that_lies_about_lengths_is_a_typed_error(world: World, engine: Engine) -> None:
    def short(call: Call) -> None:
        call.reply(200, b'{"choices":[', {"content-length": "4000"})
        call.abort()

    def no_length(call: Call) -> None:
        call._head(200, {"content-type": "application/json", "connection": "close"})
        call._write(b'{"choices":[]}')
        call.abort()

    def compressed(call: Call) -> None:
        call.reply(200, b"\x1f\x8b...", {"content-encoding": "gzip"})

    def garbage(call: Call) -> None:
        call._write(b"SSH-2.0-OpenSSH\r\n\r\n")
        call.abort()
    engine.on("short", short)
    engine.on("no-length", no_length)
    engine.on("compressed", compressed)
    engine.on("garbage", garbage)
    daemon = world.daemon(world.gateway(engine).url).ready()
    for model in ("short", "no-length", "compressed", "garbage"):
        answer = client.chat(daemon.url, model=model)
        assert answer.code in ("malformed", "worker_unreachable", "answer_cut") if answer.whole else answer.status == 200, model
    assert len(engine.asked()) == 4


# ---- Sessions ----


def test_requests_share_one_session(world: World, engine: Engine) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    daemon = world.daemon(middle.url).ready()
    threads = [threading.Thread(target=client.chat, args=(daemon.url,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engine.asked()) == 16
    assert middle.attestations() == 1


def test_first_requests_wait_for_one_attestation(world: World, engine: Engine) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    daemon = world.daemon(middle.url)  # nobody waits until it is ready
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(client.chat(daemon.url).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert middle.attestations() == 1


def test_sessions_are_renewed_before_they_end(world: World, engine: Engine) -> None:
    middle = world.tamperer(world.gateway(engine).url)
    policy = world.policy()
    policy.write_text('max_age = "4s"\n' + policy.read_text(encoding="utf-8"), encoding="utf-8")
    daemon = world.daemon(middle.url, policy).ready()
    while middle.attestations() < 2:
        assert client.get(daemon.url, "/readyz").status == 200
        assert client.chat(daemon.url).status == 200


# ---- Apps come and go ----


@pytest.mark.parametrize("when", ["before the first byte", "in mid-stream"])
def test_client_that_leaves_ends_the_engines_work(world: World, engine: Engine, when: str) -> None:
    left = threading.Event()
    arrived = threading.Event()

    def script(call: Call) -> None:
        if when == "in mid-stream":
            call.begin()
            call.text("first")
        arrived.set()
        if call.client_leaves():
            left.set()
    engine.default = script
    daemon = world.daemon(world.gateway(engine).url).ready()
    connection = http.client.HTTPConnection(daemon.url.removeprefix("http://"), timeout=HANG_GUARD)
    connection.request("POST", "/v1/chat/completions", client.chat_body(stream=True), {"content-type": "application/json"})
    assert arrived.wait(HANG_GUARD)
    if when == "in mid-stream":
        response = connection.getresponse()
        assert b"first" in response.read1(65536)
        response.close()
    connection.close()
    assert left.wait(HANG_GUARD)
    assert client.get(daemon.url, "/healthz").status == 200


def test_expect_continue_is_answered_here(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url).ready()
    body = client.chat_body("x" * 100_000)
    with socket.create_connection(("127.0.0.1", int(daemon.url.rpartition(":")[2])), timeout=HANG_GUARD) as app:
        app.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                    b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body))
        assert app.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        app.sendall(body)
        assert app.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_pages_and_other_hosts_are_refused(world: World, engine: Engine) -> None:
    daemon = world.daemon(world.gateway(engine).url).ready()
    for fields in ({"origin": "http://evil.example"}, {"origin": "null"}, {"origin": daemon.url},
                   {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"host": "evil.example"},
                   {"host": f"evil.example:{daemon.url.rpartition(':')[2]}"}, {"host": ""}):
        for answer in (client.chat(daemon.url, fields=fields), client.get(daemon.url, "/v1/models", fields)):
            assert answer.status in (400, 403), fields
            assert not any(name.startswith("access-control-") for name in answer.fields)
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert client.chat(daemon.url, fields={"content-type": content_type}).status == 400, content_type
    preflight = client.request(daemon.url, "OPTIONS", "/v1/chat/completions", None, {"origin": "http://evil.example"})
    assert preflight.status == 403
    assert engine.requests == []


def test_large_bodies_pass_both_ways_and_the_limit_holds(world: World, engine: Engine) -> None:
    engine.default = say("z" * 3_000_000, pieces=100)
    daemon = world.daemon(world.gateway(engine).url, limits={"body": "8MiB", "replay_buffer": "1MiB"}).ready()
    prompt = "é" * 1_000_000
    for stream in (False, True):
        answer = client.chat(daemon.url, prompt, stream=stream)
        assert answer.status == 200 and answer.whole
        text = answer.text() if stream else answer.json()["choices"][0]["message"]["content"]
        assert len(text) == 3_000_000
    assert all(request.json()["messages"][0]["content"] == prompt for request in engine.asked())
    with socket.create_connection(("127.0.0.1", int(daemon.url.rpartition(":")[2])), timeout=HANG_GUARD) as app:
        app.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n" % (9 << 20))
        assert app.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert len(engine.asked()) == 2


def test_only_listed_fields_travel(world: World, engine: Engine) -> None:
    def script(call: Call) -> None:
        call.json({"object": "list"}, fields={"set-cookie": "a=b", "server": "engine/1", "x-request-id": "from-the-engine",
                                              "access-control-allow-origin": "*", "x-other": "1"})
    engine.default = script
    daemon = world.daemon(world.gateway(engine).url).ready()
    answer = client.chat(daemon.url, fields={"cookie": "c=d", "user-agent": "app", "x-stainless-os": "Linux",
                                             "authorization": "Bearer of the app", "openai-beta": "one"})
    asked, = engine.asked()
    assert {name.lower() for name, _ in asked.fields} == {
        "host", "accept-encoding", "content-type", "content-length", "authorization", "openai-beta"}
    assert asked.field("authorization") == "Bearer of the app"
    assert answer.fields["x-request-id"] == "from-the-engine"
    assert not {"set-cookie", "access-control-allow-origin", "x-other"} & set(answer.fields)
    assert answer.fields.get("server") != "engine/1"


# ---- The command itself ----


def test_serve_without_configuration_says_what_to_write(world: World) -> None:
    done = programs.run(world.home("empty"), "waxwing", "serve")
    assert done.returncode == 78
    assert "[[provider]]" in done.stderr and "policy" in done.stderr


@pytest.mark.parametrize(("text", "says"), [
    ('[listen]\nadress = ["127.0.0.1:0"]\n', "listen.address"),
    ("[[provider]]\nname = \"x\"\n", "url"),
    ("[[provider]]\nurl = \"http://127.0.0.1:1\"\npolicy = \"none.toml\"\ntls = \"plain\"\n", "none.toml"),
    ("[listen\n", ":1:"),
])
def test_wrong_configuration_is_refused_with_the_place(world: World, text: str, says: str) -> None:
    home = world.home("wrong")
    home.mkdir()
    (home / "waxwing.toml").write_text(text, encoding="utf-8")
    for command in ("serve", "check-config"):
        done = programs.run(home, "waxwing", command, "--config", str(home / "waxwing.toml"))
        assert done.returncode == 78, done.stderr
        assert says in done.stderr


def test_plain_outer_tls_is_for_this_machine_only(world: World) -> None:
    home = world.home("plain")
    home.mkdir()
    config = home / "waxwing.toml"
    config.write_text(programs.toml({"[provider]": {"url": "http://192.0.2.1:8443", "tls": "plain",
                                                    "policy": str(world.policy())}}), encoding="utf-8")
    done = programs.run(home, "waxwing", "serve", "--config", str(config))
    assert done.returncode == 78
    assert "this machine" in done.stderr


def test_stops_in_order_when_asked(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine)
    daemon = world.daemon(gateway.url).ready()
    assert client.chat(daemon.url).status == 200
    assert (daemon.stop(), gateway.stop()) == (0, 0)


def test_answer_in_progress_is_finished_when_asked_to_stop(world: World, engine: Engine) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def script(call: Call) -> None:
        asked.set()
        assert go_on.wait(HANG_GUARD)
        say("late but whole")(call)
    engine.default = script
    daemon = world.daemon(world.gateway(engine).url, listen={"drain": "1m"}).ready()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.chat(daemon.url)))
    thread.start()
    assert asked.wait(HANG_GUARD)
    daemon.process.terminate()
    while True:  # until it takes no more connections
        try:
            client.get(daemon.url, "/healthz")
        except ConnectionError:
            break
    go_on.set()
    thread.join()
    assert json.loads(answers[0].body)["choices"][0]["message"]["content"] == "late but whole"
    assert daemon.process.wait(HANG_GUARD) == 0


def test_gateway_stays_the_only_one_asked(world: World, engine: Engine) -> None:
    """What the daemon sends over the wire is attestation questions and sealed requests, and nothing else."""
    middle = world.recorder(world.gateway(engine).url)
    daemon = world.daemon(middle.url).ready()
    client.chat(daemon.url)
    client.get(daemon.url, "/v1/models")
    assert all(relay.is_attestation(request) or relay.is_request(request) for request, _ in middle.exchanges())
