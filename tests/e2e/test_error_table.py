# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md: every code that an app can meet, brought about for real, as the OpenAI package shows it.

The page is made by this test: `scripts/venv.sh test -m pytest tests/e2e/test_error_table.py --write`.
"""

import asyncio
import itertools
import json
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openai
import openai._base_client
import pytest
from conftest import World

from waxwing_e2e import relay
from waxwing_e2e.engine import MODEL, Call, Engine, say
from waxwing_e2e.programs import SOURCE_DIR, Gateway
from waxwing_e2e.relay import Cut, TamperingRelay
from waxwing_e2e.wire import Message

PAGE = SOURCE_DIR / "docs" / "errors.md"
CODES = SOURCE_DIR / "include" / "waxwing" / "base" / "error.hpp"
NOBODY = "http://127.0.0.1:1"


@dataclass
class Trouble:
    """Where an app asks, and what is special about how it asks."""
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    path: str = "/chat/completions"
    content: str = "What is a waxwing?"


@dataclass
class Case:
    code: str
    when: str
    make: Callable[[World], Trouble]
    streamed: bool = False  # the error comes in mid-stream


@dataclass
class Outcome:
    """What one client showed."""
    exception: str
    code: str | None
    status: int | None
    tries: int  # of at most two
    waits: list[float]  # before the second try; the package's own back-off, or what retry-after said


# ---- The troubles ----


def behind_relay(world: World, spoil: Callable[[TamperingRelay], None], engine: Engine | None = None) -> Trouble:
    middle = world.tamperer(world.gateway(engine or world.engine()).url)
    daemon = world.daemon(middle.url).ready()
    spoil(middle)
    return Trouble(daemon.url)


def answers_in_place_of_gateway(answer: Message) -> Callable[[TamperingRelay], None]:
    def spoil(middle: TamperingRelay) -> None:
        middle.on_request = lambda request: request if relay.is_attestation(request) else None
        middle.on_answer = lambda request, real: real if relay.is_attestation(request) else answer
    return spoil


def changes_document(world: World, change: Callable[[dict], None]) -> Trouble:
    middle = world.tamperer(world.gateway("builtin").url)

    def on_answer(request: Message, answer: Message) -> Message:
        document = json.loads(answer.body)
        change(document)
        return answer.with_body(json.dumps(document).encode())
    middle.on_answer = on_answer
    return Trouble(world.daemon(middle.url).url)


def no_worker(world: World) -> Trouble:
    return Trouble(world.daemon(NOBODY).url)


def engine_down(world: World) -> Trouble:
    engine = world.engine()
    url = world.daemon(world.gateway(engine).url).ready().url
    engine.close()
    return Trouble(url)


def forged_hint(world: World) -> Trouble:
    return behind_relay(world, answers_in_place_of_gateway(relay.answer(422)))


def other_software(world: World) -> Trouble:
    gateway = world.gateway("builtin", evidence={"simulated_measurement": "5a" * 48})
    return Trouble(world.daemon(gateway.url).url)


def statement_changed(world: World) -> Trouble:
    def change(document: dict) -> None:
        document["statement"] = document["statement"].replace("A", "B", 1)
    return changes_document(world, change)


def unknown_kind(world: World) -> Trouble:
    return changes_document(world, lambda document: document["evidence"][0].update(kind="moon-rock"))


def no_gateway(world: World) -> Trouble:
    middle = world.tamperer(NOBODY)
    middle.on_request = lambda request: None
    middle.on_answer = lambda request, answer: relay.answer(200, b"<html>", content_type="text/html")
    return Trouble(world.daemon(middle.url).url)


def restless_worker(world: World) -> Trouble:
    """Each attestation finds another worker, each request is told that its worker is gone."""
    gateways: list[Gateway] = [world.gateway("builtin"), world.gateway("builtin")]
    turns = itertools.cycle(gateways)
    middle = world.tamperer(gateways[0].url)

    def on_request(request: Message) -> Message | None:
        if not relay.is_attestation(request):
            return None
        middle.target_url = next(turns).url
        return request
    middle.on_request = on_request
    middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else relay.answer(421)
    return Trouble(world.daemon(middle.url).ready().url)


def answer_tampered(world: World) -> Trouble:
    def spoil(middle: TamperingRelay) -> None:
        middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else answer.with_body(
            answer.body[:-1] + bytes([answer.body[-1] ^ 1]))
    return behind_relay(world, spoil)


def answer_cut(world: World) -> Trouble:
    def spoil(middle: TamperingRelay) -> None:
        middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else Cut(answer, 40, True)
    return behind_relay(world, spoil)


IN_MID_STREAM = 20_000  # some way into the second sealed chunk of a long stream


def long_stream(world: World) -> Engine:
    engine = world.engine()
    engine.default = say("word " * 8000, pieces=20)
    return engine


def stream_tampered(world: World) -> Trouble:
    def flipped(body: bytes) -> bytes:
        return body[:IN_MID_STREAM] + bytes([body[IN_MID_STREAM] ^ 1]) + body[IN_MID_STREAM + 1:]

    def spoil(middle: TamperingRelay) -> None:
        middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else answer.with_body(
            flipped(answer.body))
    return behind_relay(world, spoil, long_stream(world))


def stream_cut(world: World) -> Trouble:
    def spoil(middle: TamperingRelay) -> None:
        middle.on_answer = lambda request, answer: answer if relay.is_attestation(request) else Cut(
            answer, IN_MID_STREAM, False)
    return behind_relay(world, spoil, long_stream(world))


def slow_engine(world: World) -> Trouble:
    engine = world.engine()
    engine.default = lambda call: None if call.client_leaves() else None
    return Trouble(world.daemon(world.gateway(engine).url, provider={"first_byte": "100ms"}).ready().url)


def useless_engine(world: World) -> Trouble:
    engine = world.engine()

    def script(call: Call) -> None:
        call.reply(200, b"...", {"content-encoding": "gzip"})
    engine.default = script
    return Trouble(world.daemon(world.gateway(engine).url).ready().url)


def wrong_key(world: World) -> Trouble:
    keys = world.home("keys")
    keys.write_text("app:a-key-that-nobody-here-knows\n", encoding="ascii")
    gateway = world.gateway("builtin", clients={"keys_file": str(keys)})
    return Trouble(world.daemon(gateway.url).ready().url)


def repeated_by_relay(world: World) -> Trouble:
    def spoil(middle: TamperingRelay) -> None:
        def on_request(request: Message) -> Message:
            if relay.is_request(request):
                middle.ask(request)
            return request
        middle.on_request = on_request
    return behind_relay(world, spoil)


def working(world: World, **asked: Any) -> Trouble:
    limits = {"limits": {"body": "8KiB"}} if "content" in asked else {}
    return Trouble(world.daemon(world.gateway("builtin").url, **limits).ready().url, **asked)


CASES = [
    Case("worker_unreachable", "the provider's URL leads nowhere", no_worker),
    Case("worker_unreachable", "the engine behind the gateway is down", engine_down),
    Case("worker_unreachable", "the edge claims that a key is gone which is not", forged_hint),
    Case("worker_changed", "the worker behind the URL changes again and again", restless_worker),
    Case("policy_refused", "the worker runs other software than the policy names", other_software),
    Case("evidence_rejected", "the worker's statement was changed on its way", statement_changed),
    Case("evidence_unsupported", "the evidence is of an unknown kind", unknown_kind),
    Case("evidence_malformed", "the URL is not a gateway's", no_gateway),
    Case("answer_cut", "the sealed answer ends before anything of it was passed on", answer_cut),
    Case("answer_forged", "the sealed answer was changed on its way", answer_tampered),
    Case("answer_cut", "the sealed answer ends in mid-stream", stream_cut, streamed=True),
    Case("answer_forged", "a stream's sealed answer was changed on its way", stream_tampered, streamed=True),
    Case("deadline", "no byte of an answer within the provider's `first_byte`", slow_engine),
    Case("malformed", "the engine's answer cannot be used", useless_engine),
    Case("replayed", "the relay sent the request before, in the app's name", repeated_by_relay),
    Case("rate_limited", "the edge or the gateway asks to wait",
         lambda world: behind_relay(world, answers_in_place_of_gateway(relay.answer(429, retry_after="3")))),
    Case("unauthorized", "the gateway does not know the app's API key", wrong_key),
    Case("forbidden", "the request comes from a web page", lambda world: working(world, headers={"origin": "http://page.example"})),
    Case("bad_request", "the body is not declared as JSON", lambda world: working(world, headers={"content-type": "text/plain"})),
    Case("not_found", "the base URL or the path is wrong", lambda world: working(world, path="/chat/completion")),
    Case("too_large", "the body is larger than `limits.body`", lambda world: working(world, content="x" * 9000)),
]

# ---- What a client makes of them ----


class Watch:
    """Counts tries, keeps the code of the first error body, and makes the package's pauses none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reset()
        base = openai._base_client

        async def no_pause(seconds: float) -> None:
            self.waits.append(seconds)
        monkeypatch.setattr(base, "time", types.SimpleNamespace(sleep=lambda s: self.waits.append(s), time=base.time.time))
        monkeypatch.setattr(base, "anyio", types.SimpleNamespace(sleep=no_pause))

    def reset(self) -> None:
        self.tries = 0
        self.codes: list[str] = []
        self.waits: list[float] = []

    def sync_hooks(self) -> dict[str, list[Any]]:
        def on_response(response: Any) -> None:
            if response.status_code >= 400:
                self.keep_code(response.read())
        return {"request": [lambda request: self.count()], "response": [on_response]}

    def async_hooks(self) -> dict[str, list[Any]]:
        async def on_request(_: Any) -> None:
            self.count()

        async def on_response(response: Any) -> None:
            if response.status_code >= 400:
                self.keep_code(await response.aread())
        return {"request": [on_request], "response": [on_response]}

    def count(self) -> None:
        self.tries += 1

    def keep_code(self, body: bytes) -> None:
        self.codes.append(json.loads(body)["error"]["code"])

    def outcome(self, error: openai.APIError) -> Outcome:
        return Outcome(type(error).__name__, self.codes[0] if self.codes else error.code,
                       getattr(error, "status_code", None), self.tries, self.waits)


def body_of(trouble: Trouble, streamed: bool) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": trouble.content}], "stream": streamed}


def ask(trouble: Trouble, streamed: bool, watch: Watch) -> Outcome:
    watch.reset()
    with openai.OpenAI(base_url=f"{trouble.url}/v1", api_key="sk-of-the-app", max_retries=1,
                       http_client=openai.DefaultHttpxClient(event_hooks=watch.sync_hooks())) as client:
        with pytest.raises(openai.APIError) as raised:
            answer = client.post(trouble.path, body=body_of(trouble, streamed), cast_to=object, stream=streamed,
                                 stream_cls=openai.Stream[object] if streamed else None,
                                 options={"headers": trouble.headers})
            for _ in answer if streamed else ():  # type: ignore[attr-defined]
                pass
    return watch.outcome(raised.value)


async def ask_async(trouble: Trouble, streamed: bool, watch: Watch) -> Outcome:
    watch.reset()
    async with openai.AsyncOpenAI(
            base_url=f"{trouble.url}/v1", api_key="sk-of-the-app", max_retries=1,
            http_client=openai.DefaultAsyncHttpxClient(event_hooks=watch.async_hooks())) as client:
        with pytest.raises(openai.APIError) as raised:
            answer = await client.post(trouble.path, body=body_of(trouble, streamed), cast_to=object, stream=streamed,
                                       stream_cls=openai.AsyncStream[object] if streamed else None,
                                       options={"headers": trouble.headers})
            if streamed:
                async for _ in answer:  # type: ignore[attr-defined]
                    pass
    return watch.outcome(raised.value)


def retried(outcome: Outcome) -> str:
    if outcome.tries == 1:
        return "no"
    wait, = outcome.waits
    return f"yes, after {wait:g} s" if wait == int(wait) else "yes, with its own back-off"


def row_of(case: Case, sync: Outcome, other: Outcome) -> str:
    status = "200, then an error event" if sync.status is None else str(sync.status)
    return (f"| `{case.code}` | {case.when} | {status} | `{sync.exception}` | {retried(sync)} "
            f"| `{other.exception}` | {retried(other)} |")


def every_code() -> list[str]:
    text = CODES.read_text(encoding="utf-8")
    body = re.search(r"enum class Code .*?\{(.*?)\n\};", text, re.DOTALL)
    assert body is not None
    return re.findall(r"^\s+(\w+),", body.group(1), re.MULTILINE)


@pytest.fixture(scope="module")
def outcomes(module_world: World) -> Iterator[list[tuple[Case, Outcome, Outcome]]]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        watch = Watch(monkeypatch)
        found = []
        for case in CASES:
            sync = ask(case.make(module_world), case.streamed, watch)
            found.append((case, sync, asyncio.run(ask_async(case.make(module_world), case.streamed, watch))))
        yield found


def page(outcomes: list[tuple[Case, Outcome, Outcome]]) -> str:
    rest = [code for code in every_code() if code not in {case.code for case in CASES}]
    return "\n".join([
        "# Errors",
        "",
        "<!-- Made by tests/e2e/test_error_table.py --write; the test compares. -->",
        "",
        "Errors of Waxwing come in the shape of the API that was asked: for OpenAI's `{\"error\": {\"message\", \"type\", \"param\",",
        "\"code\"}}`. `code` is one of those below, and the message ends with what to do. `x-should-retry` and, where a wait makes sense,",
        "`retry-after` tell clients whether to send the request again; `x-request-id` is what the log calls the request. An answer that",
        "has begun ends with an error event and an abnormal close of the connection: a part is never passed off as the whole.",
        "Errors of the engine itself pass through as they are.",
        "",
        f"Each row was brought about with the real programs and shown by the stock package, openai {openai.__version__}.",
        "",
        "| code | when | HTTP | `OpenAI` raises | sends again | `AsyncOpenAI` raises | sends again |",
        "|---|---|---|---|---|---|---|",
        *(row_of(*outcome) for outcome in outcomes),
        "",
        "\"Sends again\" is what the package does by itself (`max_retries`); a second try may well succeed. What the daemon does by itself is",
        "less: one request goes out a second time only if a fresh attestation proves that the worker's key is gone, or if the worker",
        "corrects the request's date, and never after the first byte of an answer.",
        "",
        "Codes of other places (the command line, logs, evidence without a request): " + ", ".join(f"`{code}`" for code in rest) + ".",
        "",
    ])


def test_each_trouble_has_its_code(outcomes: list[tuple[Case, Outcome, Outcome]]) -> None:
    assert [outcome.code for _, outcome, _ in outcomes] == [case.code for case in CASES]
    assert [outcome.code for _, _, outcome in outcomes] == [case.code for case in CASES]


def test_only_what_may_succeed_is_sent_again(outcomes: list[tuple[Case, Outcome, Outcome]]) -> None:
    again = {case.code for case, sync, other in outcomes if sync.tries > 1 or other.tries > 1}
    assert again == {"worker_unreachable", "worker_changed", "rate_limited"}


def test_the_page_is_what_happens(outcomes: list[tuple[Case, Outcome, Outcome]],
                                  request: pytest.FixtureRequest) -> None:
    fresh = page(outcomes)
    if request.config.getoption("--write"):
        PAGE.write_text(fresh, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == fresh
