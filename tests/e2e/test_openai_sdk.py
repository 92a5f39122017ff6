# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""The stock OpenAI package, pointed at the daemon by its base URL alone."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import openai
import pytest
from conftest import World

from waxwing_e2e.engine import HANG_GUARD, MODEL, Call, Engine, chunk, completion, say
from waxwing_e2e.programs import Daemon

QUESTION = [{"role": "user", "content": "What is a waxwing?"}]
TOOLS = [{"type": "function", "function": {
    "name": "look_up", "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}}}]
ARGUMENTS = {"word": "wax\"wing\" é 🪶"}


@dataclass
class Service:
    engine: Engine
    daemon: Daemon

    def client(self, **options: object) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.daemon.url}/v1", api_key="sk-of-the-app", **options)  # type: ignore[arg-type]

    def async_client(self, **options: object) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.daemon.url}/v1", api_key="sk-of-the-app", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def service(module_world: World) -> Iterator[Service]:
    engine = module_world.engine()
    yield Service(engine, module_world.daemon(module_world.gateway(engine).url).ready())


def test_chat(service: Service) -> None:
    answer = service.client().chat.completions.create(model=MODEL, messages=QUESTION)
    assert answer.choices[0].message.content == "The answer is 42."
    assert answer.usage is not None and answer.usage.total_tokens == 5
    asked = service.engine.asked()[-1]
    assert asked.json()["messages"] == QUESTION
    assert asked.field("authorization") == "Bearer sk-of-the-app"


def test_request_id_and_verdict_are_at_hand(service: Service) -> None:
    raw = service.client().chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION)
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.headers["waxwing-verdict"] == 'accepted; label="SIMULATED"'


def test_streaming(service: Service) -> None:
    stream = service.client().chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    pieces = [event.choices[0].delta.content for event in stream]
    assert [piece for piece in pieces if piece] == ["The an", "swer i", "s 42."]


def test_streaming_of_text_that_looks_like_filler(service: Service) -> None:
    text = ":waxwing-pad....\n\n:waxwing-pad\ndata: [DONE]\n\n: \U0001f426"
    service.engine.on("filler", say(text, pieces=len(text)))
    stream = service.client().chat.completions.create(model="filler", messages=QUESTION, stream=True)
    assert "".join(event.choices[0].delta.content or "" for event in stream) == text


def test_models(service: Service) -> None:
    client = service.client()
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == "test"


def test_tool_calls(service: Service) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": json.dumps(ARGUMENTS)}}
    service.engine.on("tools", lambda c: c.json(completion("tools", {"content": None, "tool_calls": [call]}, "tool_calls")))
    answer = service.client().chat.completions.create(model="tools", messages=QUESTION, tools=TOOLS)
    assert service.engine.asked("tools")[-1].json()["tools"] == TOOLS
    used, = answer.choices[0].message.tool_calls or []
    assert used.type == "function" and json.loads(used.function.arguments) == ARGUMENTS
    # And back with the tool's answer.
    service.client().chat.completions.create(model=MODEL, messages=[
        *QUESTION, answer.choices[0].message, {"role": "tool", "tool_call_id": used.id, "content": "a bird"}])  # type: ignore[list-item]
    sent = service.engine.asked(MODEL)[-1].json()["messages"]
    assert sent[-1] == {"role": "tool", "tool_call_id": "call_1", "content": "a bird"}
    assert json.loads(sent[-2]["tool_calls"][0]["function"]["arguments"]) == ARGUMENTS


def test_streamed_tool_calls(service: Service) -> None:
    text = json.dumps(ARGUMENTS)

    def script(call: Call) -> None:
        call.begin()
        call.event(chunk("tools", {"tool_calls": [
            {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": ""}}]}))
        for character in text:
            call.event(chunk("tools", {"tool_calls": [{"index": 0, "function": {"arguments": character}}]}))
        call.end()
    service.engine.on("streamed-tools", script)
    with service.client().chat.completions.create(model="streamed-tools", messages=QUESTION, tools=TOOLS, stream=True) as stream:
        deltas = [delta for event in stream for delta in event.choices[0].delta.tool_calls or []]
    assert deltas[0].function is not None and deltas[0].function.name == "look_up"
    assert "".join(delta.function.arguments or "" for delta in deltas if delta.function) == text


@pytest.mark.parametrize(("status", "exception"), [
    (400, openai.BadRequestError), (401, openai.AuthenticationError), (403, openai.PermissionDeniedError),
    (404, openai.NotFoundError), (409, openai.ConflictError), (422, openai.UnprocessableEntityError),
    (429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError)])
def test_errors_of_the_engine_keep_their_class_and_words(service: Service, status: int,
                                                         exception: type[openai.APIStatusError]) -> None:
    body = {"error": {"message": "the engine's words", "type": "engine_error", "param": "model", "code": "engine_code"}}
    service.engine.on("failing", lambda call: call.json(body, status, {"retry-after": "7"}))
    with pytest.raises(exception) as raised:
        service.client(max_retries=0).chat.completions.create(model="failing", messages=QUESTION)
    error = raised.value
    assert (error.status_code, error.code, error.type, error.param) == (status, "engine_code", "engine_error", "model")
    assert "the engine's words" in error.message
    assert error.response.headers["retry-after"] == "7"
    assert error.request_id


def test_error_event_of_the_engine_is_raised(service: Service) -> None:
    def script(call: Call) -> None:
        call.begin()
        call.text("so far ")
        call.event({"error": {"message": "out of memory", "type": "server_error", "code": "oom", "param": None}})
        call.finish()
    service.engine.on("event-error", script)
    stream = service.client().chat.completions.create(model="event-error", messages=QUESTION, stream=True)
    assert next(iter(stream)).choices[0].delta.content == "so far "
    with pytest.raises(openai.APIError) as raised:
        next(iter(stream))
    assert raised.value.code == "oom"


def test_engine_that_dies_in_mid_stream_is_raised(service: Service) -> None:
    def script(call: Call) -> None:
        call.begin()
        call.text("so far ")
        call.abort()
    service.engine.on("dying", script)
    stream = service.client().chat.completions.create(model="dying", messages=QUESTION, stream=True)
    with pytest.raises(openai.APIError) as raised:
        for _ in stream:
            pass
    assert raised.value.code == "answer_cut"
    assert len(service.engine.asked("dying")) == 1


def until_left(arrived: threading.Semaphore, left: threading.Semaphore, begin: bool) -> object:
    def script(call: Call) -> None:
        if begin:
            call.begin()
            call.text("first")
        arrived.release()
        if call.client_leaves():
            left.release()
    return script


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_short_timeout_of_the_sdk_ends_the_engines_work(service: Service, stream: bool) -> None:
    arrived, left = threading.Semaphore(0), threading.Semaphore(0)
    service.engine.on("slow", until_left(arrived, left, begin=False))  # type: ignore[arg-type]
    with pytest.raises(openai.APITimeoutError):
        service.client(timeout=1.0, max_retries=0).chat.completions.create(  # type: ignore[call-overload]
            model="slow", messages=QUESTION, stream=stream)
    assert left.acquire(timeout=HANG_GUARD)


def test_short_timeout_of_the_sdk_is_retried_by_it_and_each_try_ends(service: Service) -> None:
    arrived, left = threading.Semaphore(0), threading.Semaphore(0)
    service.engine.on("slow-again", until_left(arrived, left, begin=False))  # type: ignore[arg-type]
    with pytest.raises(openai.APITimeoutError):
        service.client(timeout=1.0, max_retries=1).chat.completions.create(model="slow-again", messages=QUESTION)
    for _ in range(2):
        assert left.acquire(timeout=HANG_GUARD)
    assert len(service.engine.asked("slow-again")) == 2


def test_pause_in_a_stream_within_the_sdks_timeout_is_no_error(service: Service) -> None:
    go_on = threading.Event()

    def script(call: Call) -> None:
        call.begin()
        call.text("one ")
        assert go_on.wait(HANG_GUARD)
        call.text("two")
        call.end()
    service.engine.on("pausing", script)
    stream = service.client(timeout=HANG_GUARD).chat.completions.create(model="pausing", messages=QUESTION, stream=True)
    text = ""
    for event in stream:
        text += event.choices[0].delta.content or ""
        go_on.set()
    assert text == "one two"


@pytest.mark.parametrize("how", ["close", "task"])
def test_cancellation_ends_the_engines_work(service: Service, how: str) -> None:
    arrived, left = threading.Semaphore(0), threading.Semaphore(0)
    service.engine.on("left", until_left(arrived, left, begin=True))  # type: ignore[arg-type]

    async def cancel_task() -> None:
        async with service.async_client() as client:
            first = asyncio.Event()

            async def read() -> None:
                async for event in await client.chat.completions.create(model="left", messages=QUESTION, stream=True):
                    assert event.choices[0].delta.content == "first"
                    first.set()
            task = asyncio.create_task(read())
            await first.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    if how == "task":
        asyncio.run(cancel_task())
    else:
        stream = service.client().chat.completions.create(model="left", messages=QUESTION, stream=True)
        assert next(iter(stream)).choices[0].delta.content == "first"
        stream.close()
    assert left.acquire(timeout=HANG_GUARD)


def test_fifty_parallel_streams(service: Service) -> None:
    """No stream gets its second half before all have their first: they do run side by side."""
    streams = 50
    all_begun = threading.Barrier(streams, timeout=HANG_GUARD)

    def script(call: Call) -> None:
        number = call.request.json()["messages"][0]["content"]
        call.begin()
        for step in range(20):
            call.text(f"<{number}:{step}>")
            if step == 9:
                all_begun.wait()
        call.end()
    service.engine.on("parallel", script)

    async def one(client: openai.AsyncOpenAI, number: int) -> str:
        stream = await client.chat.completions.create(
            model="parallel", messages=[{"role": "user", "content": str(number)}], stream=True)
        return "".join([event.choices[0].delta.content or "" async for event in stream])

    async def all_at_once() -> list[str]:
        async with service.async_client(max_retries=0) as client:
            return await asyncio.gather(*(one(client, number) for number in range(streams)))
    texts = asyncio.run(all_at_once())
    assert texts == ["".join(f"<{number}:{step}>" for step in range(20)) for number in range(streams)]
    assert len(service.engine.asked("parallel")) == streams
