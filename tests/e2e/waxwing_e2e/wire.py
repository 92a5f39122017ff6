# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 messages and sealed bodies as they stand on the wire (docs/protocols/waxwing.md section 6)."""

import socket
from dataclasses import dataclass, field, replace
from typing import BinaryIO

TAG_SIZE = 16
REQUEST_HEADER_SIZE = 7 + 1120  # key id, KEM, KDF, AEAD; X-Wing's encapsulation
ANSWER_NONCE_SIZE = 32


@dataclass(frozen=True)
class Message:
    """A request or an answer; `start` is its first line, `body` what is left when the framing is taken off."""
    start: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    head: bytes = field(default=b"", compare=False)  # as it came
    pieces: tuple[int, ...] = ()  # sizes of the outer chunks that the body came in

    @property
    def target(self) -> str:
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    def value(self, name: str) -> str:
        return next((value for key, value in self.fields if key.lower() == name), "")

    def with_body(self, body: bytes) -> "Message":
        return replace(self, body=body)

    def bytes_of_head(self, framing: tuple[str, str]) -> bytes:
        kept = [f for f in self.fields if f[0].lower() not in ("content-length", "transfer-encoding")]
        lines = [self.start, *(f"{name}: {value}" for name, value in [*kept, framing])]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def encode(self) -> bytes:
        return self.bytes_of_head(("content-length", str(len(self.body)))) + self.body


class Incomplete(Exception):
    """The bytes end inside a message."""


def read_head(stream: BinaryIO) -> Message | None:
    """Nothing at the end of the stream; Incomplete inside a head."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            if not head:
                return None
            raise Incomplete
        head += line
    start, *rest = head.decode("latin-1").split("\r\n")[:-2]
    fields = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in rest))
    return Message(start, fields, head=head)


def read_message(stream: BinaryIO) -> Message | None:
    message = read_head(stream)
    if message is None:
        return None
    if message.value("transfer-encoding").lower() == "chunked":
        pieces = _read_chunked(stream)
        return replace(message, body=b"".join(pieces), pieces=tuple(map(len, pieces)))
    length = int(message.value("content-length") or "0")
    body = stream.read(length)
    if len(body) != length:
        raise Incomplete
    return message.with_body(body)


def _read_chunked(stream: BinaryIO) -> list[bytes]:
    pieces = []
    while True:
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise Incomplete
        size = int(line.split(b";")[0], 16)
        piece = stream.read(size + 2)
        if len(piece) != size + 2:
            raise Incomplete
        if size == 0:
            return pieces
        pieces.append(piece[:-2])


def send_and_read(stream: socket.socket, reader: BinaryIO, message: Message) -> Message | None:
    stream.sendall(message.encode())
    return read_message(reader)


@dataclass(frozen=True)
class Sealed:
    """A sealed body: what stands before the chunks, and for each chunk where it begins, where its sealed bytes begin, and
    where it ends. The last one ends with the body."""
    header_size: int
    chunks: tuple[tuple[int, int, int], ...]

    @property
    def borders(self) -> tuple[int, ...]:
        """Every place where a chunk begins; a body cut there holds whole chunks only."""
        return tuple(begin for begin, _, _ in self.chunks)

    @property
    def plaintext_sizes(self) -> tuple[int, ...]:
        return tuple(end - sealed - TAG_SIZE for _, sealed, end in self.chunks)


def split_sealed(body: bytes, header_size: int) -> Sealed:
    at = header_size
    chunks = []
    while True:
        begin = at
        size, at = _read_varint(body, at)
        if size == 0:
            chunks.append((begin, at, len(body)))
            return Sealed(header_size, tuple(chunks))
        if at + size > len(body):
            raise Incomplete
        chunks.append((begin, at, at + size))
        at += size


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    if at >= len(body):
        raise Incomplete
    size = 1 << (body[at] >> 6)
    if at + size > len(body):
        raise Incomplete
    value = int.from_bytes(body[at:at + size], "big") & ((1 << (8 * size - 2)) - 1)
    return value, at + size
