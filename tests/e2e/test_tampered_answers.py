# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""A sealed answer that was changed or cut on its way ends as a typed error: no changed byte, no silent end, nothing twice."""

from collections.abc import Callable

import pytest
from conftest import World

from waxwing_e2e import client
from waxwing_e2e.engine import Engine, say
from waxwing_e2e.relay import Cut
from waxwing_e2e.tampering import Answering
from waxwing_e2e.wire import ANSWER_NONCE_SIZE, Message, split_sealed

WHOLE_TEXT = "The bird whose wing tips look like sealing wax. " * 3
LONG_TEXT = "".join(f"word{number} " for number in range(6000))  # some 55 kB: four chunks


def flipped(at: int) -> Callable[[Message], Message]:
    def change(answer: Message) -> Message:
        body = bytearray(answer.body)
        body[min(at, len(body) - 1)] ^= 1 << at % 8  # how much goes into a chunk depends on when it came
        return answer.with_body(bytes(body))
    return change


def assert_typed_and_true(answer: client.Answer, codes: set[str], text: str) -> None:
    """An error body, or an event stream that is true as far as it goes, then tells the error and ends abnormally; a whole
    answer that has begun can only end abnormally."""
    if answer.status != 200:
        assert answer.status == 502 and answer.whole
        assert answer.code in codes
        assert answer.fields["x-should-retry"] == "false"
        return
    assert not answer.whole, "a silent end"
    if answer.fields["content-type"].startswith("text/event-stream"):
        assert text.startswith(answer.text())
        assert answer.text() == text or not answer.done
        assert [error["code"] in codes for error in answer.error_events] == [True]


def test_flipped_bit_anywhere_in_a_whole_answer_is_an_error(world: World, engine: Engine) -> None:
    engine.default = say(WHOLE_TEXT)
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask().json()["choices"][0]["message"]["content"] == WHOLE_TEXT
    size = len(answering.sealed)
    places = [*range(ANSWER_NONCE_SIZE + 40), *range(ANSWER_NONCE_SIZE + 40, size - 40, 11), *range(size - 40, size)]
    for at in places:
        answering.change(flipped(at))
        answer = answering.ask()
        assert answer.status == 502, f"byte {at}"
        assert_typed_and_true(answer, {"answer_forged", "answer_cut"}, WHOLE_TEXT)


def test_flipped_bit_anywhere_in_a_stream_is_an_error(world: World, engine: Engine) -> None:
    engine.default = say(WHOLE_TEXT, pieces=6)
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask(stream=True).text() == WHOLE_TEXT
    sealed = split_sealed(answering.sealed, ANSWER_NONCE_SIZE)
    assert len(sealed.chunks) >= 2
    places = set(range(ANSWER_NONCE_SIZE)) | set(range(0, len(answering.sealed), 13))
    for begin, first, end in sealed.chunks:
        places |= {*range(begin, min(first + 2, end)), *range(end - 18, end)}
    for at in sorted(place for place in places if place < len(answering.sealed)):
        answering.change(flipped(at))
        assert_typed_and_true(answering.ask(stream=True), {"answer_forged", "answer_cut"}, WHOLE_TEXT)


def place_of(answer: Message, number: int) -> int:
    """Before the nonce, inside it, before each chunk, before the last byte."""
    borders = split_sealed(answer.body, ANSWER_NONCE_SIZE).borders
    return [0, 1, *borders, len(answer.body) - 1][min(number, len(borders) + 2)]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_answer_cut_at_any_chunk_border_is_an_error(world: World, engine: Engine, stream: bool) -> None:
    engine.default = say(LONG_TEXT, pieces=12)
    answering = Answering(world, engine)
    answering.change(lambda answer: answer)
    assert answering.ask(stream=stream).whole
    chunks = len(split_sealed(answering.sealed, ANSWER_NONCE_SIZE).chunks)
    assert chunks >= 4
    for number in range(chunks + 3):
        for clean in (True, False):
            answering.change(lambda answer, number=number, clean=clean: Cut(answer, place_of(answer, number), clean))
            assert_typed_and_true(answering.ask(stream=stream), {"answer_cut", "answer_forged"}, LONG_TEXT)


def test_an_answer_to_another_request_is_an_error(world: World, engine: Engine) -> None:
    answering = Answering(world, engine)
    answers: list[Message] = []

    def swap(answer: Message) -> Message:
        answers.append(answer)
        return answers[0]
    answering.change(swap)
    assert answering.ask().status == 200
    answer = answering.ask()
    assert (answer.status, answer.code) == (502, "answer_forged")


def test_stream_cut_inside_an_event_ends_after_the_event_before(world: World, engine: Engine) -> None:
    """An event larger than a sealed chunk: half of it would be read as an event that is no JSON."""
    engine.default = say("w" * 100_000, pieces=2)
    answering = Answering(world, engine)
    answering.change(lambda answer: Cut(answer, 80_000, True))
    answer = answering.ask(stream=True)
    assert (answer.text(), answer.whole) == ("w" * 50_000, False)
    assert [error["code"] for error in answer.error_events] == ["answer_cut"]
