"""One call of a REST operation: its parameters and its body, checked when they are asked for."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import hdrs, http, web

from ..authentication.callers import Caller
from ..errors import (
    InvalidRequestError,
    PayloadTooLargeError,
    UnsupportedContentError,
)
from ..operations.binary_payload import parse_binary_item, parse_binary_payload
from ..operations.parameters import MAX_BODY_BYTES, effective_hub, group_name
from ..operations.payloads import Payload, parse_item, parse_payload
from ..operations.table import Operation
from ..protocols.supported import Written
from ..state.journal import Request
from ..transports.local_address import local_address

__all__ = ["OCTET_STREAM", "Call", "Handler"]

OCTET_STREAM = "application/octet-stream"
"""Media type of messages in hub protocols."""

_JSON = "application/json"
_MESSAGEPACK = ("application/x-msgpack", OCTET_STREAM)
_HOST = re.compile(r"[\w.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:]+\](:[0-9]+)?", re.ASCII)


@dataclass(slots=True)  # made for each request, and a frozen one takes twice as long
class Call:
    """A call whose caller is known.

    Attributes:
        request: What was sent.
        operation: What is called.
        caller: Who calls.
        noted: What the journal will know of it.
    """

    request: web.Request
    operation: Operation
    caller: Caller
    noted: Request

    @property
    def is_v1(self) -> bool:
        """Whether the path has its version in it."""
        return self.operation.since is None

    @property
    def hub(self) -> str:
        """Name under which the hub is kept; `application` is part of it."""
        application = None if self.is_v1 else self.parameter("application")
        return effective_hub(self.request.match_info["hub"], application)

    @property
    def own_hub(self) -> str:
        """Name under which the hub is kept, for operations without `application`."""
        return effective_hub(self.request.match_info["hub"])

    @property
    def group(self) -> str:
        """Name of the group."""
        return group_name(self.request.match_info["group"])

    @property
    def user(self) -> str:
        """Name of the user."""
        return self.request.match_info["user"]

    @property
    def connection(self) -> str:
        """Id of the connection."""
        return self.request.match_info["connection"]

    @property
    def stream(self) -> str:
        """Id of the stream, unchecked."""
        return self.request.match_info["stream"]

    @property
    def excluded(self) -> frozenset[str]:
        """Ids of the connections that are left out."""
        return frozenset(self.request.query.getall("excluded", ()))

    @property
    def tracing_id(self) -> str | None:
        """What the sender calls the message in the service's messaging logs."""
        return self.request.headers.get("X-ASRS-Message-Tracing-Id")

    def parameter(self, name: str) -> str | None:
        """Give a parameter of the query, or None if it is not there."""
        return self.request.query.get(name)

    def accepts(self, media_type: str) -> bool:
        """Tell whether the caller names a media type among those that it takes."""
        listed = ",".join(self.request.headers.getall(hdrs.ACCEPT, ()))
        return any(
            each.partition(";")[0].strip().lower() == media_type for each in listed.split(",")
        )

    async def json(self) -> bytes:
        """Read a body that has to be JSON, and is not parsed yet."""
        if self._content_type() != _JSON:
            raise UnsupportedContentError(f"The body has to be {_JSON}.", target="Content-Type")
        return await self.body()

    async def payload(self) -> Payload:
        """Read a body that is a message."""
        parse = self._parser(parse_payload, parse_binary_payload)
        return parse(await self.body())

    async def item(self, stream: str) -> Written:
        """Read a body that is an item of a stream."""
        parse = self._parser(parse_item, parse_binary_item)
        return parse(await self.body(), stream)

    async def body(self) -> bytes:
        """Read the body."""
        try:
            body = await self.request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise PayloadTooLargeError(
                f"The body may have at most {MAX_BODY_BYTES} bytes."
            ) from error
        except (http.HttpProcessingError, web.RequestPayloadError) as error:
            raise InvalidRequestError("The body does not fit its encoding.") from error
        self.noted.body = body
        self.noted.body_size = len(body)
        return body

    def url_with(self, changes: dict[str, str | None]) -> str:
        """Give the absolute URL of this call with other parameters; None takes one away."""
        query = [(name, value) for name, value in self.request.query.items() if name not in changes]
        query += [(name, value) for name, value in changes.items() if value is not None]
        path = self.request.rel_url.raw_path
        return f"{self.request.scheme}://{self._authority()}{path}?{urlencode(query)}"

    def _parser[**P, T](
        self, for_json: Callable[P, T], for_messagepack: Callable[P, T]
    ) -> Callable[P, T]:
        content_type = self._content_type()
        if content_type == _JSON:
            return for_json
        if content_type in _MESSAGEPACK:
            return for_messagepack
        raise UnsupportedContentError(
            f"The payload has to be one of {', '.join((_JSON, *_MESSAGEPACK))}.",
            target="Content-Type",
        )

    def _authority(self) -> str:
        host = self.request.headers.get(hdrs.HOST, "")
        if _HOST.fullmatch(host):
            return host
        return str(local_address(self.request) or "localhost")

    def _content_type(self) -> str:
        # Nearly all have no parameters, which would have to be parsed.
        sent = self.request.headers.get(hdrs.CONTENT_TYPE, _JSON)
        return _JSON if sent == _JSON else self.request.content_type


type Handler = Callable[[Call], Awaitable[web.Response | None]]
"""Carries out a call; None stands for the operation's success without a body."""
