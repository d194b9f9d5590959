"""What sends everything back: `python -m bench.server_connections.echo_peer URL [TOKEN]`.

With a token it is an app server with one server connection, without one a bare peer, which answers
each WebSocket message by the same one. It prints a line when it is connected, and ends with its
input.
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import Final

import aiohttp

from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.messages import ConnectionData, HandshakeRequest, Message, Ping

_DEFAULT: Final = 0
_SHAKEN: Final = b"{}\x1e"
_HANDSHAKE_ANSWER: Final = 1

type _Socket = aiohttp.ClientWebSocketResponse[bool]


async def _echo(socket: _Socket) -> None:
    print("connected", flush=True)
    while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        await socket.send_frame(message.data, aiohttp.WSMsgType.TEXT)


async def _serve(socket: _Socket) -> None:
    """Answer clients by one server connection."""
    await socket.send_bytes(write(HandshakeRequest(1, _DEFAULT, "")))
    await socket.receive_bytes()
    print("connected", flush=True)
    frames = Frames()
    known: set[str] = set()
    while (message := await socket.receive()).type is aiohttp.WSMsgType.BINARY:
        came = map(read, frames.feed(message.data))
        answers = [write(answer) for each in came for answer in _answers(each, known)]
        if answers:
            await socket.send_bytes(b"".join(answers))


def _answers(message: Message | None, known: set[str]) -> Iterator[Message]:
    match message:
        case ConnectionData(connection_id=client) if client in known:
            yield message
        case ConnectionData(connection_id=client):
            known.add(client)
            yield ConnectionData(client, _SHAKEN, data_type=_HANDSHAKE_ANSWER)
        case Ping():
            yield message


async def main(url: str, token: str = "") -> None:
    """Connect, and send everything back."""
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        socket = await session.ws_connect(url, headers=headers, decode_text=False)
        echoing = asyncio.create_task(_serve(socket) if token else _echo(socket))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        echoing.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
