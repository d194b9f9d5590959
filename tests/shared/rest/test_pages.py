"""Lists of the service, followed by both clients over HTTP to a scripted service."""

import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from shared import SignalRServiceClient, aio
from shared.errors import UnexpectedResponseError
from tests.scripted_service import Reply, scripted_service

type Listed = Callable[[str], Awaitable[list[str]]]


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return AccessToken("e30.e30.sig", 2**40)


async def listed_blocking(url: str) -> list[str]:
    with SignalRServiceClient(url, Credential()) as client:
        return [each.connection_id for each in client.list_connections_in_group("chat", "g")]


async def listed_awaiting(url: str) -> list[str]:
    async with aio.SignalRServiceClient(url, Credential()) as client:
        pages = client.list_connections_in_group("chat", "g")
        return [each.connection_id async for each in pages]


@pytest.fixture(params=[listed_blocking, listed_awaiting])
def listed(request: pytest.FixtureRequest) -> Listed:
    lists: Listed = request.param
    return lists


def page(*connection_ids: str, link: object = None) -> Reply:
    value = [{"connectionId": each} for each in connection_ids]
    next_link = {} if link is None else {"nextLink": link}
    return Reply(200, body=json.dumps({"value": value, **next_link}).encode())


def link_to(token: object) -> str:
    return f"http://service/x?continuationToken={token}&api-version=2024-12-01"


async def asked(listed: Listed, pages: Iterator[Reply]) -> tuple[list[str], int]:
    limited = itertools.islice(pages, 300)
    with scripted_service(lambda _: next(limited, Reply(400))) as service:
        return await listed(service.url), len(service.received)


async def test_an_empty_page_is_no_end(listed: Listed) -> None:
    empty = [page(link=link_to(number)) for number in range(20)]
    pages = [page("a", link=link_to("b")), *empty, page("c")]
    assert await asked(listed, iter(pages)) == (["a", "c"], 22)


@pytest.mark.parametrize("link", ["", None])
async def test_no_link_is_the_end(listed: Listed, link: object) -> None:
    assert await asked(listed, iter([page("a", link=link)])) == (["a"], 1)


@pytest.mark.parametrize("cycle", [["1"], ["1", "2", "3"]])
@pytest.mark.parametrize("connections", [(), ("a",)])
async def test_a_list_that_leads_back_is_an_error(
    listed: Listed, cycle: list[str], connections: tuple[str, ...]
) -> None:
    pages = itertools.cycle([page(*connections, link=link_to(each)) for each in cycle])
    with pytest.raises(UnexpectedResponseError, match=r"no end: .* leads back"):
        await asked(listed, pages)


async def test_a_list_of_nothing_but_empty_pages_is_an_error(listed: Listed) -> None:
    pages = (page(link=link_to(number)) for number in itertools.count())
    with pytest.raises(UnexpectedResponseError, match=r"no end: .* in a row are empty"):
        await asked(listed, pages)
