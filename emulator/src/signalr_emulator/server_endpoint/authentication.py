"""Access keys over a server connection, and the authentication of clients."""

import math

from ..errors import AuthenticationError, ForbiddenError, NotExistedError, RequestError
from ..operations.authentication_refresh import AuthenticationRefresh
from ..operations.table import DataAction
from ..rest.authentication import ConnectionAuthentication
from ..rest.callers import Callers
from ..server_connections.live import ServerConnection
from ..service_protocol.fields import FOR_EVER
from ..service_protocol.messages import AccessKeyRequest, AccessKeyResponse, Ack
from ..service_protocol.payloads import write_claims
from ..service_protocol.requests import GetConnectionClaims, RefreshAuth
from ..state.resource import Resource
from .answers import AckStatus, Handlers, done

__all__ = ["AuthenticationHandlers"]

_NANO = 1_000_000_000


class AuthenticationHandlers:
    """Gives access keys for Entra tokens, and connections new claims.

    Args:
        resource: The SignalR resource.
        callers: Tells whether who asks for a key may have it.
        authentication: Refreshes connections.
    """

    def __init__(
        self, resource: Resource, callers: Callers, authentication: ConnectionAuthentication
    ) -> None:
        self._resource = resource
        self._callers = callers
        self._authentication = authentication

    def handlers(self) -> Handlers:
        """Give what carries out each message."""
        return {
            AccessKeyRequest: self._access_key,
            RefreshAuth: self._refresh,
            GetConnectionClaims: self._claims,
        }

    def _access_key(self, _server: ServerConnection, asked: AccessKeyRequest) -> AccessKeyResponse:
        self._resource.activity.key_requests += 1
        try:
            caller = self._resource.authenticator.entra(asked.token or "")
            self._callers.permit(caller, DataAction.ACCESS_KEY)
        except AuthenticationError as error:
            return AccessKeyResponse(error_type="Unauthorized", error_message=str(error))
        except RequestError as error:
            return AccessKeyResponse(error_type=error.code, error_message=error.message)
        key = self._resource.access_keys.issue()
        return AccessKeyResponse(key_id=key.key_id, access_key=key.secret)

    def _refresh(self, server: ServerConnection, asked: RefreshAuth) -> Ack:
        seconds = asked.expires.seconds + asked.expires.nanoseconds / _NANO
        refresh = AuthenticationRefresh(
            asked.connection_token,
            # `DateTimeOffset.MaxValue` and what is later are no end.
            math.inf if asked.expires.seconds >= FOR_EVER.seconds else seconds,
            tuple(asked.claims) or None,
        )
        try:
            claims = self._authentication.refresh(refresh, server.hub, "http")
        except NotExistedError as error:
            return Ack(asked.ack_id, AckStatus.NOT_FOUND, error.message)
        except ForbiddenError as error:
            return Ack(asked.ack_id, AckStatus.FORBIDDEN, error.message)
        return done(asked.ack_id, write_claims(claims))

    def _claims(self, server: ServerConnection, asked: GetConnectionClaims) -> Ack:
        try:
            claims = self._authentication.claims(asked.connection_token, server.hub)
        except NotExistedError as error:
            return Ack(asked.ack_id, AckStatus.NOT_FOUND, error.message)
        return done(asked.ack_id, write_claims(claims))
