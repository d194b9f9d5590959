"""Speaks to a running emulator as the app and its clients do: over HTTP and WebSockets only."""

import asyncio
import io
import json
import ssl
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import jwt
from signalr_emulator import Emulator
from signalr_emulator.clients.hubs import Member
from signalr_emulator.documents.json_text import Json

SIGNALR = "https://signalr.azure.com"
HANDSHAKE = '{"protocol":"json","version":1}\x1e'
HANDSHAKE_REPLY = "{}\x1e"
API_VERSION = "2026-07-01"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body has been read."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - a test knows what it expects
        return json.loads(self.body)

    @classmethod
    async def read(cls, response: aiohttp.ClientResponse) -> Self:
        return cls(response.status, dict(response.headers), await response.read())


@dataclass(frozen=True, slots=True)
class Socket:
    """A client that has shaken hands."""

    ws: aiohttp.ClientWebSocketResponse[bool]
    connection_id: str

    async def text(self) -> str:
        message = await self.ws.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        assert isinstance(message.data, str)
        return message.data

    async def closed(self) -> int | None:
        message = await self.ws.receive(timeout=5)
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}, message
        return self.ws.close_code


class Wire:
    """An app with its clients."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session
        self._trust = ssl.create_default_context(cadata=emulator.ca_certificate)
        self._entra_token: str | None = None
        self._access_key: tuple[str, str] | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
    ) -> Answer:
        body = None if data is None else io.BytesIO(data)
        async with self.session.request(
            method, url, headers=headers, data=body, ssl=self._trust
        ) as response:
            return await Answer.read(response)

    async def identity(
        self,
        query: str = f"api-version=2019-08-01&resource={SIGNALR}",
        header: str | None = "local-emulator",
    ) -> Answer:
        headers = {} if header is None else {"X-IDENTITY-HEADER": header}
        return await self.request(
            "GET", f"{self.emulator.control_url}/msi/token?{query}", headers=headers
        )

    async def entra_token(self) -> str:
        if self._entra_token is None:
            self._entra_token = (await self.identity()).json["access_token"]
        return self._entra_token

    def hub_url(self, hub: str = "chat") -> str:
        """Give where a client of a hub negotiates, without `/negotiate`."""
        return f"{self.emulator.service_url}/client/?hub={hub}"

    def member(self, connection_id: str, hub: str = "chat") -> Member:
        """Give a connected client as the service knows it."""
        return self.emulator.service.resources[0].hubs.connection(hub, connection_id)[connection_id]

    async def drop(self, connection_id: str) -> None:
        """Cut a client's connection, as a broken network does."""
        answer = await self.request(
            "POST",
            f"{self.emulator.control_url}/emulator/clients/drop",
            data=json.dumps({"connectionId": connection_id}).encode(),
        )
        assert (answer.status, answer.json) == (200, {"dropped": 1})

    async def invoke(self, connection_id: str, target: str, *arguments: Json) -> Answer:
        """Call a method of a client and wait for its result."""
        return await self.rest(
            "POST",
            f"/api/hubs/chat/connections/{connection_id}/:invoke?api-version={API_VERSION}",
            body={"target": target, "arguments": list(arguments)},
        )

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare connection to the service."""
        url = urlsplit(self.emulator.service_url)
        trust = self._trust if url.scheme == "https" else None
        return await asyncio.open_connection(url.hostname, url.port, ssl=trust)

    async def rest(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        data: bytes | None = None,
        token: str | None = None,
        content_type: str = "application/json; charset=utf-8",
        accept: str = "*/*",
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token or await self.entra_token()}"}
        headers["Accept"] = accept
        if body is not None:
            # Compact, as programs write it: clients get the text that the service gets.
            data = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        if data is not None:
            headers["Content-Type"] = content_type
        return await self.request(
            method, self.emulator.service_url + path, headers=headers, data=data
        )

    async def send(self, path: str, *arguments: Json, query: str = "") -> Answer:
        return await self.rest(
            "POST",
            f"/api/hubs/{path}:send?api-version={API_VERSION}{query}",
            body={"target": "say", "arguments": list(arguments)},
        )

    async def access_key(self) -> tuple[str, str]:
        if self._access_key is None:
            answer = await self.rest("GET", "/api/v1/auth/accessKey")
            assert answer.status == 200
            self._access_key = (answer.json["AccessKey"], answer.json["KeyId"])
        return self._access_key

    async def client_token(self, hub: str = "chat", **claims: Json) -> str:
        key, key_id = await self.access_key()
        now = int(self.emulator.service.clock.now())
        scheme = urlsplit(self.emulator.service_url).scheme
        payload = {
            "aud": f"{scheme}://127.0.0.1/client/?hub={hub}",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in payload.items() if value is not None},
            key,
            "HS256",
            headers={"kid": key_id},
        )

    async def negotiate(
        self, hub: str = "chat", *, token: str | None = None, query: str = "&negotiateVersion=1"
    ) -> Answer:
        token = token or await self.client_token(hub)
        return await self.request(
            "POST",
            f"{self.emulator.service_url}/client/negotiate?hub={hub}{query}",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def open(
        self, hub: str = "chat", *, token: str | None = None, connection_token: str | None = None
    ) -> aiohttp.ClientWebSocketResponse[bool]:
        token = token or await self.client_token(hub)
        query = f"hub={hub}&access_token={token}"
        if connection_token is not None:
            query += f"&id={connection_token}"
        return await self.session.ws_connect(f"{self.emulator.service_url}/client/?{query}")

    async def connect(self, hub: str = "chat", user: str | None = None) -> Socket:
        token = await self.client_token(hub, **{"asrs.s.uid": user})
        negotiated = (await self.negotiate(hub, token=token)).json
        ws = await self.open(hub, token=token, connection_token=negotiated["connectionToken"])
        await ws.send_str(HANDSHAKE)
        socket = Socket(ws, negotiated["connectionId"])
        assert await socket.text() == HANDSHAKE_REPLY
        return socket

    async def control(self, path: str) -> Any:  # noqa: ANN401 - a test knows what it expects
        answer = await self.request("GET", self.emulator.control_url + path)
        assert answer.status == 200
        return answer.json

    async def connection_counts(self) -> dict[str, int]:
        counts: dict[str, int] = (await self.control("/emulator/state"))["connections"]
        return counts


def said(*arguments: Json) -> str:
    """Give the record that `Wire.send` makes clients receive."""
    payload = {"type": 1, "target": "say", "arguments": list(arguments)}
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False) + "\x1e"
