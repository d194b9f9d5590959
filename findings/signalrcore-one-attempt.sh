#!/usr/bin/env bash
# signalrcore 1.0.2: with automatic reconnecting, the first attempt that fails is the last.
#
# Behaviour: the connection breaks, and the server answers 503 once while the client negotiates
# again. The library logs that its WebSocket transport has no attribute connection_alive, and that is
# the end: no further attempt in all the seconds that follow, and no call of on_close or on_error.
# Expected: an attempt at each reconnect_interval, of which the second would succeed; or, as its
# documentation says of the last attempt, an exception and an event.
# Hurts: a server that restarts silences its clients for good, and their programs cannot know.
#
# Output seen:
#   | server: negotiate 200
#   | client: on_open
#   | server: the connection breaks
#   | server: negotiate 503
#   | nothing more in 10 seconds, with reconnect_interval 1
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  signalrcore==1.0.2 msgpack==1.1.2 aiohttp==3.14.5

cat > "$folder/reconnect.py" <<'PY'
import asyncio
import logging
import os

from aiohttp import web
from signalrcore.hub_connection_builder import HubConnectionBuilder

STATUSES = iter([200, 503])
NEGOTIATED = {
    "negotiateVersion": 1,
    "connectionId": "a",
    "connectionToken": "a",
    "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}],
}


def say(text):
    print(text, flush=True)


async def negotiate(request):
    status = next(STATUSES, 200)
    say(f"server: negotiate {status}")
    return web.json_response(NEGOTIATED, status=status)


async def connect(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.receive()
    await socket.send_str("{}\x1e")
    await asyncio.sleep(1)
    say("server: the connection breaks")
    request.transport.abort()
    return socket


async def main():
    app = web.Application()
    app.router.add_post("/hub/negotiate", negotiate)
    app.router.add_get("/hub", connect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = (
        HubConnectionBuilder()
        .with_url(f"http://127.0.0.1:{runner.addresses[0][1]}/hub")
        .configure_logging(logging.CRITICAL)
        .with_automatic_reconnect({"type": "raw", "reconnect_interval": 1})
        .build()
    )
    client.on_open(lambda: say("client: on_open"))
    client.on_close(lambda: say("client: on_close"))
    client.on_error(lambda error: say("client: on_error"))
    client.on_reconnect(lambda: say("client: on_reconnect"))
    await asyncio.to_thread(client.start)
    await asyncio.sleep(11)
    say("nothing more in 10 seconds, with reconnect_interval 1")
    os._exit(0)


asyncio.run(main())
PY

"$folder/venv/bin/python" "$folder/reconnect.py" > "$folder/seen" 2> "$folder/errors"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
