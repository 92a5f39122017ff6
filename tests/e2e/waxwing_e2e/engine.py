# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""A fake inference engine: keeps every request, answers each as the script of its model says."""

import http.server
import json
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MODEL = "fake-model"
HANG_GUARD = 60.0  # seconds: no test waits for it; what would hang fails instead


@dataclass
class Request:
    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def field(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name), None)

    @property
    def model(self) -> str:
        try:
            return self.json()["model"]
        except (ValueError, KeyError, TypeError):
            return ""


class Call:
    """One request being answered. A script uses either json() or begin(), event()..., end()."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler, request: Request) -> None:
        self._handler = handler
        self.request = request

    def reply(self, status: int, body: bytes, fields: dict[str, str] | None = None) -> None:
        self._head(status, {"content-length": str(len(body)), "content-type": "application/json", **(fields or {})})
        self._write(body)

    def json(self, value: Any, status: int = 200, fields: dict[str, str] | None = None) -> None:
        self.reply(status, json.dumps(value).encode(), fields)

    def begin(self, content_type: str = "text/event-stream", fields: dict[str, str] | None = None) -> None:
        self._head(200, {"transfer-encoding": "chunked", "content-type": content_type, **(fields or {})})

    def raw(self, data: bytes) -> None:
        self._write(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, value: Any) -> None:
        self.raw(b"data: " + json.dumps(value).encode() + b"\n\n")

    def text(self, content: str) -> None:
        self.event(chunk(self.request.model, {"content": content}))

    def end(self) -> None:
        self.event(chunk(self.request.model, {}, "stop"))
        self.raw(b"data: [DONE]\n\n")
        self.finish()

    def finish(self) -> None:
        self._write(b"0\r\n\r\n")

    def abort(self) -> None:
        """Ends the connection as a crash would: with a reset."""
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True
        self._handler.wfile.close()
        self._handler.rfile.close()
        connection.close()

    def hang_up(self) -> None:
        """Ends the connection in order, but before the end of the answer."""
        self._handler.close_connection = True

    def client_leaves(self) -> bool:
        """Waits until the other side closes; false if it never does."""
        readable, _, _ = select.select([self._handler.connection], [], [], HANG_GUARD)
        try:
            return bool(readable) and self._handler.connection.recv(1, socket.MSG_PEEK) == b""
        except ConnectionError:
            return True

    def _head(self, status: int, fields: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
        self._write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def _write(self, data: bytes) -> None:
        self._handler.wfile.write(data)


Script = Callable[[Call], None]


def chunk(model: str, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def completion(model: str, message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}


def say(text: str, pieces: int = 3) -> Script:
    """Answers `text`, streamed in that many events where a stream was asked for."""
    def script(call: Call) -> None:
        asked = call.request.json()
        if not asked.get("stream"):
            call.json(completion(asked["model"], {"content": text}))
            return
        call.begin()
        step = max(1, -(-len(text) // pieces))
        for at in range(0, len(text), step):
            call.text(text[at:at + step])
        call.end()
    return script


@dataclass
class Engine:
    """Listens on a free port of 127.0.0.1 until close()."""
    default: Script = field(default_factory=lambda: say("The answer is 42."))

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self.incomplete = 0  # requests whose body never came to its end
        self._scripts: dict[str, Script] = {}
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self) -> None:
                engine._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = serve

            def log_message(self, *_: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_: Any) -> None:  # clients leave, on purpose
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, model: str, script: Script) -> None:
        self._scripts[model] = script

    def asked(self, model: str = "") -> list[Request]:
        """Requests with a body so far, of that model or of all."""
        return [r for r in self.requests if r.method == "POST" and (not model or r.model == model)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = _body_of(handler)
        if body is None:
            self.incomplete += 1
            handler.close_connection = True
            return
        request = Request(handler.command, handler.path, list(handler.headers.items()), body)
        self.requests.append(request)
        call = Call(handler, request)
        if request.method == "GET" and request.target.partition("?")[0] == "/v1/models":
            call.json({"object": "list", "data": [
                {"id": MODEL, "object": "model", "created": 1, "owned_by": "test"}]})
            return
        self._scripts.get(request.model, self.default)(call)


def _body_of(handler: http.server.BaseHTTPRequestHandler) -> bytes | None:
    """The whole body, or nothing if it is cut."""
    if handler.headers.get("transfer-encoding", "").lower() != "chunked":
        length = int(handler.headers.get("content-length", "0"))
        body = handler.rfile.read(length)
        return body if len(body) == length else None
    body = b""
    while True:
        line = handler.rfile.readline()
        if not line.endswith(b"\r\n"):
            return None
        size = int(line.split(b";")[0], 16)
        piece = handler.rfile.read(size + 2)
        if len(piece) != size + 2:
            return None
        if size == 0:
            return body
        body += piece[:-2]
