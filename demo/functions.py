"""The demo page and the files that it loads."""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func

from shared.functions.problems import ProblemError, http_function
from shared.settings.endpoint import Endpoint, is_confidential, is_loopback

__all__ = ["blueprint"]

_FOLDER: Final = Path(__file__).parent
_SCRIPT: Final = "text/javascript"
_CLIENT: Final = "signalr.js"
_FILES: Final = {
    "page.css": "text/css",
    "page.mjs": _SCRIPT,
    "problems.mjs": _SCRIPT,
    "authentication-refresh.mjs": _SCRIPT,
    _CLIENT: _SCRIPT,
}


def blueprint(endpoints: Sequence[Endpoint]) -> func.Blueprint:
    """Return the functions of the demo page.

    Args:
        endpoints: The endpoints of the service, which the page may connect to and no others.
    """
    functions = func.Blueprint()
    connect_to = " ".join(["'self'", *(each for one in endpoints for each in _origins(one))])
    known = {
        "{inspector}": escape(_inspector(os.environ, endpoints)),
        "{sign_in}": "true" if _can_sign_in(os.environ) else "false",
    }

    @functions.route("demo", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("GET", "HEAD")
    async def demo(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
        _check_client()
        nonce = secrets.token_urlsafe(16)
        page = (_FOLDER / "page.html").read_text(encoding="utf-8")
        for place, value in {**known, "{nonce}": nonce}.items():
            page = page.replace(place, value)
        return func.HttpResponse(
            page,
            mimetype="text/html",
            headers={"Cache-Control": "no-store"} | _protection(nonce, connect_to),
        )

    @functions.route("demo/{file}", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("GET", "HEAD")
    async def demo_file(req: func.HttpRequest) -> func.HttpResponse:
        name = req.route_params["file"]
        if name not in _FILES:
            raise ProblemError(HTTPStatus.NOT_FOUND, "The demo page has no such file.")
        if name == _CLIENT:
            _check_client()
        return func.HttpResponse((_FOLDER / name).read_bytes(), mimetype=_FILES[name])

    return functions


def _inspector(environment: Mapping[str, str], endpoints: Iterable[Endpoint]) -> str:
    """Return where the emulator's inspector is, or "" if the service is no emulator.

    The identity endpoint of the emulator is on the inspector's port. That of App Service has a
    loopback address too, so the service has to be on this machine as well.
    """
    identity = environment.get("IDENTITY_ENDPOINT", "")
    addresses = (identity, *(each.client_url for each in endpoints))
    if not all(is_confidential(each) and is_loopback(each) for each in addresses):
        return ""
    parts = urlsplit(identity)
    return f"{parts.scheme}://{parts.netloc}"


def _can_sign_in(environment: Mapping[str, str]) -> bool:
    """Tell whether who has signed in with the platform may connect."""
    return "app-service" in (environment.get("NEGOTIATE_IDENTITY") or "app-service")


def _check_client() -> None:
    if not (_FOLDER / _CLIENT).exists():
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "The demo page is left out: its SignalR client is missing. Install Node.js with npm, "
            "and start the app again.",
        )


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
