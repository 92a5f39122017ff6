# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in bytes, in every form in which they might have been written."""

import base64
import io
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from waxwing_e2e.wire import Incomplete, read_message

HALF_SIZE = 12  # random characters; a chance find is out of the question


def forms_of(text: str) -> dict[str, bytes]:
    """Name of a form -> the bytes it leaves, whatever stands before and after."""
    raw = text.encode()
    forms = {
        "plain": raw,
        "reversed": raw[::-1],
        "JSON-escaped": json.dumps(text)[1:-1].encode(),
        "JSON-escaped throughout": "".join(f"\\u{ord(c):04x}" for c in text).encode(),
        "JSON-escaped throughout, capitals": "".join(f"\\u{ord(c):04X}" for c in text).encode(),
        "URL-encoded": quote(text, safe="").encode(),
        "URL-encoded with plus": quote_plus(text, safe="").encode(),
        "URL-encoded throughout": "".join(f"%{b:02x}" for b in raw).encode(),
        "URL-encoded throughout, capitals": "".join(f"%{b:02X}" for b in raw).encode(),
        "hexadecimal": raw.hex().encode(),
        "hexadecimal, capitals": raw.hex().upper().encode(),
        "UTF-16": text.encode("utf-16-le"),
    }
    for alphabet, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for alignment in range(3):
            # What the bytes before and after touch is left out, the rest is the same wherever the text stands.
            encoded = encode(bytes(alignment) + raw)
            first = -(-alignment * 8 // 6)
            last = (alignment + len(raw)) * 8 // 6
            forms[f"{alphabet} at {alignment}"] = encoded[first:last]
    return forms


@dataclass
class Canary:
    """A secret of one kind. Each half of its random part is looked for by itself: a find needs no more than that, wherever
    the text was split."""
    kind: str
    decorated: bool = True  # with characters that are escaped differently by everyone
    halves: tuple[str, str] = field(default_factory=lambda: (secrets.token_hex(HALF_SIZE // 2), secrets.token_hex(HALF_SIZE // 2)))

    @property
    def text(self) -> str:
        middle = '-"ü/\\+ é&?' if self.decorated else "-"
        return self.halves[0] + middle + self.halves[1]


class Search:
    def __init__(self, canaries: list[Canary]) -> None:
        self._needles = [(canary.kind, name, needle) for canary in canaries for half in canary.halves
                         for name, needle in forms_of(half).items()]

    def finds(self, data: bytes) -> set[tuple[str, str]]:
        """(kind, form) of everything found, also in what is left when HTTP's framing is taken off."""
        found = set()
        for view in (data, bodies_of(data)):
            found |= {(kind, name) for kind, name, needle in self._needles if needle in view}
        return found


def bodies_of(stream: bytes) -> bytes:
    """The bodies of the HTTP messages that `stream` is made of, one after the other: what was split by chunk borders is
    whole again."""
    reader = io.BytesIO(stream)
    bodies = b""
    try:
        while (message := read_message(reader)) is not None:
            bodies += message.body
    except (Incomplete, ValueError, IndexError):
        pass
    return bodies
