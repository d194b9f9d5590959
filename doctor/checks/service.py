"""The endpoint itself: whether it answers, its clock, and what signs client tokens."""

import os
import socket
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from shared.errors import PermissionDeniedError, ServiceError
from shared.identity.permissions import token_claims
from shared.keys.local import LocalKey
from shared.rest import operations as op
from shared.rest.operations import Operation
from shared.settings.connection import ALLOW_HTTP_HOSTS
from shared.settings.endpoint import is_confidential, is_loopback
from shared.settings.token_origin import TokenOrigin
from shared.transport.flow import NoAnswerError, Response

from ..diagnoses.no_answer import explain_no_answer
from ..diagnoses.proxies import explain_proxy, through_proxy
from ..diagnoses.service import (
    SERVICE_URI,
    explain_access,
    explain_status,
    is_network_access,
)
from ..emulator import EmulatorState, read_emulator, span
from ..finding import Diagnosis, Finding
from ..network import Outcome
from .endpoint import EndpointUnderTest
from .identity import moment

__all__ = ["check_clock", "check_key", "check_reach"]

_WORTH_A_LOOK: Final = 60.0
_REFUSED: Final = 300.0
"""Seconds of difference past which tokens are refused: the default of token validation in .NET."""

_BACKDATED: Final = 300.0
"""Seconds by which Entra has a token begin before it is made. Source: psignoret/aad-sso-wordpress,
issue 34."""


def check_reach(tested: EndpointUnderTest) -> Finding:
    """Ask for the endpoint's health, which needs no token."""
    url = f"{tested.endpoint.server_url}{op.HEALTH.path}?api-version={op.HEALTH.api_version}"
    began = time.monotonic()
    outcome = tested.network.request(op.HEALTH.method, url)
    tested.seconds_ahead = _seconds_ahead(outcome, time.time())
    milliseconds = round((time.monotonic() - began) * 1000)
    if is_loopback(url):
        tested.emulator = read_emulator(os.environ.get("IDENTITY_ENDPOINT", ""), tested.network)
    address = _address(url)
    if isinstance(outcome, NoAnswerError):
        diagnosis = explain_no_answer(outcome, url, SERVICE_URI, address=address)
        return Finding.failed(explain_proxy(diagnosis, url), address=address)
    if outcome.status == op.HEALTH.success:
        return Finding.ok(
            f"{tested.endpoint.server_url} answers in {milliseconds} ms{through_proxy(url)}"
            f"{_in_the_clear(url)}",
            url=tested.endpoint.server_url,
            address=address,
            milliseconds=milliseconds,
            type=tested.endpoint.type.value,
        )
    # Nobody but the network access control refuses a health check.
    if outcome.status == HTTPStatus.FORBIDDEN:
        diagnosis = explain_access(tested.endpoint, "RESTAPI")
    else:
        diagnosis = explain_status(outcome, tested.endpoint)
    return Finding.failed(explain_proxy(diagnosis, url), status=outcome.status)


def _in_the_clear(url: str) -> str:
    """Return that others may read what goes to another machine, as the end of a sentence."""
    if is_confidential(url):
        return ""
    return f", in the clear, as {ALLOW_HTTP_HOSTS.name} allows"


def check_clock(tested: EndpointUnderTest) -> Finding:
    """Compare this machine's clock with the service's and with that of the token's issuer."""
    emulator = tested.emulator
    if emulator is not None and abs(emulator.seconds_ahead) > _WORTH_A_LOOK:
        return _moved(emulator)
    measured = [] if tested.seconds_ahead is None else [tested.seconds_ahead]
    since_issue = time.time() - token_claims(tested.entra_token).get("iat", 0)
    if since_issue < 0:
        # A token of the past may come from a cache; one of the future tells the time.
        measured.append(since_issue - _BACKDATED)
    if not measured:
        return Finding.skipped("the service's answer has no Date")
    ahead = max(measured, key=abs)
    if abs(ahead) <= _WORTH_A_LOOK:
        return Finding.ok(
            f"within {max(1, round(abs(ahead)))} s of the service's", secondsAhead=round(ahead)
        )
    summary = f"this machine's clock is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    fix = (
        "Set it: sudo timedatectl set-ntp true (Linux), w32tm /resync (Windows),"
        " sudo sntp -sS time.apple.com (macOS)"
    )
    if abs(ahead) <= _REFUSED:
        return Finding.warning(summary, fix, secondsAhead=round(ahead))
    return Finding.failed(
        Diagnosis(f"{summary}, so that tokens are refused", fix), secondsAhead=round(ahead)
    )


def _moved(emulator: EmulatorState) -> Finding:
    """Say that somebody has moved the emulator's clock, and that this machine's may be right."""
    ahead = emulator.seconds_ahead
    summary = f"the emulator's clock was moved: {span(ahead)} ahead of this machine's"
    if ahead <= _REFUSED:
        return Finding.warning(summary, emulator.reset_clock, secondsAhead=round(-ahead))
    return Finding.failed(
        Diagnosis(f"{summary}, so that tokens end early", emulator.reset_clock),
        secondsAhead=round(-ahead),
    )


def check_key(tested: EndpointUnderTest) -> Finding:
    """Get what signs client tokens: a temporary access key, or a token of the service itself."""
    if tested.is_local:
        tested.sign(LocalKey(tested.credential.access_key or "").get(), time.time())
        return Finding.ok("that of the connection string, which has no id and no end")
    if tested.token_origin is TokenOrigin.SERVICE:
        return _service_token(tested)
    fetched = tested.network.ask(tested.rest.access_key())
    if not isinstance(fetched, ServiceError):
        key = fetched.key
        tested.sign(key, time.time())
        ends = moment(key.expires_at)
        return Finding.ok(f"key {key.key_id}, good until {ends}", keyId=key.key_id, expires=ends)
    # An answer to HEAD has no body, and so may not tell.
    tested.kept_out = is_network_access(tested.network.last)
    refused = tested.explain(op.ACCESS_KEY)
    if tested.token_origin is TokenOrigin.AUTO and isinstance(fetched, PermissionDeniedError):
        made = _service_token(tested)
        if not made.fix:
            return Finding.warning(
                "no access key, so the service makes client tokens (SIGNALR_CLIENT_TOKENS=auto)",
                refused.fix,
            )
    return _refused(refused, op.ACCESS_KEY, fetched)


def _refused(diagnosis: Diagnosis, operation: Operation, error: ServiceError) -> Finding:
    return Finding.failed(
        diagnosis,
        operation=operation.name,
        status=error.status,
        dataAction=operation.permission,
        requestId=error.request_id,
    )


def _service_token(tested: EndpointUnderTest) -> Finding:
    token = tested.network.ask(
        tested.rest.generate_client_token(tested.hub, user_id=tested.user_id)
    )
    if isinstance(token, ServiceError):
        tested.kept_out = is_network_access(tested.network.last)
        return _refused(tested.explain(op.GENERATE_TOKEN), op.GENERATE_TOKEN, token)
    tested.client_token = token
    return Finding.ok(
        f"the service makes client tokens ({tested.token_origin.value} in SIGNALR_CLIENT_TOKENS)"
    )


def _seconds_ahead(outcome: Outcome, now: float) -> float | None:
    """Return how far this machine's clock is ahead of that of who answered."""
    if not isinstance(outcome, Response):
        return None
    try:
        return now - parsedate_to_datetime(outcome.headers.get("Date", "")).timestamp()
    except ValueError:
        return None


def _address(url: str) -> str:
    """Return what the host's name stands for."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or parts.scheme)
    except OSError:
        return ""
    return str(found[0][4][0])
