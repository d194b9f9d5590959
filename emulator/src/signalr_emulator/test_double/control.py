"""The control plane, called by a test; it blocks."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from ..documents.json_text import Json

__all__ = ["Control", "ControlError"]

_TIMEOUT = 60.0
"""Longer than a reset waits for upstreams, in seconds."""

# A proxy of the environment is on another machine.
_open = build_opener(ProxyHandler({})).open


class ControlError(Exception):
    """The emulator refuses what a test asks of its control plane; the message says why."""


@dataclass(frozen=True, slots=True)
class Control:
    """The routes below `/emulator/`.

    Attributes:
        url: Where the control plane listens.
    """

    url: str

    def call(self, method: str, path: str, body: Json = None) -> Any:  # noqa: ANN401 - JSON
        """Call a route, and give what it answers.

        Args:
            method: HTTP method.
            path: What comes after `/emulator/`.
            body: What is sent as JSON, if anything.

        Raises:
            ControlError: It refuses, or nobody answers.
        """
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - an http URL on this machine
            f"{self.url}/emulator/{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with _open(request, timeout=_TIMEOUT) as response:
                text = response.read()
        except HTTPError as error:
            with error:
                raise ControlError(_said(error)) from None
        except (URLError, OSError) as error:
            raise ControlError(f"The emulator at {self.url} does not answer: {error}") from error
        return json.loads(text) if text else None


def _said(error: HTTPError) -> str:
    """Give the reason of a refusal, or the status where no emulator has answered."""
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, LookupError, TypeError):
        return f"{error.url}: {error.code} {error.reason}"
