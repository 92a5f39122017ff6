# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""A sealed request that was changed on its way never reaches the engine whole."""

import socket
from collections.abc import Callable

from conftest import World

from waxwing_e2e import client, relay, wire
from waxwing_e2e.engine import Engine
from waxwing_e2e.wire import REQUEST_HEADER_SIZE, Message, split_sealed


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
