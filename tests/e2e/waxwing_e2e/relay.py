# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""The hostile middle: relays between daemon and gateway. They see the outer HTTP in the clear."""

import io
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from waxwing_e2e.wire import Incomplete, Message, read_message

ATTESTATION_PATH = "/.well-known/waxwing/attestation"
REQUEST_PATH = "/.well-known/waxwing/request/"


def is_attestation(message: Message) -> bool:
    return message.target.startswith(ATTESTATION_PATH)


def is_request(message: Message) -> bool:
    return message.target.startswith(REQUEST_PATH)


class _Listener:
    """Accepts on a free port of 127.0.0.1, one thread per connection."""

    def __init__(self, target_url: str) -> None:
        self.target_url = target_url
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return "http://127.0.0.1:%d" % self._socket.getsockname()[1]

    def dial(self) -> socket.socket:
        host, _, port = self.target_url.removeprefix("http://").rpartition(":")
        connection = socket.create_connection((host, int(port)))
        self._hold(connection)
        return connection

    def drop_connections(self) -> None:
        """Every connection ends with a reset."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self) -> None:
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self.drop_connections()

    def _hold(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)

    def release(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
        try:
            connection.shutdown(socket.SHUT_RDWR)  # a reader made of it would keep it open
        except OSError:
            pass
        connection.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._hold(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        try:
            self.serve(connection)
        except (OSError, Incomplete, ValueError):
            pass
        finally:
            self.release(connection)

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


@dataclass
class Recording:
    to_gateway: bytearray = field(default_factory=bytearray)
    to_daemon: bytearray = field(default_factory=bytearray)

    def exchanges(self) -> list[tuple[Message, Message]]:
        """The whole exchanges of this connection, in order."""
        requests, answers = io.BytesIO(bytes(self.to_gateway)), io.BytesIO(bytes(self.to_daemon))
        found = []
        try:
            while (request := read_message(requests)) is not None:
                answer = read_message(answers)
                if answer is None:
                    break
                found.append((request, answer))
        except Incomplete:
            pass
        return found


class RecordingRelay(_Listener):
    """Passes every byte on as it comes, both ways, and keeps it. `target_url` may change between connections."""

    def __init__(self, target_url: str) -> None:
        self.recordings: list[Recording] = []
        super().__init__(target_url)

    def exchanges(self) -> list[tuple[Message, Message]]:
        return [exchange for recording in list(self.recordings) for exchange in recording.exchanges()]

    def serve(self, connection: socket.socket) -> None:
        gateway = self.dial()
        recording = Recording()
        self.recordings.append(recording)
        ways = {connection: (gateway, recording.to_gateway), gateway: (connection, recording.to_daemon)}
        try:
            while True:
                readable, _, _ = select.select(list(ways), [], [])
                for source in readable:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    target, record = ways[source]
                    record += data
                    target.sendall(data)
        finally:
            self.release(gateway)


@dataclass(frozen=True)
class Cut:
    """An answer whose outer HTTP ends early: its first `keep` bytes, then a clean end of the outer body or a reset."""
    answer: Message
    keep: int
    clean: bool


OnRequest = Callable[[Message], Message | None]
OnAnswer = Callable[[Message, Message], Message | Cut]


class TamperingRelay(_Listener):
    """Takes each message whole and passes on what a hook makes of it.

    on_request: gives the request to pass on, or nothing: then on_answer answers in the gateway's place, and gets an empty
    message as the gateway's answer.
    """

    def __init__(self, target_url: str) -> None:
        self.on_request: OnRequest = lambda request: request
        self.on_answer: OnAnswer = lambda request, answer: answer
        self.requests: list[Message] = []  # as the daemon sent them
        super().__init__(target_url)

    def sealed(self) -> list[Message]:
        return [request for request in list(self.requests) if is_request(request)]

    def attestations(self) -> int:
        return sum(is_attestation(request) for request in list(self.requests))

    def serve(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        while (request := read_message(reader)) is not None:
            self.requests.append(request)
            passed = self.on_request(request)
            answer = Message("HTTP/1.1 000 none") if passed is None else self.ask(passed)
            answer = self.on_answer(request, answer)
            if isinstance(answer, Cut):
                self._send_cut(connection, answer)
                return
            connection.sendall(answer.encode())

    def ask(self, request: Message) -> Message:
        gateway = self.dial()
        try:
            gateway.sendall(request.encode())
            answer = read_message(gateway.makefile("rb"))
        finally:
            self.release(gateway)
        if answer is None:
            raise Incomplete
        return answer

    @staticmethod
    def _send_cut(connection: socket.socket, cut: Cut) -> None:
        kept = cut.answer.body[:cut.keep]
        framed = b"%x\r\n%s\r\n" % (len(kept), kept) if kept else b""
        connection.sendall(cut.answer.bytes_of_head(("transfer-encoding", "chunked")) + framed)
        if cut.clean:
            connection.sendall(b"0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)


def answer(status: int, body: bytes = b"", **fields: str) -> Message:
    named = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return Message(f"HTTP/1.1 {status} Whatever", named, body)
