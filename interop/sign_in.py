"""Stands where App Service authentication does: who asks to negotiate is whom its query names.

Every SignalR client can be given a URL, and few let a program set headers.
"""

import base64
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests

__all__ = ["SignIn", "sign_in"]

_PATIENCE = 30.0
_PRINCIPAL = "x-ms-client-principal"


class SignIn(ThreadingHTTPServer):
    """Passes negotiations on to the app, with the headers of a principal.

    Args:
        app_url: Where the functions are.
    """

    daemon_threads = True

    def __init__(self, app_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app_url = app_url
        self.negotiations: Counter[str] = Counter()

    def client_url(self, user: str) -> str:
        """Return what a client takes for its URL.

        Args:
            user: Who it is.
        """
        return f"http://127.0.0.1:{self.server_port}/chat?user={user}"


class _Handler(BaseHTTPRequestHandler):
    server: SignIn

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        user = parse_qs(parts.query).get("user", [""])[0]
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        answer = requests.post(
            f"{self.server.app_url}{parts.path}",
            params=parse_qs(parts.query),
            headers=_principal(user) if user else {},
            timeout=_PATIENCE,
        )
        if answer.status_code == HTTPStatus.OK:
            self.server.negotiations[user] += 1
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base
        """Say nothing: the emulator logs what matters."""


def _principal(user: str) -> dict[str, str]:
    """Return what App Service says of a user, who has a name as well."""
    principal = {"claims": [{"typ": "name", "val": f"name of {user}"}]}
    encoded = base64.b64encode(json.dumps(principal).encode()).decode()
    return {f"{_PRINCIPAL}-id": user, _PRINCIPAL: encoded}


@contextlib.contextmanager
def sign_in(app_url: str) -> Iterator[SignIn]:
    """Listen until the end of the block.

    Args:
        app_url: Where the functions are.
    """
    with SignIn(app_url) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
