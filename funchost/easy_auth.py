"""App Service authentication on this machine: anybody signs in as whomever they like.

It stands in for the real thing as the emulator of Static Web Apps does, so that an app meets the
same headers and routes. Names and forms are those of the pages on user identities and on the token
store in the App Service documentation. Sessions live in this process and nowhere else.
"""

import html
import json
import re
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

__all__ = ["EasyAuth"]

COOKIE: Final = "AppServiceAuthSession"
_PREFIX: Final = "/.auth/"
_PRINCIPAL_HEADERS: Final = "x-ms-client-principal"
"""What the names of the headers begin with that only the platform may set."""

_PROVIDER: Final = re.compile(r"[a-z0-9-]{1,32}")
_SESSION_SECONDS: Final = 8 * 3600
_MOST_SESSIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class _Principal:
    """Who has signed in."""

    provider: str
    user_id: str
    name: str
    claims: tuple[tuple[str, str], ...]
    expires_at: int

    def listed_claims(self) -> list[dict[str, str]]:
        standard = (("name", self.name), ("exp", str(self.expires_at)))
        return [{"typ": name, "val": value} for name, value in (*standard, *self.claims)]

    def headers(self) -> dict[str, str]:
        document = {
            "auth_typ": self.provider,
            "claims": self.listed_claims(),
            "name_typ": "name",
            "role_typ": "roles",
        }
        return {
            _PRINCIPAL_HEADERS: b64encode(json.dumps(document).encode()).decode(),
            f"{_PRINCIPAL_HEADERS}-id": self.user_id,
            f"{_PRINCIPAL_HEADERS}-idp": self.provider,
            # A header holds Latin-1 at most, and the principal has the name in full.
            f"{_PRINCIPAL_HEADERS}-name": self.name.encode("ascii", "replace").decode(),
        }


class EasyAuth:
    """Signs people in and tells the app who they are."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Principal] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the routes below `/.auth/`."""
        router.add_get(f"{_PREFIX}login/{{provider}}", self._form)
        router.add_post(f"{_PREFIX}login/{{provider}}", self._sign_in)
        router.add_get(f"{_PREFIX}me", self._me)
        router.add_get(f"{_PREFIX}logout", self._sign_out)

    def headers(self, request: web.Request) -> Mapping[str, str]:
        """Return a request's headers as the app gets them.

        What came under the names of the principal is left out, whoever sent it.

        Args:
            request: The request as it came.
        """
        kept = {
            name: value
            for name, value in request.headers.items()
            if not name.lower().startswith(_PRINCIPAL_HEADERS)
        }
        principal = self._principal(request)
        return kept if principal is None else {**kept, **principal.headers()}

    def _principal(self, request: web.Request) -> _Principal | None:
        principal = self._sessions.get(request.cookies.get(COOKIE, ""))
        if principal is None or time.time() >= principal.expires_at:
            return None
        return principal

    async def _form(self, request: web.Request) -> web.Response:
        target = html.escape(_local_target(request.query.get("post_login_redirect_uri")))
        provider = html.escape(_provider(request))
        page = _FORM.replace("{provider}", provider).replace("{target}", target)
        policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
        headers = {"Content-Security-Policy": policy, hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def _sign_in(self, request: web.Request) -> web.Response:
        # A form of another site must not sign anybody in.
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="Sign in from this site's own form.")
        form = {name: str(value) for name, value in (await request.post()).items()}
        user_id = form.get("user_id", "").strip()
        if not user_id or not user_id.isprintable() or not user_id.isascii():
            raise web.HTTPBadRequest(text="user_id must be printable ASCII.")
        principal = _Principal(
            _provider(request),
            user_id,
            form.get("name", "").strip() or user_id,
            _claims(form.get("claims", "")),
            int(time.time()) + _SESSION_SECONDS,
        )
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session = secrets.token_urlsafe(32)
        self._sessions[session] = principal
        response = web.HTTPFound(_local_target(form.get("post_login_redirect_uri")))
        response.set_cookie(COOKIE, session, httponly=True, samesite="Lax", path="/")
        raise response

    async def _me(self, request: web.Request) -> web.Response:
        principal = self._principal(request)
        listed = [] if principal is None else [_described(principal)]
        return web.json_response(listed, headers={hdrs.CACHE_CONTROL: "no-store"})

    async def _sign_out(self, request: web.Request) -> web.Response:
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        response = web.HTTPFound(_local_target(request.query.get("post_logout_redirect_uri")))
        response.del_cookie(COOKIE, path="/")
        raise response


def _described(principal: _Principal) -> dict[str, object]:
    return {
        "provider_name": principal.provider,
        "user_id": principal.user_id,
        "user_claims": principal.listed_claims(),
        "expires_on": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(principal.expires_at)),
    }


def _provider(request: web.Request) -> str:
    provider = request.match_info["provider"]
    if _PROVIDER.fullmatch(provider) is None:
        raise web.HTTPNotFound
    return provider


def _claims(text: str) -> tuple[tuple[str, str], ...]:
    """Read one claim a line, `type=value`; lines without '=' are left out."""
    pairs = (line.partition("=") for line in text.splitlines())
    return tuple((name.strip(), value.strip()) for name, equals, value in pairs if equals and name)


def _local_target(target: str | None) -> str:
    """Return where to go, if that is a path of this site: others could lure people away."""
    # A browser takes a backslash for a slash, and two of them for another host.
    if target is None or re.fullmatch(r"/(?![/\\])[!-~]*", target) is None or "\\" in target:
        return "/"
    return target


_FORM: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 3rem auto;
    padding: 0 1rem; }
  label { display: block; margin-top: 1rem; font-weight: 600; }
  input, textarea, button { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; }
  button { margin-top: 1.5rem; cursor: pointer; }
  p { color: light-dark(#5b6470, #9aa4b2); }
</style>
<h1>Sign in with {provider}</h1>
<p>This stands in for App Service authentication on this machine. Be whomever you like.</p>
<form method="post">
  <input type="hidden" name="post_login_redirect_uri" value="{target}">
  <label for="user_id">User id</label>
  <input id="user_id" name="user_id" required autofocus autocomplete="username" maxlength="200">
  <label for="name">Name</label>
  <input id="name" name="name" autocomplete="name" maxlength="200">
  <label for="claims">Claims, one a line</label>
  <textarea id="claims" name="claims" rows="3" placeholder="roles=admin"></textarea>
  <button>Sign in</button>
</form>
</html>
"""
