"""A server that takes any request and answers 202: `python -m bench.rows.answering_server`.

It prints its port and stops with its input. It reads no more of a request than HTTP needs, and has
nothing between it and its sockets, so that what is measured is whoever asks.
"""

import os
import re
import selectors
import socket
import sys
import threading

_ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _Connection:
    """A connection of somebody who asks."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._received = b""

    def answer(self) -> bool:
        """Answer what has come; tell whether more may come."""
        try:
            received = self._sock.recv(2**18)
            if not received:
                self._sock.close()
                return False
            self._received += received
            while (end := _end(self._received)) is not None:
                self._received = self._received[end:]
                self._sock.sendall(_ANSWER)
        except OSError:
            self._sock.close()
            return False
        return True


def _end(received: bytes) -> int | None:
    """Return the length of the request that begins here, if it is whole."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    length = _LENGTH.search(received, 0, head)
    end = head + 4 + (int(length[1]) if length else 0)
    return end if end <= len(received) else None


def main() -> None:
    """Serve until the input ends."""
    with selectors.DefaultSelector() as selector, socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        threading.Thread(target=_stop_with_input, daemon=True).start()
        selector.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if isinstance(key.data, _Connection):
                    if not key.data.answer():
                        selector.unregister(key.fd)
                else:
                    sock, _ = server.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                    selector.register(sock, selectors.EVENT_READ, _Connection(sock))


def _stop_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
