"""The first token of App Service's managed identity, by the one request that it takes.

A cold start would wait for azure-identity to be imported, which takes longer than everything else
of it. What this does not know is left to azure-identity, as every later token is.

Source: "Use managed identities for App Service and Azure Functions", REST endpoint reference.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from ..errors import AuthenticationError
from ..identity.token import Token
from ..settings.credential import CredentialKind, CredentialSettings
from ..settings.endpoint import passes_proxies_by
from ..transport.flow import NoAnswerError, Request, Response
from ..transport.http import Timeouts, Transport

__all__ = ["first_token"]

_ENDPOINT: Final = "IDENTITY_ENDPOINT"
_HEADER: Final = "IDENTITY_HEADER"
_SERVICE_FABRIC: Final = "IDENTITY_SERVER_THUMBPRINT"
"""Tells the endpoint of Service Fabric from that of App Service; so azure-identity has it."""

_PARAMETERS: Final = {
    "client_id": "client_id",
    "object_id": "object_id",
    "resource_id": "mi_res_id",
}
"""What names a user-assigned identity there, by azure-identity's word for it."""


def first_token(
    settings: CredentialSettings, environment: Mapping[str, str], audience: str
) -> Token | None:
    """Ask App Service for a token of the app's managed identity.

    Args:
        settings: Which credential, with what.
        environment: The process environment, which names App Service's identity endpoint.
        audience: What the token is for.

    Returns:
        The token, or `None` where azure-identity has to be asked: for another credential, for
        another endpoint, and for an answer that only it can explain.

    Raises:
        AuthenticationError: There is none; the text is that of `EntraTokens`.
    """
    if settings.kind is not CredentialKind.MANAGED_IDENTITY or _HEADER not in environment:
        return None
    url = environment.get(_ENDPOINT, "")
    # Both others are not App Service's: Service Fabric's endpoint, and one behind a network.
    if _SERVICE_FABRIC in environment or not passes_proxies_by(url):
        return None
    query = {"api-version": "2019-08-01", "resource": audience}
    if (named := settings.user_assigned) is not None:
        query[_PARAMETERS[named.by]] = named.value
    try:
        answer = _ask(f"{url}?{urlencode(query)}", environment[_HEADER], settings.timeout)
    except NoAnswerError as error:
        refusal = _explain(settings, url, error=error)
    else:
        if (token := _token(answer)) is not None:
            return token
        refusal = _explain(settings, url, answer, environment[_HEADER])
    if refusal is None:
        return None
    raise AuthenticationError(f"No Entra token from ManagedIdentityCredential: {refusal}")


def _ask(url: str, secret: str, timeout: float) -> Response:
    transport = Transport(Timeouts(connect=timeout, read=timeout, total=timeout), pool_size=1)
    try:
        return transport.send(Request("GET", url, {"X-IDENTITY-HEADER": secret}))
    finally:
        transport.close()


def _token(answer: Response) -> Token | None:
    if answer.status != HTTPStatus.OK:
        return None
    try:
        document = json.loads(answer.body)
        value, expires_on = document["access_token"], document["expires_on"]
        return Token(value, int(expires_on)) if isinstance(value, str) and value else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _explain(
    settings: CredentialSettings,
    url: str,
    answer: Response | None = None,
    secret: str = "",
    *,
    error: NoAnswerError | None = None,
) -> str | None:
    """Say why there is no token; `None` if only azure-identity can."""
    from ..identity.answers import (  # noqa: PLC0415  no start needs it that goes well
        TokenRequest,
        read_answer,
    )
    from ..identity.failures import (  # noqa: PLC0415  as above
        Cause,
        explain_failure,
        said_by,
    )

    request = TokenRequest(url)
    if answer is not None:
        content_type = answer.headers.get("Content-Type", "")
        body = answer.body.decode(errors="replace")
        request = TokenRequest(url, read_answer(answer.status, content_type, body, (secret,)))
    failure = explain_failure("" if error is None else said_by(error), request, settings)
    return None if failure.cause is Cause.OTHER else str(failure)
