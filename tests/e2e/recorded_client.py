"""Sends byte for byte what Microsoft.AspNetCore.SignalR.Client 11.0.0 was recorded to send.

It does what it is told and when: the times at which that client renews its sign-in are its own.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.processes import PATIENCE

__all__ = ["TRANSPORTS", "Answer", "RecordedClient", "recorded_client"]

TRANSPORTS: Final = ("WebSockets", "ServerSentEvents", "LongPolling")

_USER_AGENT: Final = (
    "Microsoft SignalR/11.0 (11.0.0+297acf930fb0f5c07fd4e51d78e521b4ad2e5d1f; Linux; .NET;"
    " .NET 11.0.0)"
)
_END: Final = "\x1e"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said


@dataclass
class RecordedClient:
    """A client of one connection.

    Attributes:
        hub_url: What it was given: the app's address of the hub, with its own query if it has one.
        transport: How it connects.
        bearer: The app's token of the moment; what the app's user is logged in with.
        app_headers: What the app is sent besides.
        token: The client token of the moment.
        lifetime: What negotiate has said of it, as it was said.
        connection_token: What the service's own negotiation has said.
    """

    hub_url: str
    transport: str
    bearer: str
    version: int = 1
    app_headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    lifetime: object = None
    connection_token: str = ""
    connection_id: str = ""
    _service: str = ""
    _socket: ClientConnection | None = None
    _stream: http.client.HTTPResponse | None = None
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _waiting: list[str] = field(default_factory=list)

    def start(self) -> None:
        negotiated = self._ask("negotiate", f"negotiateVersion={self.version}").json()
        self.token, self.lifetime = (
            negotiated["accessToken"],
            negotiated.get("tokenLifetimeSeconds"),
        )
        base, _, query = negotiated["url"].partition("?")
        answer = self._request(
            "POST",
            f"{base}negotiate?{query}&negotiateVersion={self.version}",
            self._of_service({"Content-Length": "0"}),
        ).json()
        self.connection_id = answer["connectionId"]
        self.connection_token = answer.get("connectionToken", self.connection_id)
        self._service = f"{base}?{query}&id={self.connection_token}"
        match self.transport:
            case "WebSockets":
                self.open_socket()
            case "ServerSentEvents":
                self._open_stream()
            case _:
                assert self.poll().status == 200
        self.send({"protocol": "json", "version": 1})
        assert self.receive() == {}

    def refresh(self, **headers: str) -> Answer:
        """Renew the sign-in with the bearer token of the moment, and take what is answered."""
        named = {"X-SignalR-Connection-Token": self.connection_token} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        answer = self._ask("refresh", "", {name: value for name, value in named.items() if value})
        if answer.status == 200:
            self.token = answer.json()["accessToken"]
        return answer

    def send(self, message: Mapping[str, Any]) -> Answer | None:
        record = json.dumps(message, separators=(",", ":")) + _END
        if self._socket is not None:
            self._socket.send(record)
            return None
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        return self._request("POST", self._service, self._of_service(headers), record.encode())

    def poll(self) -> Answer:
        """Ask what there is: 200 with messages or without, 204 at the end, or a refusal."""
        answer = self._request("GET", self._service, self._of_service({}))
        if answer.status == 200:
            self._take(answer.body.decode())
        return answer

    @contextlib.contextmanager
    def polling(self) -> Iterator[None]:
        """Have a poll wait from the begin of the block to its end."""
        connection = self._sent("GET", self._service, self._of_service({}))
        with contextlib.closing(connection):
            yield
            self._take(self._answer(connection).body.decode())

    def receive(self) -> dict[str, Any]:
        """Wait for the next message that is no ping; `ConnectionError` if there is none."""
        while True:
            while not self._waiting:
                self._read()
            message: dict[str, Any] = json.loads(self._waiting.pop(0))
            if message.get("type") != 6:
                return message

    def open_socket(self) -> None:
        """Connect, or connect once more after the connection was cut."""
        url = self._service.replace("http", "ws", 1)
        headers = {"Authorization": f"Bearer {self.token}"}
        self._socket = connect(
            url, additional_headers=headers, user_agent_header=_USER_AGENT, open_timeout=PATIENCE
        )

    def end(self) -> Answer | None:
        if self._socket is not None:
            self._socket.close()
        if self._connection is not None:
            self._connection.close()
        if self.transport == "LongPolling":
            return self._request("DELETE", self._service, self._of_service({}))
        return None

    def _read(self) -> None:
        if self._socket is not None:
            try:
                self._take(str(self._socket.recv(PATIENCE)))
            except ConnectionClosed as error:
                raise ConnectionError from error
        elif self._stream is not None:
            line = self._stream.readline().decode()
            if not line:
                raise ConnectionError
            if line.startswith("data:"):
                self._take(line.removeprefix("data:").strip())
        elif self.poll().status != 200:
            raise ConnectionError

    def _take(self, text: str) -> None:
        self._waiting += [record for record in text.split(_END) if record]

    def _open_stream(self) -> None:
        url = urlsplit(self._service)
        self._connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE)
        headers = self._of_service({"Accept": "text/event-stream"})
        self._connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        self._stream = self._connection.getresponse()
        assert self._stream.status == 200, self._stream.read()

    def _of_service(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "User-Agent": _USER_AGENT, **headers}

    def _ask(self, path: str, query: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask the app, which gets the hub URL's own query as well."""
        base, _, own = self.hub_url.partition("?")
        parameters = "&".join(filter(None, (own, query)))
        url = f"{base}/{path}?{parameters}" if parameters else f"{base}/{path}"
        bearer = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        return self._request(
            "POST",
            url,
            {"User-Agent": _USER_AGENT, **bearer, "Content-Length": "0", **(headers or {})}
            | {"X-Requested-With": "XMLHttpRequest", **self.app_headers},
        )

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        connection = self._sent(method, url, headers, body)
        with contextlib.closing(connection):
            return self._answer(connection)

    @staticmethod
    def _sent(
        method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        # That client sends no such header.
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection

    @staticmethod
    def _answer(connection: http.client.HTTPConnection) -> Answer:
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


@contextlib.contextmanager
def recorded_client(
    hub_url: str,
    transport: str,
    bearer: str = "",
    *,
    version: int = 1,
    app_headers: Mapping[str, str] | None = None,
) -> Iterator[RecordedClient]:
    """Connect a client until the end of the block."""
    client = RecordedClient(hub_url, transport, bearer, version, app_headers or {})
    client.start()
    try:
        yield client
    finally:
        client.end()
