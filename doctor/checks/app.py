"""The function app from outside: health, negotiate, upstream, CORS."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from shared.settings.endpoint import is_loopback
from shared.settings.environment import Settings
from shared.settings.names import prefixed_hub
from shared.transport.flow import NoAnswerError

from ..diagnoses.app import (
    OWN_IDENTITY,
    explain_app,
    explain_negotiate,
    explain_refused_token,
    explain_upstream,
    is_refusal,
)
from ..diagnoses.commands import function_app
from ..diagnoses.cors import Host
from ..diagnoses.no_answer import explain_no_answer
from ..diagnoses.refresh import explain_no_refresh
from ..finding import Finding
from ..network import Network, Outcome
from .cors import NEGOTIATION, REFRESH, preflight

__all__ = [
    "AppUnderTest",
    "check_app",
    "check_app_cors",
    "check_app_refresh",
    "check_negotiate",
    "check_unsigned",
]

_PATIENCE: Final = 12.0
"""Seconds for an answer of an app that has yet to start."""

_OPTION: Final = "--app-url"


@dataclass(frozen=True, slots=True)
class AppUnderTest:
    """The function app.

    Args:
        url: Its address.
        base_path: What the paths of its functions begin with: `/api`, or "".
        settings: The settings that it should have.
        hub: Name of the hub, in lower case.
        origin: Origin of a web page whose clients shall get in, or "".
        refresh_off: Why clients of the app renew no sign-ins, or "" where they may.
    """

    url: str
    base_path: str
    settings: Settings
    hub: str
    origin: str
    refresh_off: str
    network: Network = field(default_factory=Network)

    def route(self, path: str) -> str:
        """Return the address of a function."""
        return f"{self.url}{self.base_path}/{path}"

    def ask(self, method: str, path: str) -> Outcome:
        """Send a request without a body to a function."""
        return self.network.request(method, self.route(path), patience=_PATIENCE)

    def close(self) -> None:
        """End its connections."""
        self.network.close()


def check_app(app: AppUnderTest) -> Finding:
    """Ask for the app's health."""
    outcome = app.ask("GET", "health")
    if isinstance(outcome, NoAnswerError):
        return Finding.failed(explain_no_answer(outcome, app.url, _OPTION))
    status = _json(outcome.body).get("status") if outcome.status == HTTPStatus.OK else None
    if status == "ok":
        return Finding.ok(f"{app.url} runs, and has its access key if it needed one")
    if status == "degraded":
        return Finding.warning(
            f"{app.url} runs, and cannot renew its access key or reach an endpoint",
            OWN_IDENTITY,
        )
    return Finding.failed(
        explain_app(outcome, app.route("health"), app.base_path), status=outcome.status
    )


def check_negotiate(app: AppUnderTest) -> Finding:
    """Negotiate as a client that is not logged in."""
    outcome = app.ask("POST", f"{app.hub}/negotiate")
    if isinstance(outcome, NoAnswerError):
        return Finding.failed(explain_no_answer(outcome, app.url, _OPTION))
    answer = _json(outcome.body)
    if outcome.status == HTTPStatus.UNAUTHORIZED and is_refusal(outcome):
        return Finding.ok("callers have to log in first (401), so it was not tried further")
    if outcome.status != HTTPStatus.OK or "accessToken" not in answer:
        return Finding.failed(
            explain_negotiate(outcome, app.hub, app.base_path), status=outcome.status
        )
    sent_to = str(answer.get("url", "")).split("&")[0]
    hub = prefixed_hub(app.settings.application, app.hub)
    known = [each.endpoint.client_hub_url(hub) for each in app.settings.endpoints]
    if sent_to not in known:
        return Finding.warning(
            f"the app sends clients to {sent_to}, which is no endpoint of these settings",
            function_app("config appsettings list", "") + "   # compare with those here",
            url=sent_to,
        )
    return _tried_token(app, sent_to, str(answer["accessToken"]))


def _tried_token(app: AppUnderTest, url: str, token: str) -> Finding:
    """Negotiate with the service by the app's client token, whose clock made it."""
    negotiate = url.replace("/client/?", "/client/negotiate?")
    headers = {"Authorization": f"Bearer {token}"}
    outcome = app.network.request("POST", f"{negotiate}&negotiateVersion=1", headers)
    if not isinstance(outcome, NoAnswerError) and outcome.status == HTTPStatus.UNAUTHORIZED:
        return Finding.failed(explain_refused_token(url), url=url, status=outcome.status)
    return Finding.ok(f"hands out a client token for {url}", url=url)


def check_app_refresh(app: AppUnderTest) -> Finding:
    """Ask for a refresh that names no connection, which the app has to miss."""
    if app.refresh_off:
        return Finding.skipped(app.refresh_off)
    outcome = app.ask("POST", f"{app.hub}/refresh")
    if isinstance(outcome, NoAnswerError):
        return Finding.failed(explain_no_answer(outcome, app.url, _OPTION))
    if _json(outcome.body).get("error") == "missing_connection_token":
        return Finding.ok("it is there, and asks which connection is meant (400)")
    if outcome.status == HTTPStatus.NOT_FOUND and is_refusal(outcome):
        return Finding.skipped(
            "the running app renews no sign-ins (its NEGOTIATE_REFRESH or NEGOTIATE_IDENTITY)"
        )
    return Finding.failed(
        explain_no_refresh(outcome, app.hub, app.base_path), status=outcome.status
    )


def check_unsigned(app: AppUnderTest) -> Finding:
    """Call upstream without proof of being the service, which has to be refused."""
    outcome = app.ask("POST", f"upstream/{app.hub}/messages/doctor")
    if isinstance(outcome, NoAnswerError):
        return Finding.failed(explain_no_answer(outcome, app.url, _OPTION))
    if outcome.status == HTTPStatus.UNAUTHORIZED and is_refusal(outcome):
        return Finding.ok("it is there, and refuses calls that are not the service's (401)")
    return Finding.failed(explain_upstream(outcome, app.base_path), status=outcome.status)


def check_app_cors(app: AppUnderTest) -> Finding:
    """Ask whether browsers let a page negotiate with the app, and renew its sign-in there."""
    if not app.origin:
        return Finding.skipped("no --origin is given")
    host = _host(app.url)
    found = preflight(app.network, app.route(f"{app.hub}/negotiate"), app.origin, host, NEGOTIATION)
    if found.fix or app.refresh_off:
        return found
    return preflight(app.network, app.route(f"{app.hub}/refresh"), app.origin, host, REFRESH)


def _host(url: str) -> Host:
    if is_loopback(url):
        return Host(
            "the app",
            _OPTION,
            'In local.settings.json, under Host: "CORS": "{origin}" (several with commas), and'
            ' "CORSCredentials": true; then start again',
            'In local.settings.json, under Host: "CORSCredentials": true; then start again',
        )
    return Host(
        "the app",
        _OPTION,
        function_app("cors add", "--allowed-origins {origin}")
        + "\n"
        + function_app("cors credentials", "--enable true"),
        function_app("cors credentials", "--enable true"),
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
