"""The app server: `python -m load.server_connections.program`.

It has the routes of the function app that the clients of a run need, and answers the methods of its
hub itself, over several server connections. Besides, it can be told to break one of these.
"""

import argparse
import asyncio
import platform
import signal
import uuid
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import web
from azure.identity.aio import ManagedIdentityCredential

from shared.aio import SignalRServiceClient

from .connection import ServerConnection, Socket
from .hub import ACCEPTED, Hub

_HUB: Final = "chat"
_PREFIX: Final = "/api"
_SCOPE: Final = "https://signalr.azure.com/.default"


class _AppServer:
    def __init__(self, client: SignalRServiceClient, hub: Hub) -> None:
        self.connections: list[ServerConnection] = []
        self._client = client
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{_PREFIX}/health", self._health),
            web.post(f"{_PREFIX}/negotiate", self._negotiate),
            web.post(f"{_PREFIX}/broadcast", self._broadcast),
            web.post(f"{_PREFIX}/groups", self._group),
            web.post("/connections/{number}/break", self._break),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        is_well = all(each.is_open for each in self.connections)
        return web.json_response({"status": "ok" if is_well else "degraded"})

    async def _negotiate(self, request: web.Request) -> web.Response:
        user = request.headers["x-ms-client-principal-id"]
        access = await self._client.get_client_access_token(_HUB, user_id=user)
        return web.json_response({"url": access.url, "accessToken": access.token})

    async def _broadcast(self, request: web.Request) -> web.Response:
        body = await request.json()
        items = body if isinstance(body, list) else [body]
        return _results([await self._hub.send(items)] * len(items))

    async def _group(self, request: web.Request) -> web.Response:
        return _results([await self._hub.group(await request.json())])

    async def _break(self, request: web.Request) -> web.Response:
        """Break a connection, and tell what it has carried."""
        broken = self.connections[int(request.match_info["number"])]
        carried = {"clients": self._hub.count(broken), "inFlight": broken.in_flight}
        broken.cut()
        return web.json_response(carried)


def _results(outcomes: list[str]) -> web.Response:
    is_done = set(outcomes) == {ACCEPTED}
    return web.json_response(
        {"results": [{"status": each} for each in outcomes]},
        status=HTTPStatus.ACCEPTED if is_done else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def main(service: str, connections: int) -> None:
    """Serve until SIGTERM comes.

    Args:
        service: The URL of the service.
        connections: How many server connections there are.
    """
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server_id = f"{platform.node()}_{uuid.uuid4().hex}"
    async with (
        aiohttp.ClientSession() as session,
        ManagedIdentityCredential() as credential,
        SignalRServiceClient.from_environment() as client,
    ):

        async def connect() -> Socket:
            token = await credential.get_token(_SCOPE)
            return await session.ws_connect(
                f"{service}/server/?hub={_HUB}&cid={uuid.uuid4()}",
                headers={"Authorization": f"Bearer {token.token}", "X-ASRS-Server-Id": server_id},
                max_msg_size=0,
            )

        hub = Hub()
        server = _AppServer(client, hub)
        server.connections += [
            ServerConnection(connect, hub.take, hub.ended) for _ in range(connections)
        ]
        hub.use(server.connections)
        async with asyncio.TaskGroup() as lives:
            living = [lives.create_task(each.live()) for each in server.connections]
            while not all(each.is_open for each in server.connections):  # noqa: ASYNC110  several
                await asyncio.sleep(0.02)
            await _serve(server, stopped)
            for task in living:
                task.cancel()


async def _serve(server: _AppServer, stopped: asyncio.Event) -> None:
    application = web.Application()
    application.add_routes(server.routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"App server ready on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await stopped.wait()
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", help="URL of the service")
    parser.add_argument("--connections", type=int, default=5, help="server connections")
    options = parser.parse_args()
    asyncio.run(main(options.service, options.connections))
