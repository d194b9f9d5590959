#!/usr/bin/env bash
# aiohttp 3.14.5: a server's close() beside a waiting receive() ends TCP without the closing handshake.
#
# Behaviour: `WebSocketResponse.close()` sends its Close frame and waits up to `timeout` seconds for
# the client's. If another task waits in `receive()` (or `async for`) meanwhile, as a server's reading
# loop does, close() wakes that one, which ends the handler; the TCP connection is closed at once, and
# the client's Close is never waited for. `timeout` has no effect.
# Expected: the closing handshake of RFC 6455, section 7.1.1, whoever calls close(): the server waits
# for the other Close, and only then ends TCP.
# Hurts: whoever closes from outside of the reading loop (a shutdown, a limit, another client). Bytes
# of the client that are under way meet a closed socket, which answers with a reset; a reset makes the
# client's system drop what it has not read yet, the last messages and the Close with its reason
# among them.
#
# Output seen:
#   | closed by the handler: Close 1000, then TCP stays for the client's Close
#   | closed beside receive(): Close 1000, then TCP ends
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5

cat > "$folder/close.py" <<'PY'
import asyncio

from aiohttp import web

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PATIENCE = 1.5


async def by_the_handler(request):
    socket = web.WebSocketResponse(timeout=10)
    await socket.prepare(request)
    await socket.close()
    return socket


async def beside_receive(request):
    socket = web.WebSocketResponse(timeout=10)
    await socket.prepare(request)
    closing = asyncio.create_task(socket.close())
    async for _ in socket:
        pass
    await closing
    return socket


async def seen_by_a_client(handler):
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    frame = await reader.readexactly(4)
    assert frame[:2] == b"\x88\x02"
    code = int.from_bytes(frame[2:])
    try:
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        then = "TCP ends"
    except TimeoutError:
        then = "TCP stays for the client's Close"
    writer.close()
    await runner.cleanup()
    return f"Close {code}, then {then}"


async def main():
    print("closed by the handler:", await seen_by_a_client(by_the_handler))
    print("closed beside receive():", await seen_by_a_client(beside_receive))


asyncio.run(main())
PY

"$folder/venv/bin/python" "$folder/close.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
