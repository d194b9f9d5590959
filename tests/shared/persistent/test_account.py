"""Under faults each message is accounted for: delivered once, told, or lost as the page says."""

import asyncio
import random

import pytest

from shared.errors import ServiceUnavailableError
from shared.persistent.aio import PersistentSender
from shared.service_protocol.sends import UserData
from tests.shared.persistent.conftest import KEY, Advance
from tests.shared.persistent.stub_service import StubService

WRITTEN, PERHAPS, NOT_SENT = "written", "perhaps", "not sent"


async def outcome(sender: PersistentSender, user: str) -> str:
    try:
        await sender.send_to_user("chat", user, "news", ["x" * 2000])
    except ServiceUnavailableError as error:
        return PERHAPS if "It may have been sent" in str(error) else NOT_SENT
    return WRITTEN


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("connections", [1, 3])
async def test_no_message_is_lost_untold_but_one_that_was_written_to_a_socket_that_broke(
    seed: int, connections: int, service: StubService, advance: Advance
) -> None:
    chance = random.Random(seed)  # noqa: S311  a story, no secret
    faults = 0
    outcomes: dict[str, asyncio.Task[str]] = {}
    async with PersistentSender(
        service.url, KEY, connections=connections, send_timeout=60, jitter=lambda: 0.0
    ) as sender:
        for step in range(60):
            for each in range(chance.randrange(30)):
                user = f"{step}-{each}"
                outcomes[user] = asyncio.create_task(outcome(sender, user))
            await asyncio.sleep(chance.random() / 200)
            living = [each for each in service.lines if each.socket.close_code is None]
            if living and chance.random() < 0.3:
                faults += 1
                line = chance.choice(living)
                match chance.randrange(3):
                    case 0:
                        line.cut()
                    case 1:
                        await line.socket.close()
                    case _:
                        service.refusals += [503] * chance.randrange(3)
                        line.cut()
            advance(chance.choice((0, 0, 1, 7)))
        while not all(each.done() for each in outcomes.values()):
            advance(0.5)
            await asyncio.sleep(0.01)
        told = {user: await task for user, task in outcomes.items()}
    received = [each.user_id for each in service.of(UserData)]
    assert faults
    assert len(received) == len(set(received))
    assert {user for user, what in told.items() if what == NOT_SENT} & set(received) == set()
    # Of those that were written, some were in a socket that broke: how many, its buffers decide.
    assert {user for user, what in told.items() if what == WRITTEN} & set(received)
