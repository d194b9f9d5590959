#!/usr/bin/env bash
# websocket-client 1.9.2 with gevent 26.9.0: a greenlet that is killed in close() goes on.
#
# Behaviour: `WebSocket.close(timeout=…)` sends a Close frame and waits for the other one inside an
# `except:` that names no exception. What gevent raises in a greenlet to end it, GreenletExit, which is
# no Exception so that nobody catches it by mistake, ends there: close() returns as if the time were
# over, and the greenlet goes on with what comes after it. A kill in `recv()` does end it.
# Expected: close() lets through whatever is no Exception.
# Hurts: load tests, whose users live in greenlets (locust): a user that says goodbye while the run ends
# is told to end, and begins anew; the run waits for it, and does not end.
#
# Output seen:
#   | killed in recv(): ended
#   | killed in close(): went on
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    websocket-client==1.9.2 gevent==26.9.0

cat > "$folder/kill.py" <<'PY'
from gevent import monkey

monkey.patch_all()

import base64
import hashlib
import socket

import gevent
import websocket

kept = []


def serve(listener):
    """Take WebSockets, and never answer a Close."""
    while True:
        taken, _ = listener.accept()
        lines = taken.recv(65536).decode().split("\r\n")
        (key,) = [line.split(": ")[1] for line in lines if line.startswith("Sec-WebSocket-Key")]
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        taken.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        kept.append(taken)


listener = socket.create_server(("127.0.0.1", 0))
gevent.spawn(serve, listener)
address = f"ws://127.0.0.1:{listener.getsockname()[1]}/"


def what_becomes(wait):
    went_on = []

    def work():
        wait(websocket.create_connection(address))
        went_on.append(True)

    greenlet = gevent.spawn(work)
    gevent.sleep(0.5)
    greenlet.kill(timeout=5)
    return "went on" if went_on else "ended"


print("killed in recv():", what_becomes(lambda socket: socket.recv()))
print("killed in close():", what_becomes(lambda socket: socket.close(timeout=10)))
PY

"$folder/venv/bin/python" "$folder/kill.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
