"""App Service authentication on this machine: signing in, `/.auth/me` and signing out.

It stands in for the real thing as the emulator of the Static Web Apps CLI does: anybody signs in
as whomever they like, and the app meets the routes and headers that it meets in Azure. As with
"allow unauthenticated requests", a request without a session passes, and carries no principal.
"""

import re
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from .principal import Principal, is_platform_header, read_principal
from .sessions import SESSION_SECONDS, Sessions

__all__ = ["EasyAuth", "is_auth_path", "local_target"]

_COOKIE: Final = "AppServiceAuthSession"
_PREFIX: Final = "/.auth/"
_LOGIN: Final = re.compile(rf"{re.escape(_PREFIX)}login/([A-Za-z0-9_-]{{1,32}})")
# A path of printable ASCII. A browser takes a backslash for a slash, and two slashes at the start
# for another host; it drops tabs and line breaks anywhere.
_PATH: Final = re.compile(r"/(?!/)[!-\[\]-~]*")
_FIELDS: Final = ("user_id", "name", "roles", "claims")
_READS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})

_PAGE: Final = Path(__file__).with_name("sign_in.html").read_text(encoding="utf-8")


def _hash_of_the_style() -> str:
    style = _PAGE.partition("<style>")[2].partition("</style>")[0]
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


_PROTECTION: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src {_hash_of_the_style()}; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    hdrs.CACHE_CONTROL: "no-store",
}


class EasyAuth:
    """Signs people in, and tells functions who they are."""

    def __init__(self) -> None:
        self._sessions = Sessions()

    def headers(self, request: web.Request, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of a request as a function gets them.

        What came under the names of the platform is left out, whoever sent it.

        Args:
            request: The request as it came.
            headers: Its headers, with lower-case names.
        """
        kept = {name: value for name, value in headers.items() if not is_platform_header(name)}
        principal = self._principal(request)
        return kept if principal is None else kept | principal.headers()

    async def answer(
        self, request: web.Request, read: Callable[[web.Request], Awaitable[bytes]]
    ) -> web.Response:
        """Answer a request below `/.auth/`.

        Args:
            request: The request.
            read: Reads its body.
        """
        path = request.path
        if login := _LOGIN.fullmatch(path):
            if request.method in _READS:
                return _form(login[1], _target(request, "post_login_redirect_uri"))
            if request.method == hdrs.METH_POST:
                return self._sign_in(request, login[1], await read(request))
        if path == f"{_PREFIX}me" and request.method in _READS:
            return self._me(request)
        if path == f"{_PREFIX}logout" and request.method in _READS:
            return self._sign_out(request)
        return web.Response(status=404)

    def _sign_in(self, request: web.Request, provider: str, body: bytes) -> web.Response:
        # A form of another site must not sign anybody in.
        if request.headers.get(hdrs.ORIGIN, _origin(request)) != _origin(request):
            return web.Response(status=403, text="Sign in by the form of this site.\n")
        form = dict(parse_qsl(body.decode(errors="replace")))
        target = local_target(form.get("post_login_redirect_uri"), _origin(request))
        try:
            principal = read_principal(provider, form, int(time.time()))
            cookie = self._sessions.begin(principal)
        except ValueError as error:
            return _form(provider, target, form, str(error))
        response = _redirect(target)
        response.set_cookie(
            _COOKIE, cookie, max_age=SESSION_SECONDS, path="/", httponly=True, samesite="Lax"
        )
        return response

    def _me(self, request: web.Request) -> web.Response:
        principal = self._principal(request)
        listed = [] if principal is None else [principal.description()]
        return web.json_response(listed, headers={hdrs.CACHE_CONTROL: "no-store"})

    def _sign_out(self, request: web.Request) -> web.Response:
        self._sessions.end(request.cookies.get(_COOKIE, ""))
        response = _redirect(_target(request, "post_logout_redirect_uri"))
        response.del_cookie(_COOKIE, path="/", httponly=True, samesite="Lax")
        return response

    def _principal(self, request: web.Request) -> Principal | None:
        cookie = request.cookies.get(_COOKIE)
        return self._sessions.read(cookie) if cookie else None


def is_auth_path(path: str) -> bool:
    """Tell whether a path belongs to App Service authentication rather than to the app."""
    return path.startswith(_PREFIX)


def local_target(target: str | None, origin: str) -> str:
    """Return the path that a redirect may go to: `/` instead of anything on another site.

    Args:
        target: What the request asks for: a path, or a URL of this origin.
        origin: This site, `scheme://host:port`.
    """
    path = (target or "/").removeprefix(origin)
    return path if _PATH.fullmatch(path) else "/"


def _target(request: web.Request, parameter: str) -> str:
    return local_target(request.query.get(parameter), _origin(request))


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _redirect(target: str) -> web.Response:
    return web.Response(status=302, headers={hdrs.LOCATION: target, hdrs.CACHE_CONTROL: "no-store"})


def _form(
    provider: str, target: str, filled: Mapping[str, str] | None = None, error: str = ""
) -> web.Response:
    values = {field: (filled or {}).get(field, "") for field in _FIELDS}
    shown = values | {"provider": provider, "target": target}
    page = Template(_PAGE).substitute(
        {name: escape(value) for name, value in shown.items()},
        error=f'<p class="error" role="alert">{escape(error)}</p>' if error else "",
    )
    return web.Response(
        status=400 if error else 200, text=page, content_type="text/html", headers=_PROTECTION
    )
