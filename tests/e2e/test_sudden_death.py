# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Something dies while an answer is on its way: the app is told so."""

import http.client
import socket
import threading
from collections.abc import Callable

import pytest
from conftest import World

from waxwing_e2e import client, programs
from waxwing_e2e.engine import HANG_GUARD, Call, Engine


def half_a_stream(until: threading.Event) -> Callable[[Call], None]:
    def script(call: Call) -> None:
        call.begin()
        call.text("half an ")
        until.wait(programs.START_GUARD)
        call.abort()
    return script


def stream_in_background(url: str) -> tuple[threading.Thread, list[client.Answer], threading.Event]:
    """Starts a streamed request; the event is set when its first bytes have come."""
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
