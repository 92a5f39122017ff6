# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Keys rotate, workers restart, others take their place, and edges lie about it."""

import threading

import openai
import pytest
from conftest import World

from waxwing_e2e import client, relay
from waxwing_e2e.engine import HANG_GUARD, MODEL, Call, Engine
from waxwing_e2e.programs import Gateway
from waxwing_e2e.tampering import Answering
from waxwing_e2e.wire import Incomplete, Message

# ---- It is true ----


def test_client_notices_nothing_of_key_rotation(world: World, engine: Engine) -> None:
    """Neither requests, whole and streamed, nor a stream that outlives the key it was asked under."""
    rotated = threading.Event()

    def long_stream(call: Call) -> None:
        call.begin()
        call.text("before ")
        assert rotated.wait(HANG_GUARD)
        call.text("after")
        call.end()
    engine.on("long", long_stream)
    gateway = world.gateway(engine, keys={"rotation": "1s", "grace": "1s"})
    daemon = world.daemon(gateway.url).ready()
    long_answers: list[client.Answer] = []
    long_one = threading.Thread(target=lambda: long_answers.append(client.chat(daemon.url, model="long", stream=True)))
    long_one.start()
    keys = set()
    asked = 0
    while len(keys) < 4:
        for session in client.get(daemon.url, "/readyz").json()["sessions"]:
            keys.add(session["key_id"])
        assert client.chat(daemon.url, stream=asked % 2 == 0).status == 200
        asked += 1
    rotated.set()
    long_one.join()
    assert (long_answers[0].text(), long_answers[0].whole) == ("before after", True)
    assert len(engine.asked()) == asked + 1
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


# ---- The edge lies ----


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


def test_restarted_gateway_with_another_tls_key_is_attested_anew(world: World, engine: Engine) -> None:
    attested = {"listen": {"tls": "attested"}}
    first = world.gateway(engine, **attested)
    middle = world.recorder(first.url.replace("https:", "http:"))
    daemon = world.daemon(middle.url.replace("http:", "https:"), provider={"tls": "attested"}).ready()
    assert client.chat(daemon.url).status == 200
    first.stop()
    middle.target_url = world.gateway(engine, **attested).url.replace("https:", "http:")
    assert client.chat(daemon.url).status == 200
    assert client.chat(daemon.url, stream=True).done
    assert len(engine.asked()) == 3


def test_tls_key_that_no_statement_names_gets_no_request(world: World, engine: Engine) -> None:
    """A middle that ends TLS with a key of its own, after the daemon has its session."""
    stranger = world.gateway(world.engine(), listen={"tls": "attested"}, evidence={"simulated_measurement": "5a" * 48})
    gateway = world.gateway(engine, listen={"tls": "attested"})
    middle = world.recorder(gateway.url.replace("https:", "http:"))
    daemon = world.daemon(middle.url.replace("http:", "https:"), provider={"tls": "attested"}).ready()
    middle.target_url = stranger.url.replace("https:", "http:")
    answer = client.chat(daemon.url)
    assert (answer.status, answer.code) == (403, "policy_refused")
    assert engine.asked() == []


def test_answer_lost_on_a_kept_connection_runs_nothing_twice(world: World, engine: Engine) -> None:
    """The daemon may take the connection for one that had died before: the worker knows better."""
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask().status == 200

    def lose(answer: Message) -> Message:
        raise Incomplete
    answering.change(lose)
    before = len(engine.asked())
    answer = client.chat(answering.daemon.url)
    assert answer.status in (502, 503)
    assert len(engine.asked()) == before + 1


def test_body_too_large_to_be_kept_is_for_the_sdk_to_send_again(world: World, engine: Engine) -> None:
    gateway = world.gateway(engine)
    middle = world.recorder(gateway.url)
    daemon = world.daemon(middle.url, limits={"replay_buffer": "64KiB"}).ready()
    prompt = "p" * 300_000

    def replace_worker(old: Gateway) -> Gateway:
        old.stop()
        new = world.gateway(engine)
        middle.target_url = new.url
        return new
    gateway = replace_worker(gateway)
    answer = client.chat(daemon.url, prompt)
    assert (answer.status, answer.code) == (503, "worker_changed")
    assert (answer.fields["x-should-retry"], answer.fields["retry-after"]) == ("true", "0")
    assert engine.asked() == []
    assert client.chat(daemon.url, prompt).status == 200

    replace_worker(gateway)
    sdk = openai.OpenAI(base_url=f"{daemon.url}/v1", api_key="sk-of-the-app")
    sdk.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])
    assert len(engine.asked()) == 2
