"""A client of the service: its handshake, the service mode, and the way to the app's upstream."""

import json
import secrets
from http import HTTPStatus
from typing import Final

from websockets.exceptions import InvalidStatus, WebSocketException

from shared.command.hub_client import HandshakeError, HubClient, Message
from shared.transport.flow import NoAnswerError

from ..diagnoses.client import (
    explain_handshake,
    explain_mode,
    explain_negotiation,
    explain_upgrade,
    explain_upstream,
    is_mode_error,
)
from ..diagnoses.no_answer import explain_no_answer
from ..finding import Finding
from .endpoint import EndpointUnderTest
from .invocations import invoke

__all__ = ["check_client", "check_mode", "check_upstream", "negotiate"]

_TIMEOUT: Final = 5.0
_CLIENT_ENDPOINT: Final = "AzureSignalRConnectionString__clientEndpoint (or __serviceUri)"
_UPSTREAM_TIMEOUT: Final = 12.0
"""Seconds for an upstream, which may be a function app that has yet to start."""


def check_client(tested: EndpointUnderTest) -> Finding:
    """Negotiate with the service, open a WebSocket and shake hands, as a client does."""
    negotiated = negotiate(tested)
    if isinstance(negotiated, Finding):
        return negotiated
    url = tested.endpoint.client_hub_url(tested.service_hub)
    try:
        tested.client = HubClient(url, tested.client_token, negotiated, _TIMEOUT)
    except HandshakeError as error:
        tested.handshake_error = str(error)
        return Finding.failed(explain_handshake(str(error)), answer=str(error))
    except InvalidStatus as error:
        status = error.response.status_code
        return Finding.failed(explain_upgrade(status, tested.endpoint), status=status)
    except (OSError, WebSocketException) as error:
        return Finding.failed(explain_no_answer(error, url, _CLIENT_ENDPOINT))
    return Finding.ok(
        f"WebSocket and handshake at hub {tested.hub}, as user {tested.user_id}",
        hub=tested.hub,
        userId=tested.user_id,
        connectionId=tested.client.connection_id,
    )


def check_mode(tested: EndpointUnderTest) -> Finding:
    """Tell from the handshake whether the resource waits for an app server."""
    if tested.client is not None:
        return Finding.ok(
            "a client got in with no app server about: Serverless, or Classic",
            proves="not Default, unless an app server is connected to this hub",
        )
    if is_mode_error(tested.handshake_error):
        return Finding.failed(explain_mode(tested.endpoint), answer=tested.handshake_error)
    return Finding.skipped("only a handshake shows it")


def check_upstream(tested: EndpointUnderTest) -> Finding:
    """Call a method that does not exist, and see from the answer how far the call got."""
    assert tested.client is not None  # noqa: S101  this check needs that of the client
    target = f"doctor_{secrets.token_hex(6)}"
    answer = invoke(tested.client, target, _UPSTREAM_TIMEOUT)
    error = None if answer is None else answer.get("error")
    if isinstance(error, str) and f"no method {target!r}" in error:
        return Finding.ok(
            "the service reaches this app, which knows the call to be the service's",
            answer=error,
        )
    return explain_upstream(answer, tested.endpoint, tested.base_path, tested.emulator)


def negotiate(tested: EndpointUnderTest) -> Message | Finding:
    """Negotiate with the service; return its answer, or what keeps clients from negotiating."""
    url = tested.endpoint.client_hub_url(tested.service_hub).replace(
        "/client/?", "/client/negotiate?"
    )
    headers = {"Authorization": f"Bearer {tested.client_token}"}
    outcome = tested.network.request("POST", f"{url}&negotiateVersion=1", headers)
    if isinstance(outcome, NoAnswerError):
        return Finding.failed(explain_no_answer(outcome, url, _CLIENT_ENDPOINT))
    if outcome.status != HTTPStatus.OK:
        return Finding.failed(
            explain_negotiation(outcome, tested.endpoint, tested.emulator), status=outcome.status
        )
    try:
        answer = json.loads(outcome.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or "connectionId" not in answer:
        return Finding.failed(
            explain_negotiation(outcome, tested.endpoint, tested.emulator), status=outcome.status
        )
    return answer
