"""Server connections are opened, refused, lost and opened again."""

import asyncio
import logging
import re
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from azure.core.credentials import AccessToken

from shared.errors import AuthenticationError, PermissionDeniedError, ServiceUnavailableError
from shared.persistent.aio import PersistentSender
from shared.service_protocol.messages import (
    AccessKeyRequest,
    ConnectionKind,
    EventKind,
    HandshakeResponse,
    ServiceError,
    ServiceEvent,
)
from shared.service_protocol.requests import CheckUserExistenceWithAck
from shared.service_protocol.sends import BroadcastData, UserData
from tests.shared.persistent.conftest import KEY, Advance
from tests.shared.persistent.stub_service import StubService, stub_service


class Entra:
    """A credential whose tokens count up."""

    def __init__(self) -> None:
        self.given = 0

    def get_token(self, *_: str, **__: object) -> AccessToken:
        self.given += 1
        return AccessToken(f"entra-{self.given}", 1 << 33)


async def test_a_connection_is_opened_as_that_of_an_sdk(
    sender: PersistentSender, service: StubService
) -> None:
    await sender.send_to_all("Chat", "news")
    (line,) = service.lines
    url = urlsplit(line.path)
    assert (url.path, re.sub(r"cid=[0-9a-f-]{36}$", "cid=", url.query)) == (
        "/server/", "hub=chat&cid=",
    )  # fmt: skip
    assert line.headers["X-Requested-With"] == "XMLHttpRequest"
    assert line.headers["Asrs-User-Agent"].startswith("keyless-signalr")
    assert "User-Agent" not in line.headers
    assert "Sec-WebSocket-Extensions" not in line.headers
    handshake = line.handshake
    assert handshake is not None
    assert (handshake.version, handshake.connection_type) == (1, ConnectionKind.WEAK)
    scheme, token = line.headers["Authorization"].split()
    assert scheme == "Bearer"
    claims = jwt.decode(
        token,
        KEY.access_key or "",
        algorithms=["HS256"],
        audience="http://127.0.0.1/server/?hub=chat",
    )
    assert claims["nameid"] == line.headers["X-ASRS-Server-Id"]
    assert claims["exp"] - claims["iat"] == 3600


async def test_the_hub_of_an_application_has_its_name_before_it(service: StubService) -> None:
    async with PersistentSender(service.url, KEY, application="Shop") as sender:
        await sender.send_to_all("chat", "news")
    assert parse_qs(urlsplit(service.lines[0].path).query)["hub"] == ["shop_chat"]


async def test_each_connection_comes_with_the_entra_token_and_shows_it_again(
    service: StubService, advance: Advance
) -> None:
    async with PersistentSender(service.url, Entra()) as sender:
        await sender.send_to_all("chat", "news")
        assert service.lines[0].headers["Authorization"] == "Bearer entra-1"
        assert [each.token for each in await service.heard(AccessKeyRequest)] == ["entra-1"]
        # Signs of life on the way, since silence of 30 s is the end.
        for _ in range(25):
            advance(25)
            await service.lines[0].say(HandshakeResponse(error=""))
            await asyncio.sleep(0.01)
        await service.heard(AccessKeyRequest, 2)
        assert len(service.lines) == 1


async def test_a_token_that_is_not_accepted_is_followed_by_another(service: StubService) -> None:
    service.refusals = [401]
    async with PersistentSender(service.url, Entra(), jitter=lambda: 0.0) as sender:
        await sender.send_to_all("chat", "news")
    shown = [each.headers["Authorization"] for each in service.attempts]
    assert shown == ["Bearer entra-1", "Bearer entra-2"]


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (401, AuthenticationError, "access key of the connection string"),
        (403, PermissionDeniedError, "SignalR App Server"),
        (403, PermissionDeniedError, "--allow ServerConnection"),
        (404, ServiceUnavailableError, "404"),
        (503, ServiceUnavailableError, "503"),
    ],
)
async def test_who_sends_hears_why_no_connection_is_up(
    status: int, kind: type[Exception], says: str, service: StubService
) -> None:
    service.refusals = [status] * 9
    async with PersistentSender(service.url, KEY, send_timeout=0.5) as sender:
        with pytest.raises(ServiceUnavailableError, match=says) as failed:
            await sender.send_to_all("chat", "news")
    assert isinstance(failed.value.__cause__, kind)
    assert (failed.value.hub, failed.value.endpoint) == ("chat", urlsplit(service.url).netloc)
    assert failed.value.retry_after is not None


async def test_a_token_follows_no_redirect(service: StubService) -> None:
    async with stub_service() as elsewhere:
        service.refusals, service.location = [307], f"{elsewhere.url}/server/?hub=chat"
        async with PersistentSender(service.url, KEY, jitter=lambda: 0.0) as sender:
            await sender.send_to_all("chat", "news")
        assert elsewhere.attempts == []
        assert len(service.attempts) == 2


async def test_a_refused_handshake_is_tried_again(service: StubService, advance: Advance) -> None:
    service.welcome = HandshakeResponse(error="too many")
    async with PersistentSender(service.url, KEY, jitter=lambda: 0.0) as sender:
        sending = asyncio.create_task(sender.send_to_all("chat", "news"))
        await service.until(lambda: len(service.lines) == 1)
        service.welcome = HandshakeResponse(error="")
        await asyncio.sleep(0.05)
        advance(2)
        await sending
    assert len(service.of(BroadcastData)) == 1


async def test_a_service_that_does_not_answer_the_handshake_is_left(
    service: StubService, advance: Advance
) -> None:
    service.welcome = None
    async with PersistentSender(service.url, KEY, send_timeout=60, jitter=lambda: 0.0) as sender:
        sending = asyncio.create_task(sender.send_to_all("chat", "news"))
        await service.until(lambda: len(service.lines) == 1)
        service.welcome = HandshakeResponse(error="")
        advance(15.1)
        await sending
    assert len(service.lines) == 2


async def test_a_connection_that_is_cut_is_opened_again_with_a_new_id(
    sender: PersistentSender, service: StubService, advance: Advance
) -> None:
    await sender.send_to_user("chat", "ann", "news", [1])
    await service.heard(UserData)
    advance(6)
    service.lines[0].cut()
    await service.until(lambda: len(service.lines) == 2)
    await sender.send_to_user("chat", "ann", "news", [2])
    await service.heard(UserData, 2)
    assert service.lines[0].path != service.lines[1].path


async def test_silence_of_30_s_ends_a_connection(
    sender: PersistentSender, service: StubService, advance: Advance
) -> None:
    await sender.send_to_all("chat", "news")
    advance(29)
    await sender.send_to_all("chat", "news")
    assert len(service.lines) == 1
    advance(2)
    await service.until(lambda: len(service.lines) == 2)
    assert service.lines[0].socket.close_code == 1000


async def test_attempts_wait_longer_and_longer(service: StubService, advance: Advance) -> None:
    service.refusals = [503] * 5
    async with PersistentSender(service.url, KEY, send_timeout=600, jitter=lambda: 0.0) as sender:
        sending = asyncio.create_task(sender.send_to_all("chat", "news"))
        for attempt, wait in enumerate((1, 2, 4, 8, 16), start=1):
            await service.until(lambda count=attempt: len(service.attempts) == count)  # type: ignore[misc]
            await asyncio.sleep(0.05)
            advance(wait - 0.5)
            await asyncio.sleep(0.05)
            assert len(service.attempts) == attempt
            advance(0.5)
        await sending
    assert len(service.attempts) == 6


async def test_a_service_that_welcomes_and_leaves_is_not_stormed(
    sender: PersistentSender, service: StubService, advance: Advance
) -> None:
    await sender.send_to_all("chat", "news")
    for count in range(1, 4):
        await service.until(lambda c=count: len(service.lines) == c)  # type: ignore[misc]
        service.lines[-1].cut()
        await asyncio.sleep(0.05)
        assert len(service.attempts) == count
        advance(2**count)


async def test_a_full_buffer_is_told_to_whoever_sends(
    sender: PersistentSender, service: StubService, advance: Advance
) -> None:
    await sender.send_to_all("chat", "news")
    await service.lines[0].say(
        ServiceEvent(object_type=4, id="line", kind=EventKind.BUFFER_FULL, message="full")
    )
    # An ack stands behind the event, so that it has come when the question is answered.
    assert await sender.user_exists("chat", "ann")
    with pytest.raises(ServiceUnavailableError, match="buffer") as told:
        await sender.send_to_all("chat", "news")
    assert told.value.retry_after is not None
    advance(told.value.retry_after)
    await sender.send_to_all("chat", "news")


async def test_nothing_is_written_after_an_error_of_the_service(
    sender: PersistentSender,
    service: StubService,
    caplog: pytest.LogCaptureFixture,
    advance: Advance,
) -> None:
    await sender.send_to_all("chat", "news")
    service.answer = lambda _: ServiceError(error="going away")
    with caplog.at_level(logging.WARNING):
        asking = asyncio.create_task(sender.user_exists("chat", "ann"))
        await service.heard(CheckUserExistenceWithAck)
        await asyncio.sleep(0.05)
    assert "going away" in caplog.text
    sending = asyncio.create_task(sender.send_to_all("chat", "more"))
    await asyncio.sleep(0.05)
    assert len(service.of(BroadcastData)) == 1
    advance(6)
    await service.lines[0].socket.close()
    with pytest.raises(ServiceUnavailableError, match="It may have been done"):
        await asking
    await sending
    assert (len(service.lines), len(await service.heard(BroadcastData, 2))) == (2, 2)


async def test_a_service_that_reads_nothing_holds_senders_up_and_is_left(
    service: StubService, advance: Advance
) -> None:
    async with PersistentSender(service.url, KEY, send_timeout=5, jitter=lambda: 0.0) as sender:
        await sender.send_to_all("chat", "news")
        service.lines[0].stop_reading()
        large = ["x" * 1_000_000]
        sending = [
            asyncio.create_task(sender.send_to_user("chat", f"user {each}", "news", large))
            for each in range(40)
        ]
        await asyncio.sleep(0.2)
        assert not all(each.done() for each in sending)
        advance(5.1)
        outcomes = await asyncio.gather(*sending, return_exceptions=True)
        told = [str(each) for each in outcomes if each is not None]
        # One was under way. All others are known not to have left.
        assert sum("It may have been sent" in each for each in told) == 1
        assert sum("Not sent" in each for each in told) == len(told) - 1
        await sender.send_to_user("chat", "ann", "news")
        await service.until(lambda: service.of(UserData)[-1:] != [])
    assert len(service.lines) == 2
    unsent = {f"user {number}" for number, each in enumerate(outcomes) if "Not sent" in str(each)}
    assert unsent
    assert unsent & {each.user_id for each in service.of(UserData)} == set()


async def test_several_connections_share_the_recipients(
    service: StubService, advance: Advance
) -> None:
    async with PersistentSender(service.url, KEY, connections=3) as sender:
        await sender.send_to_all("chat", "news")
        await service.until(lambda: len(service.lines) == 3)
        assert len({each.path for each in service.lines}) == 3
        advance(6)
        service.lines[0].cut()
        await service.until(lambda: len(service.lines) == 4)
        for each in range(50):
            await sender.send_to_user("chat", f"user {each}", "news")
        await service.until(lambda: len({each.user_id for each in service.of(UserData)}) == 50)


async def test_what_was_sent_has_left_when_it_is_closed(service: StubService) -> None:
    sender = PersistentSender(service.url, KEY)
    await sender.send_to_all("chat", "news")
    sending = [
        asyncio.create_task(sender.send_to_user("chat", str(each), "news")) for each in range(500)
    ]
    await asyncio.sleep(0)
    await sender.close()
    await asyncio.gather(*sending)
    assert len(await service.heard(UserData, 500)) == 500
    assert service.lines[0].socket.close_code == 1000
    with pytest.raises(ServiceUnavailableError, match="closed"):
        await sender.send_to_all("chat", "news")


async def test_whoever_waits_is_told_when_it_is_closed(service: StubService) -> None:
    service.refusals = [503] * 3
    sender = PersistentSender(service.url, KEY)
    sending = asyncio.create_task(sender.send_to_all("chat", "news"))
    await service.until(lambda: len(service.attempts) == 1)
    await sender.close()
    with pytest.raises(ServiceUnavailableError, match="closed"):
        await sending
