# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""A bare HTTP client: it never sends anything twice, and tells a whole answer from a cut one."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

from waxwing_e2e.engine import HANG_GUARD, MODEL


@dataclass
class Answer:
    status: int
    fields: dict[str, str]
    body: bytes
    whole: bool  # the answer came to the end that HTTP gives it

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of an error body."""
        return self.json()["error"]["code"]

    def events(self) -> list[Any]:
        """The data of each whole event, "[DONE]" left out."""
        found = []
        for event in self.body.split(b"\n\n")[:-1]:
            for line in event.split(b"\n"):
                if line.startswith(b"data: ") and line != b"data: [DONE]":
                    found.append(json.loads(line[len(b"data: "):]))
        return found

    def text(self) -> str:
        """What the events say, put together."""
        return "".join(event["choices"][0]["delta"].get("content", "") for event in self.events() if "choices" in event)

    @property
    def done(self) -> bool:
        return b"data: [DONE]\n\n" in self.body

    @property
    def error_events(self) -> list[Any]:
        return [event["error"] for event in self.events() if "error" in event]


def request(url: str, method: str, target: str, body: bytes | None = None,
            fields: dict[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=HANG_GUARD)
    try:
        connection.request(method, target, body, fields or {})
        response = connection.getresponse()
        pieces = []
        whole = True
        try:
            while piece := response.read1(1 << 16):
                pieces.append(piece)
        except (http.client.HTTPException, ConnectionError):
            whole = False
        if response.length:  # bytes of the announced length are missing
            whole = False
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, b"".join(pieces), whole)
    finally:
        connection.close()


def get(url: str, target: str, fields: dict[str, str] | None = None) -> Answer:
    return request(url, "GET", target, None, fields)


def chat_body(text: str = "What is a waxwing?", model: str = MODEL, **members: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **members}).encode()


def chat(url: str, text: str = "What is a waxwing?", model: str = MODEL, fields: dict[str, str] | None = None,
         **members: Any) -> Answer:
    return request(url, "POST", "/v1/chat/completions", chat_body(text, model, **members),
                   {"content-type": "application/json", **(fields or {})})
