# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Ten thousand attestation questions in a burst (docs/protocols/waxwing.md section 11)."""

import asyncio
import base64
import collections
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field

from conftest import World

from waxwing_e2e import client, programs, relay

QUESTIONS = 10_000
CONNECTIONS = 1_000
SOURCES = 10  # with 64 waiting questions allowed to each
REPORTS_PER_SECOND = 2


@dataclass
class Flood:
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    reports: set[str] = field(default_factory=set)  # distinct hardware reports among the answers
    wrong_paths: int = 0
    begun: threading.Event = field(default_factory=threading.Event)


def root_of(nonce: bytes, path: dict) -> bytes:
    """The tree's root, as RFC 9162 section 2.1.3.2 computes it from an audit path."""
    node = hashlib.sha256(b"\0" + nonce).digest()
    at, last = path["index"], path["size"] - 1
    for other in map(base64.b64decode, path["nodes"]):
        assert last != 0
        if at % 2 == 1 or at == last:
            node = hashlib.sha256(b"\1" + other + node).digest()
            while at % 2 == 0 and at != 0:
                at, last = at // 2, last // 2
        else:
            node = hashlib.sha256(b"\1" + node + other).digest()
        at, last = at // 2, last // 2
    assert last == 0
    return node


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flood: Flood) -> None:
    nonce = secrets.token_bytes(32)
    text = base64.urlsafe_b64encode(nonce).decode().rstrip("=")
    writer.write(f"GET {relay.ATTESTATION_PATH}?nonce={text} HTTP/1.1\r\nhost: worker\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    body = await reader.readexactly(length)
    flood.statuses[status] += 1
    flood.begun.set()
    if status != 200:
        assert b"\r\nretry-after: " in head.lower()
        return
    document = json.loads(body)
    report = base64.b64decode(document["evidence"][0]["data"])
    statement = base64.b64decode(document["statement"])
    flood.reports.add(document["evidence"][0]["data"])
    bound = hashlib.sha512(b"waxwing/1 report-data\0" + root_of(nonce, document["nonce_path"]) +
                           hashlib.sha512(statement).digest()).digest()
    flood.wrong_paths += report[0x50:0x90] != bound


async def one_connection(port: int, source: int, questions: int, flood: Flood) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.1.{source + 1}", 0), limit=1 << 20)
    for _ in range(questions):
        await ask(reader, writer, flood)
    writer.close()


async def pour(port: int, flood: Flood) -> None:
    await asyncio.gather(*(one_connection(port, number % SOURCES, QUESTIONS // CONNECTIONS, flood)
                           for number in range(CONNECTIONS)))


def test_flood_makes_few_reports_and_an_honest_client_gets_its_session(world: World) -> None:
    gateway = world.gateway("builtin", attestation={"reports_per_second": REPORTS_PER_SECOND})
    flood = Flood()
    started = time.monotonic()
    pouring = threading.Thread(target=lambda: asyncio.run(pour(int(gateway.url.rpartition(":")[2]), flood)))
    pouring.start()
    assert flood.begun.wait(programs.START_GUARD)
    # Both within the time that an attestation may take by default: else they would end with an error.
    verdict = programs.run(world.home("verify"), "waxwing", "verify", gateway.url, "--policy", str(world.policy()))
    daemon = world.daemon(gateway.url).ready()
    assert client.chat(daemon.url, model="waxwing-builtin").status == 200
    honest_done = time.monotonic()
    still_pouring = pouring.is_alive()
    pouring.join()
    elapsed = time.monotonic() - started

    assert verdict.returncode == 0, verdict.stderr
    assert still_pouring, f"the flood was over before the honest client was served ({honest_done - started:.1f} s)"
    assert sum(flood.statuses.values()) == QUESTIONS
    assert set(flood.statuses) == {200, 429}
    assert flood.wrong_paths == 0
    assert 1 <= len(flood.reports) <= elapsed * REPORTS_PER_SECOND + 1
