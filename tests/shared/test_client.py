"""The clients as a program uses them, over HTTP to a scripted service."""

import asyncio
import inspect
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from azure.core.credentials import AccessToken

from shared import SignalRServiceClient, aio
from shared.client import blocking
from shared.errors import InvalidArgumentError, ServiceUnavailableError
from shared.rest.api import RestApi
from shared.rest.retry import RetryPolicy
from shared.transport.flow import run
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service

KEY = json.dumps({"AccessKey": "s" * 44, "KeyId": "key-1"}).encode()
METHODS = tuple(
    name for name, value in vars(SignalRServiceClient).items() if isinstance(value, blocking)
)


class Credential:
    def __init__(self) -> None:
        self.calls = 0

    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        self.calls += 1
        return AccessToken("e30.e30.sig", 2**40)


def answer(request: Received) -> Reply:
    if request.path.partition("?")[0].endswith(":generateToken"):
        return Reply(200, body=b'{"token": "e30.e30.sig"}')
    return Reply(200, body=KEY) if request.method == "GET" else Reply(202)


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with scripted_service(answer) as running:
        yield running


def test_operations_name_the_application_where_the_service_reads_it(
    service: ScriptedService,
) -> None:
    with SignalRServiceClient(service.url, Credential(), application="Alice") as client:
        access = client.get_client_access_token("Chat")
        client.send_to_user("Chat", "ann", "newMessage")
        client.execute("Chat", [], filter="userId eq 'ann'")
        run(client.rest_apis[0].generate_client_token("Chat"), client.driver.perform)
    assert access.url == f"{service.url}/client/?hub=alice_chat"
    jwt.decode(
        access.token,
        "s" * 44,
        algorithms=["HS256"],
        audience="http://127.0.0.1/client/?hub=alice_chat",
    )
    # The order of the parameters is that of the SDK for .NET.
    assert [each.path for each in service.received] == [
        "/api/v1/auth/accessKey",
        "/api/hubs/chat/users/ann/:send?application=alice&api-version=2022-06-01",
        "/api/hubs/alice_chat/:execute?filter=userId+eq+%27ann%27&api-version=2023-07-01",
        "/api/hubs/alice_chat/:generateToken?minutesToExpire=60&api-version=2022-11-01",
    ]


def test_an_application_has_a_name_of_hubs(service: ScriptedService) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^application '1x' is not an application name"):
        SignalRServiceClient(service.url, Credential(), application="1x")


def test_a_client_reads_the_environment() -> None:
    with SignalRServiceClient.from_environment(
        {
            "AzureSignalRConnectionString": "Endpoint=http://127.0.0.1:1;AccessKey=k;Version=1.0;",
            "SIGNALR_APPLICATION": "Alice",
        }
    ) as client:
        url, *_ = client.get_client_access_token("chat")
    assert url == "http://127.0.0.1:1/client/?hub=alice_chat"


def test_a_blocking_client_signs_and_sends(service: ScriptedService) -> None:
    with SignalRServiceClient(service.url, Credential()) as client:
        access = client.get_client_access_token("Chat", user_id="ann", minutes_to_expire=5)
        client.send_to_user("chat", "ann", "newMessage", ["Hello"])
    assert access.url == f"{service.url}/client/?hub=chat"
    claims = jwt.decode(
        access.token, "s" * 44, algorithms=["HS256"], audience="http://127.0.0.1/client/?hub=chat"
    )
    assert claims["asrs.s.uid"] == "ann"
    assert claims["exp"] - claims["iat"] == 300
    assert [each.path for each in service.received] == [
        "/api/v1/auth/accessKey",
        "/api/hubs/chat/users/ann/:send?api-version=2022-06-01",
    ]
    assert service.received[1].headers["Authorization"] == "Bearer e30.e30.sig"


async def test_an_awaitable_client_signs_and_sends(service: ScriptedService) -> None:
    async with aio.SignalRServiceClient(service.url, Credential()) as client:
        access = await client.get_client_access_token("Chat", claims={"role": "admin"})
        await client.send_to_group("chat", "g", "newMessage", ["Hello"], excluded=["c"])
    claims = jwt.decode(access.token, options={"verify_signature": False})
    assert claims["role"] == "admin"
    assert service.received[1].path == (
        "/api/hubs/chat/groups/g/:send?excluded=c&api-version=2022-06-01"
    )
    assert service.received[1].body == b'{"target":"newMessage","arguments":["Hello"]}'


async def test_a_hot_negotiation_does_not_suspend(service: ScriptedService) -> None:
    async with aio.SignalRServiceClient(service.url, Credential()) as client:
        await client.get_client_access_token("chat")
        with pytest.raises(StopIteration):
            client.get_client_access_token("chat").send(None)


async def test_a_thousand_cold_negotiations_ask_once_for_token_and_key(
    service: ScriptedService,
) -> None:
    credential = Credential()
    async with aio.SignalRServiceClient(service.url, credential) as client:
        tokens = await asyncio.gather(
            *(client.get_client_access_token("chat") for _ in range(1000))
        )
    assert len(tokens) == 1000
    assert credential.calls == 1
    assert len(service.received) == 1


def test_threads_share_a_client(service: ScriptedService) -> None:
    credential = Credential()
    with (
        SignalRServiceClient(service.url, credential) as client,
        ThreadPoolExecutor(20) as threads,
    ):
        list(threads.map(lambda _: client.get_client_access_token("chat"), range(200)))
    assert credential.calls == 1
    assert len(service.received) == 1


async def test_waiting_for_the_service_leaves_the_loop_free() -> None:
    release = threading.Event()

    def slow(request: Received) -> Reply:
        release.wait(10)
        return answer(request)

    with scripted_service(slow) as service:
        async with aio.SignalRServiceClient(service.url, Credential()) as client:
            sending = asyncio.create_task(client.send_to_all("chat", "t"))
            negotiating = asyncio.create_task(client.get_client_access_token("chat"))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not sending.done()
            assert not negotiating.done()
            release.set()
            await asyncio.gather(sending, negotiating)


async def test_a_throttled_send_is_repeated_by_both_clients() -> None:
    replies = [Reply(202), Reply(429, {"Retry-After": "0"})] * 2

    with scripted_service(lambda _: replies.pop()) as service:
        with SignalRServiceClient(service.url, Credential()) as client:
            await asyncio.to_thread(client.send_to_all, "chat", "t")
        async with aio.SignalRServiceClient(service.url, Credential()) as awaitable:
            await awaitable.send_to_all("chat", "t")
    assert len(service.received) == 4


async def test_a_service_without_keys_degrades_the_client() -> None:
    with scripted_service(lambda _: Reply(503, {"Retry-After": "60"})) as service:
        async with aio.SignalRServiceClient(
            service.url, Credential(), policy=RetryPolicy(attempts=1)
        ) as client:
            assert not client.degraded
            with pytest.raises(ServiceUnavailableError) as caught:
                await client.get_client_access_token("chat")
            assert client.degraded
            assert caught.value.retry_after == pytest.approx(60, abs=1)


async def test_pages_are_followed_by_both_clients() -> None:
    def paged(request: Received) -> Reply:
        if "continuationToken" in request.path:
            return Reply(200, body=b'{"value": [{"connectionId": "c"}]}')
        link = b"http://service/x?continuationToken=1&api-version=2024-12-01"
        first = b'{"value": [{"connectionId": "a"}, {"connectionId": "b"}], "nextLink": "%s"}'
        return Reply(200, body=first % link)

    with scripted_service(paged) as service:
        with SignalRServiceClient(service.url, Credential()) as client:
            found = await asyncio.to_thread(list, client.list_connections_in_group("chat", "g"))
        async with aio.SignalRServiceClient(service.url, Credential()) as awaitable:
            pages = awaitable.list_connections_in_group("chat", "g")
            assert [each async for each in pages] == found
    assert [each.connection_id for each in found] == ["a", "b", "c"]


def test_every_operation_is_in_both_clients() -> None:
    assert len(METHODS) == 24
    assert set(METHODS) <= set(vars(aio.SignalRServiceClient))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_either_client_does_the_operation_of_its_name(name: str) -> None:
    operation = getattr(RestApi, name)
    assert inspect.getdoc(operation)
    for client in (SignalRServiceClient, aio.SignalRServiceClient):
        assert getattr(client, name).operation(RestApi) is operation
