"""Several endpoints: what is sent goes to all, and their answers are taken together."""

from collections.abc import AsyncIterator

import pytest

from shared.errors import EndpointsError, ServiceUnavailableError
from shared.persistent.aio import PersistentSender
from shared.service_protocol.messages import Ack, Message
from shared.service_protocol.sends import UserData
from shared.settings.endpoint import Endpoint
from tests.shared.persistent.conftest import KEY
from tests.shared.persistent.stub_service import StubService, stub_service


@pytest.fixture
async def other() -> AsyncIterator[StubService]:
    async with stub_service() as stub:
        yield stub


@pytest.fixture
async def both(service: StubService, other: StubService) -> AsyncIterator[PersistentSender]:
    endpoints = [Endpoint(service.url, name="east"), Endpoint(other.url, name="west")]
    async with PersistentSender(endpoints, KEY, send_timeout=0.5) as sender:
        yield sender


def not_found(message: Message) -> Message | None:
    return Ack(ack_id=getattr(message, "ack_id", 0), status=2)


async def test_a_message_goes_to_every_endpoint(
    both: PersistentSender, service: StubService, other: StubService
) -> None:
    await both.send_to_user("chat", "ann", "news")
    for each in (service, other):
        assert [message.user_id for message in await each.heard(UserData)] == ["ann"]


async def test_an_endpoint_that_is_down_is_named_with_the_one_that_did_it(
    both: PersistentSender, other: StubService
) -> None:
    other.refusals = [503] * 9
    with pytest.raises(EndpointsError) as failed:
        await both.send_to_user("chat", "ann", "news")
    assert failed.value.succeeded == ("east",)
    assert isinstance(failed.value.failures["west"], ServiceUnavailableError)


async def test_one_yes_settles_a_question(
    both: PersistentSender, service: StubService, other: StubService
) -> None:
    service.answer = not_found
    assert await both.user_exists("chat", "ann")
    other.answer = not_found
    assert not await both.user_exists("chat", "ann")
    assert (len(service.received), len(other.received)) == (2, 2)
