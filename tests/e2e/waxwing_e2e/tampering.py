# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""A daemon whose sealed answers pass a hostile relay."""

from collections.abc import Callable

from conftest import World

from waxwing_e2e import client, relay
from waxwing_e2e.engine import Engine
from waxwing_e2e.relay import Cut
from waxwing_e2e.wire import Message


class Answering:
    """A daemon behind a relay that changes sealed answers."""

    def __init__(self, world: World, engine: Engine) -> None:
        self.engine = engine
        self.middle = world.tamperer(world.gateway(engine).url)
        self.daemon = world.daemon(self.middle.url).ready()
        self.sealed = b""

    def change(self, change: Callable[[Message], Message | Cut]) -> None:
        def on_answer(request: Message, answer: Message) -> Message | Cut:
            if not relay.is_request(request):
                return answer
            self.sealed = answer.body
            return change(answer)
        self.middle.on_answer = on_answer

    def ask(self, **members: object) -> client.Answer:
        """Asserts that the request went out once and came to the engine once."""
        sent, asked = len(self.middle.sealed()), len(self.engine.asked())
        answer = client.chat(self.daemon.url, **members)
        assert (len(self.middle.sealed()) - sent, len(self.engine.asked()) - asked) == (1, 1), "sent again"
        return answer
