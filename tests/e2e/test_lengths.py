# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""What a relay learns from lengths: docs/protocols/waxwing.md section 8."""

import itertools
import json
import random
from dataclasses import dataclass

import pytest
from conftest import World

from waxwing_e2e import client, relay
from waxwing_e2e.engine import Call, completion
from waxwing_e2e.wire import ANSWER_NONCE_SIZE, REQUEST_HEADER_SIZE, Message, Sealed, split_sealed

ANSWERS = 500
CHUNK = 16_384
KIB = 1024
EVENT_STEP = 256


@dataclass
class Seen:
    """One exchange as the relay saw it, beside what the app knows of it."""
    streamed: bool
    request: Message
    answer: Message
    sealed_request: Sealed
    sealed_answer: Sealed


def varied(chance: random.Random) -> tuple[bytes, bool]:
    stream = chance.random() < 0.6
    prompt = "p" * chance.choice((0, 1, 100, 900, 5_000, 15_000, 16_000, 40_000, 100_000)) + "q" * chance.randrange(1500)
    members = {"seed": chance.randrange(1 << 30), "way": chance.choice(("usual", "usual", "usual", "error", "odd"))}
    return client.chat_body(prompt, stream=stream, **members), stream


def answer(call: Call) -> None:
    asked = call.request.json()
    chance = random.Random(asked["seed"])
    words = [chance.choice("abcdefgh") * chance.randrange(1, 16) + " " for _ in range(chance.choice((1, 3, 10, 60)))]
    if asked["way"] == "error":
        call.json({"error": {"message": "".join(words), "type": "server_error", "code": None, "param": None}}, status=400)
    elif not asked["stream"]:
        call.json(completion(asked["model"], {"content": "".join(words) * chance.choice((1, 5, 100))}))
    elif asked["way"] == "odd":
        # Events cut and joined by the engine's own writes, comments, other line ends, one larger than a sealed chunk.
        call.begin(chance.choice(("text/event-stream", "text/event-stream; charset=utf-8")))
        data = b"".join(b"data: %s\r\n\r\n: ping\n\n" % json.dumps({"x": word}).encode() for word in words)
        data += b"data: " + json.dumps({"x": "z" * chance.randrange(40_000)}).encode() + b"\n\n"
        for at in range(0, len(data), 700):
            call.raw(data[at:at + 700])
        call.end()
    else:
        call.begin()
        for word in words:
            call.text(word)
        call.end()


@pytest.fixture(scope="module")
def seen(module_world: World) -> list[Seen]:
    world = module_world
    engine = world.engine()
    engine.default = answer
    middle = world.recorder(world.gateway(engine).url)
    daemon = world.daemon(middle.url).ready()
    chance = random.Random(8)
    streamed = []
    for _ in range(ANSWERS):
        body, stream = varied(chance)
        asked = json.loads(body)
        got = client.request(daemon.url, "POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        assert got.status in (200, 400) and got.whole
        streamed.append(stream and asked["way"] != "error")
    exchanges = [e for e in middle.exchanges() if relay.is_request(e[0])]
    assert len(exchanges) == ANSWERS
    return [Seen(stream, request, response, split_sealed(request.body, REQUEST_HEADER_SIZE),
                 split_sealed(response.body, ANSWER_NONCE_SIZE))
            for stream, (request, response) in zip(streamed, exchanges, strict=True)]


def test_requests_come_in_few_lengths(seen: list[Seen]) -> None:
    for exchange in seen:
        sizes = exchange.sealed_request.plaintext_sizes
        assert all(size == CHUNK for size in sizes[:-1])
        assert sum(sizes) % (KIB if sum(sizes) <= CHUNK else CHUNK) == 0
    assert len({sum(exchange.sealed_request.plaintext_sizes) for exchange in seen}) <= 16 + 7


def test_streamed_answers_come_in_steps(seen: list[Seen]) -> None:
    streamed = [exchange for exchange in seen if exchange.streamed]
    assert len(streamed) > ANSWERS // 4
    for exchange in streamed:
        for size in exchange.sealed_answer.plaintext_sizes:
            assert size % EVENT_STEP == 0 and size <= CHUNK
    # One token more or less in an event makes no other length.
    usual = [size for exchange in streamed for size in exchange.sealed_answer.plaintext_sizes]
    assert max(usual.count(size) for size in set(usual)) > len(usual) // 2


def test_whole_answers_come_in_steps(seen: list[Seen]) -> None:
    whole = [exchange for exchange in seen if not exchange.streamed]
    assert len(whole) > ANSWERS // 4
    for exchange in whole:
        sizes = exchange.sealed_answer.plaintext_sizes
        assert all(size == CHUNK for size in sizes[:-1])
        assert sum(sizes) % KIB == 0


def test_every_wire_length_follows_from_sealed_lengths(seen: list[Seen]) -> None:
    """Heads are equally long for all, and outer chunks end where sealed chunks end."""
    assert len({exchange.request.head for exchange in seen}) == 1
    assert len({len(exchange.answer.head) for exchange in seen}) == 1  # they hold a date
    for exchange in seen:
        for message, sealed in ((exchange.request, exchange.sealed_request), (exchange.answer, exchange.sealed_answer)):
            ends = {sealed.header_size} | {end for _, _, end in sealed.chunks}
            assert set(itertools.accumulate(message.pieces)) <= ends

