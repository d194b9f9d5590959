"""How a client of a test gets in: negotiation, WebSocket, handshake, groups."""

import asyncio
import ssl
from asyncio.trsock import TransportSocket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import aiohttp
from yarl import URL

from ..documents.json_text import Json
from .access import Access
from .async_client import AsyncClient

__all__ = ["connected"]

_API_VERSION = "2022-06-01"
_PATIENCE = 10.0
"""How long the service may take for all of it, in seconds."""

_LONGEST_END = 1.0
_INTERVAL = 0.005
"""Seconds between two looks."""


@asynccontextmanager
async def connected(
    access: Access,
    now: float,
    hub: str,
    *,
    user_id: str | None,
    claims: Mapping[str, Json],
    groups: Collection[str],
) -> AsyncIterator[AsyncClient]:
    """Connect a client for as long as the context lasts.

    Args:
        access: To which service.
        now: Time of the emulator's clock, in epoch seconds.
        hub: Name of the hub.
        user_id: Who the client is, or None.
        claims: More of what its token says.
        groups: What it joins at once.

    Raises:
        ConnectionError: The service refuses.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=_trust(access)),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_PATIENCE),
        raise_for_status=_check,
    ) as session:
        async with asyncio.timeout(_PATIENCE):
            token = _bearer(access.client_token(hub, now, user_id, claims))
            connection_id, connection_token = await _negotiate(session, access.endpoint, hub, token)
            socket = await session.ws_connect(
                f"{access.endpoint}/client/",
                params={"hub": hub, "id": connection_token},
                headers=token,
                max_msg_size=0,
            )
            client = AsyncClient(socket, connection_id=connection_id, hub=hub, user_id=user_id)
            await client.shake_hands()
            for group in groups:
                await _join(session, access, now, client, group)
        opened = socket.get_extra_info("socket")
        listening = asyncio.ensure_future(client.listen())
        try:
            yield client
        finally:
            await socket.close()
            await asyncio.gather(listening, return_exceptions=True)
            await _ended(opened)


async def _negotiate(
    session: aiohttp.ClientSession, endpoint: str, hub: str, token: Mapping[str, str]
) -> tuple[str, str]:
    """Give connection id and connection token."""
    query = {"hub": hub, "negotiateVersion": "1"}
    url = f"{endpoint}/client/negotiate"
    async with session.post(url, params=query, headers=token) as response:
        answer = await response.json()
    return answer["connectionId"], answer["connectionToken"]


async def _join(
    session: aiohttp.ClientSession, access: Access, now: float, client: AsyncClient, group: str
) -> None:
    member = f"groups/{quote(group, safe='')}/connections/{client.connection_id}"
    url = f"{access.endpoint}/api/hubs/{client.hub}/{member}"
    token = _bearer(access.rest_token(url, now))
    query = {"api-version": _API_VERSION}
    await session.put(URL(url, encoded=True).with_query(query), headers=token)


async def _ended(opened: TransportSocket | None) -> None:
    """Wait for the end of a connection, which aiohttp does not with TLS.

    Nobody would close the socket any more where the event loop is closed next.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_END):
            while opened is not None and opened.fileno() >= 0:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(_INTERVAL)


def _trust(access: Access) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=access.ca_file) if access.ca_file else True


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _check(response: aiohttp.ClientResponse) -> None:
    if not response.ok:
        text = await response.text()
        raise ConnectionError(f"{response.method} {response.url.path}: {response.status} {text}")
