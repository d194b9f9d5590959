"""Whether a call comes from the service: asked before anything of it is read or run."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ..issuers.bearer import BearerVerifier, InvalidTokenError, bearer_token
from ..problems import ProblemError
from .settings import UpstreamSettings
from .signature import is_signed

__all__ = ["CallVerifier"]

_logger = logging.getLogger(__name__)


class CallVerifier:
    """Lets calls of the service pass, and no others.

    Args:
        settings: How the service proves that a call is its own.
    """

    def __init__(self, settings: UpstreamSettings) -> None:
        self._identities = settings.identities
        self._access_keys = settings.access_keys
        self._tokens = BearerVerifier(settings.issuers) if settings.issuers else None

    async def verify(self, headers: Mapping[str, str]) -> None:
        """Return if the call comes from the service.

        Args:
            headers: Headers of the request, looked up in any case.

        Raises:
            ProblemError: 401, it cannot be shown to; 503, the keys of its token's issuer cannot be
                had. The reason is in the app's log.
        """
        connection_id = headers.get("X-ASRS-Connection-Id", "")
        if is_signed(connection_id, headers.get("X-ASRS-Signature", ""), self._access_keys):
            return
        reason = await self._token_problem(headers)
        if reason is None:
            return
        # Who names neither a connection nor a token does not claim to be the service: a scanner, or
        # somebody who checks that such calls are refused.
        is_claimed = bool(connection_id) or bearer_token(headers) is not None
        level = logging.WARNING if is_claimed else logging.INFO
        # Quoted and cut, since the reason can repeat what an anonymous caller wrote.
        _logger.log(level, "A call was refused: %.300r", reason)
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "Only the SignalR service may call this, and this call does not prove to be its own.",
            headers={"WWW-Authenticate": 'Bearer realm="upstream"'},
        )

    async def _token_problem(self, headers: Mapping[str, str]) -> str | None:
        """Return what is wrong with the token of a call, or `None` for nothing."""
        if self._tokens is None:
            return self._missing_settings()
        token = bearer_token(headers)
        if token is None:
            return "it has no bearer token; set Auth to ManagedIdentity in the upstream settings"
        try:
            claims = await self._tokens.verify(token)
        except InvalidTokenError as error:
            return str(error)
        return self._identity_problem(claims)

    def _missing_settings(self) -> str:
        if self._access_keys:
            return "no key of this app has signed it"
        return "UPSTREAM_TENANT_ID and UPSTREAM_AUDIENCE are not set, so that none can be accepted"

    def _identity_problem(self, claims: Mapping[str, Any]) -> str | None:
        # The client is `appid` in tokens of version 1, `azp` in those of version 2.
        named = {str(claims[name]).lower() for name in ("appid", "azp", "oid") if name in claims}
        if not self._identities or named & self._identities:
            return None
        return f"its identity ({', '.join(sorted(named))}) is not in UPSTREAM_IDENTITIES"
