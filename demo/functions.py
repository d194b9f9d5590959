"""The demo page, the SignalR client that it runs, and what renews its sign-in."""

import secrets
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import azure.functions as func

from shared.functions.problems import ProblemError, http_function
from shared.settings.endpoint import Endpoint

__all__ = ["blueprint"]

_PAGE: Final = Path(__file__).parent / "page.html"
_CLIENT: Final = Path(__file__).parent / "signalr.js"
_REFRESH: Final = Path(__file__).parent / "authentication-refresh.mjs"
_SCRIPT: Final = "text/javascript"


def blueprint(endpoints: Iterable[Endpoint]) -> func.Blueprint:
    """Return the functions of the demo page.

    Args:
        endpoints: The endpoints of the service, which the page may connect to and no others.
    """
    functions = func.Blueprint()
    connect_to = " ".join(["'self'", *(each for one in endpoints for each in _origins(one))])

    @functions.route("demo", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("GET", "HEAD")
    async def demo(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        nonce = secrets.token_urlsafe(16)
        return func.HttpResponse(
            _PAGE.read_text(encoding="utf-8").replace("{nonce}", nonce),
            mimetype="text/html",
            headers={"Cache-Control": "no-store"} | _protection(nonce, connect_to),
        )

    @functions.route("demo/signalr.js", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("GET", "HEAD")
    async def demo_client(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        if not _CLIENT.exists():
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "The SignalR client is missing: run 'make demo/signalr.js'.",
            )
        return func.HttpResponse(_CLIENT.read_bytes(), mimetype=_SCRIPT)

    @functions.route("demo/authentication-refresh.mjs", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("GET", "HEAD")
    async def demo_refresh(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        return func.HttpResponse(_REFRESH.read_bytes(), mimetype=_SCRIPT)

    return functions


def _protection(nonce: str, connect_to: str) -> dict[str, str]:
    """Return headers that let the page run its own script and talk to the service alone."""
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        f"connect-src {connect_to}; img-src data:; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}


def _origins(endpoint: Endpoint) -> tuple[str, str]:
    """Return where a client of an endpoint connects to, by HTTP and by WebSocket."""
    origin = "/".join(endpoint.client_url.split("/", 3)[:3])
    return origin, origin.replace("http", "ws", 1)
