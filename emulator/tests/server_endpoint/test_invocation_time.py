"""An invocation takes its time, which an app server needs to be ready for the answer."""

import asyncio

import pytest
from signalr_emulator.clients.hubs import Hubs
from signalr_emulator.server_connections.live import ServerConnection
from signalr_emulator.server_connections.registry import ServerConnections
from signalr_emulator.server_connections.timing import ServerTiming
from signalr_emulator.server_endpoint.results import ResultHandlers
from signalr_emulator.service_protocol.codec import message_reader, read
from signalr_emulator.service_protocol.messages import ClientInvocation, ErrorCompletion

ASKED = ClientInvocation("call-1", "nobody", "server-1", ())


class Socket:
    """Keeps what is written and when."""

    has_room = True

    def __init__(self) -> None:
        self.written = asyncio.get_running_loop().create_future()

    def write(self, data: bytes) -> None:
        self.written.set_result((asyncio.get_running_loop().time(), data))

    async def room(self) -> None:
        """Return, since there is always room."""

    def close(self) -> None:
        """Do nothing: nobody waits for the end."""

    abort = close


@pytest.mark.parametrize("seconds", [0.01, 0.06])
async def test_even_a_refusal_waits_until_the_server_has_noted_what_it_asks(seconds: float) -> None:
    socket = Socket()
    server = ServerConnection("connection-1", "server-1", "chat", socket)
    servers = ServerConnections()
    servers.add(server)
    results = ResultHandlers(Hubs(), servers, ServerTiming(invocation=seconds))
    began = asyncio.get_running_loop().time()
    results.handlers()[ClientInvocation](server, ASKED)
    at, data = await socket.written
    assert seconds <= at - began + 0.001 < seconds + 5
    (body,) = message_reader().feed(data)
    assert read(body) == ErrorCompletion(
        "call-1", "nobody", "server-1", "There is no such connection."
    )
