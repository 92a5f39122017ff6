# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""Secrets in every place of 200 requests; then every byte that left a program is searched for them."""

import base64
import json
import os
import pathlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from conftest import World

from waxwing_e2e import client
from waxwing_e2e.engine import MODEL, Call, Engine, completion
from waxwing_e2e.programs import Program
from waxwing_e2e.search import Canary, Search, forms_of

REQUESTS = 200


@dataclass
class Canaries:
    prompt: Canary = field(default_factory=lambda: Canary("prompt"))
    path: Canary = field(default_factory=lambda: Canary("path", decorated=False))
    query: Canary = field(default_factory=lambda: Canary("query", decorated=False))
    header: Canary = field(default_factory=lambda: Canary("header", decorated=False))
    api_key: Canary = field(default_factory=lambda: Canary("API key", decorated=False))
    user: Canary = field(default_factory=lambda: Canary("user"))
    tool_arguments: Canary = field(default_factory=lambda: Canary("tool arguments"))
    output: Canary = field(default_factory=lambda: Canary("model output"))

    def all(self) -> list[Canary]:
        return list(vars(self).values())


@dataclass
class Traffic:
    """What 200 requests left behind."""
    canaries: Canaries
    search: Search
    engine: Engine
    places: dict[str, bytes]
    answers: list[client.Answer]
    own_errors: list[client.Answer]


def answer_of(canaries: Canaries, call: Call, chance: random.Random) -> None:
    """The secret of the output, and the arguments that the request brought, in one of the ways engines answer."""
    asked = call.request.json()
    output = f"{'a' * chance.randrange(300)} {canaries.output.text} {'b' * chance.randrange(3000)}"
    tool = {"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "look_up", "arguments": json.dumps({"q": canaries.tool_arguments.text})}}
    way = asked.get("way", "whole")
    if way == "error":
        call.json({"error": {"message": output, "type": "server_error", "code": None, "param": None}}, status=500)
    elif way == "cut":
        call.begin()
        call.text(output)
        call.abort()
    elif asked.get("stream"):
        call.begin()
        half = len(output) // 2
        call.text(output[:half])
        call.text(output[half:])
        call.event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
                    "choices": [{"index": 0, "delta": {"tool_calls": [tool]}, "finish_reason": None}]})
        call.end()
    else:
        call.json(completion(asked["model"], {"content": output, "tool_calls": [tool]}))


def varied_requests(canaries: Canaries, chance: random.Random) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
    key = {"authorization": f"Bearer sk-{canaries.api_key.text}", "x-stainless-note": canaries.header.text,
           "cookie": f"session={canaries.header.text}", "user-agent": f"app/{canaries.header.text}",
           "openai-beta": canaries.header.text}
    json_type = {"content-type": "application/json"}
    query = f"?trace={canaries.query.text}"
    for number in range(REQUESTS):
        prompt = f"{'x' * chance.randrange(2000)}{canaries.prompt.text}{'y' * chance.choice((0, 10, 5000, 70_000))}"
        members = {"model": MODEL, "user": canaries.user.text, "stream": number % 2 == 0,
                   "messages": [{"role": "user", "content": prompt},
                                {"role": "assistant", "tool_calls": [{"id": "call_0", "type": "function", "function": {
                                    "name": "look_up", "arguments": json.dumps({"q": canaries.tool_arguments.text})}}]},
                                {"role": "tool", "tool_call_id": "call_0", "content": canaries.tool_arguments.text}]}
        if number % 20 == 11:
            members["way"] = "error"
        if number % 20 == 12:
            members["way"] = "cut"
        body = json.dumps(members, ensure_ascii=number % 3 == 0).encode()
        kind = number % 10
        if kind == 3:
            yield "GET", f"/v1/models/{quote(canaries.path.text)}{query}", None, key
        elif kind == 4:
            yield "POST", f"/v1/{canaries.path.text}{query}", body, key | json_type
        elif kind == 5:
            yield "POST", f"/v1/chat/completions{query}", body[:-20], key | json_type  # malformed
        elif kind == 6:
            yield "POST", "/v1/chat/completions", body, key | {"content-type": f"text/{canaries.header.text}"}
        elif kind == 7:
            yield "POST", f"/v1/responses{query}", body, key | json_type
        elif kind == 8:
            yield "POST", "/v1/chat/completions", body, key | json_type | {"origin": f"http://{canaries.header.text}.example"}
        else:
            yield "POST", f"/v1/chat/completions{query}", body, key | json_type


def files_below(directory: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def process_view(program: Program) -> dict[str, bytes]:
    """What the system shows of a process to others."""
    found = {}
    for name in ("cmdline", "comm", "environ", "maps"):
        try:
            found[f"/proc of {program.log_file.name}: {name}"] = pathlib.Path(f"/proc/{program.pid}/{name}").read_bytes()
        except PermissionError:
            pass  # nobody else can read it either
    return found


def files_held_open(program: Program) -> set[str]:
    """Regular files outside of the test's directories that a process has open for writing."""
    held = set()
    try:
        for entry in os.scandir(f"/proc/{program.pid}/fd"):
            target = os.readlink(entry.path)
            flags = pathlib.Path(f"/proc/{program.pid}/fdinfo/{entry.name}").read_text(encoding="ascii")
            access = int(flags.split("flags:")[1].split()[0], 8) & os.O_ACCMODE
            if target.startswith("/") and os.path.isfile(target) and access != os.O_RDONLY:
                held.add(target)
    except PermissionError:
        pytest.skip("this user may not look into the processes")
    return held


@pytest.fixture(scope="module")
def traffic(module_world: World) -> Traffic:
    world = module_world
    chance = random.Random(9)
    canaries = Canaries()
    engine = world.engine()
    engine.default = lambda call: answer_of(canaries, call, chance)
    gateway = world.gateway(engine)
    middle = world.recorder(gateway.url)
    daemon = world.daemon(middle.url, log={"level": "debug", "format": "json"}).ready()

    answers, own_errors = [], []
    for method, target, body, fields in varied_requests(canaries, chance):
        answer = client.request(daemon.url, method, target, body, fields)
        answers.append(answer)
        if answer.status != 200 and "x-should-retry" in answer.fields:
            own_errors.append(answer)
    metrics = client.get(daemon.url, "/metrics").body + client.get(daemon.url, "/readyz").body
    gateway_metrics = client.get(gateway.url, "/metrics").body

    places = {"to the gateway": b"".join(bytes(r.to_gateway) for r in middle.recordings),
              "to the daemon": b"".join(bytes(r.to_daemon) for r in middle.recordings),
              "metrics and readiness": metrics, "metrics of the gateway": gateway_metrics,
              "own error bodies": b"".join(json.dumps(answer.fields).encode() + answer.body for answer in own_errors)}
    for number, recording in enumerate(middle.recordings):
        places[f"connection {number}, to the gateway"] = bytes(recording.to_gateway)
        places[f"connection {number}, to the daemon"] = bytes(recording.to_daemon)
    for program in (daemon, gateway):
        held = {path for path in files_held_open(program) if not path.startswith(str(world.directory))}
        assert held == set(), "files are written elsewhere"
        places |= process_view(program)
        program.stop()
        places[f"standard output of {program.log_file.name}"] = "\n".join(program.output).encode()
    places |= files_below(world.directory)
    places |= files_below(world.root.state)
    return Traffic(canaries, Search(canaries.all()), engine, places, answers, own_errors)


def test_the_secrets_did_travel(traffic: Traffic) -> None:
    """Else finding none would show nothing."""
    assert len(traffic.answers) == REQUESTS
    received = b"".join(json.dumps([r.target, r.fields], ensure_ascii=False).encode() + r.body for r in traffic.engine.requests)
    given = b"".join(answer.body for answer in traffic.answers)
    for canary in (traffic.canaries.prompt, traffic.canaries.query, traffic.canaries.api_key, traffic.canaries.user,
                   traffic.canaries.tool_arguments):
        assert all(half.encode() in received for half in canary.halves), canary.kind
    assert all(half.encode() in given for half in traffic.canaries.output.halves)
    assert len(traffic.engine.asked()) >= REQUESTS // 2
    assert len(traffic.own_errors) >= 30
    assert len(traffic.places["to the gateway"]) > 500_000 and len(traffic.places["to the daemon"]) > 200_000


def test_no_secret_is_found_anywhere(traffic: Traffic) -> None:
    assert any(name.endswith("waxwing.log") for name in traffic.places)
    assert any(name.endswith("waxwing-gateway.log") for name in traffic.places)
    found = {name: finds for name, data in traffic.places.items() if (finds := traffic.search.finds(data))}
    assert found == {}


def test_keys_from_files_stay_in_their_files(world: World) -> None:
    provider, client_key = Canary("provider's key", decorated=False), Canary("key of the gateway's clients", decorated=False)
    engine = world.engine()
    keys = world.home("keys")
    keys.mkdir()
    (keys / "engine").write_text(provider.text + "\n", encoding="ascii")
    (keys / "clients").write_text(f"test:{client_key.text}\n", encoding="ascii")
    (keys / "daemon").write_text(client_key.text + "\n", encoding="ascii")
    for file in keys.iterdir():
        file.chmod(0o600)
    gateway = world.gateway(engine, engine={"api_key_file": str(keys / "engine")}, clients={"keys_file": str(keys / "clients")})
    middle = world.recorder(gateway.url)
    daemon = world.daemon(middle.url, provider={"api_key_file": str(keys / "daemon")}).ready()
    assert client.chat(daemon.url, fields={"authorization": "Bearer the app's own"}).status == 200
    asked, = engine.asked()
    assert asked.field("authorization") == f"Bearer {provider.text}"

    places = {"wire": b"".join(bytes(r.to_gateway + r.to_daemon) for r in middle.recordings)}
    for program in (daemon, gateway):
        places |= process_view(program)
        program.stop()
        places |= files_below(program.home)
    search = Search([provider, client_key])
    assert {name: finds for name, data in places.items() if (finds := search.finds(data))} == {}


def test_logs_at_debug_level_did_say_something(traffic: Traffic) -> None:
    for name in ("waxwing.log", "waxwing-gateway.log"):
        log = b"".join(data for place, data in traffic.places.items() if place.endswith("/" + name))
        assert b"debug" in log or b"info" in log, name


@pytest.mark.parametrize("form", sorted(forms_of("x" * 12)))
def test_the_search_finds_a_planted_secret(form: str) -> None:
    canary = Canary("planted")
    search = Search([canary])
    for half in canary.halves:
        planted = forms_of(half)[form]
        assert ("planted", form) in search.finds(b"some bytes before " + planted + b" and after")


def chunked(pieces: list[bytes]) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_the_search_finds_a_planted_secret_across_chunk_borders_and_in_whole_encoded_bodies() -> None:
    canary = Canary("planted")
    search = Search([canary])
    text = canary.text.encode()
    assert search.finds(b"nothing here") == set()
    for at in range(1, len(text)):
        assert search.finds(chunked([b"before", text[:at], text[at:], b"after"])) >= {("planted", "plain")}, at
    for before in range(3):
        body = base64.b64encode(b"." * before + json.dumps({"content": canary.text}).encode())
        assert search.finds(chunked([body[:9], body[9:]])), before


def test_one_half_is_enough() -> None:
    canary = Canary("planted")
    for half in canary.halves:
        assert ("planted", "plain") in Search([canary]).finds(half.encode())
