"""The operations that give keys and tokens."""

from collections.abc import Mapping

from aiohttp import web

from ..authentication.client_tokens import (
    MAX_TOKEN_LENGTH,
    USER_ID,
    client_audiences,
    issue_client_token,
)
from ..documents.json_text import Json
from ..errors import AuthenticationError, InvalidRequestError
from ..operations.parameters import integer
from ..operations.table import Task
from ..state.resource import Resource
from ..state.service import Service
from .call import Call, Handler

__all__ = ["ClientTokens", "TokenOperations"]

_DEFAULT_MINUTES = "60"


class ClientTokens:
    """Makes client tokens with a key that only the service has.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that the key belongs to.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._hosts = service.config.hosts
        self._clock = service.clock
        self._access_keys = resource.access_keys

    def issue(
        self, scheme: str, hub: str, claims: Mapping[str, Json], *, lifetime: int, target: str
    ) -> str:
        """Sign a token.

        Args:
            scheme: `http` or `https`.
            hub: Name under which the hub is kept.
            claims: What it says of the client.
            lifetime: Seconds until it expires.
            target: What of the request makes it long.

        Raises:
            InvalidRequestError: It would be longer than a token may be.
        """
        token = issue_client_token(
            min(client_audiences(scheme, self._hosts, frozenset(), hub)),
            claims,
            lifetime=lifetime,
            key=self._access_keys.service_key,
            now=self._clock.now(),
        )
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidRequestError(
                f"The token would have more than {MAX_TOKEN_LENGTH} characters.", target=target
            )
        return token


class TokenOperations:
    """Gives temporary access keys and client tokens.

    Args:
        resource: The SignalR resource that the keys belong to.
        tokens: Makes the client tokens.
    """

    def __init__(self, resource: Resource, tokens: ClientTokens) -> None:
        self._resource = resource
        self._tokens = tokens

    def handlers(self) -> Mapping[Task, Handler]:
        """Give what carries out each operation."""
        return {
            Task.GET_ACCESS_KEY: self._get_access_key,
            Task.GENERATE_TOKEN: self._generate_token,
        }

    async def _get_access_key(self, call: Call) -> web.Response:
        if call.caller.principal_id is None:
            # Whoever has a key that ends could otherwise extend it for ever.
            raise AuthenticationError("An access key is given for an Entra token only.")
        key = self._resource.access_keys.issue()
        return web.json_response({"AccessKey": key.secret, "KeyId": key.key_id})

    async def _generate_token(self, call: Call) -> web.Response:
        hub = call.own_hub
        minutes = integer(
            call.parameter("minutesToExpire") or _DEFAULT_MINUTES, "minutesToExpire", minimum=1
        )
        user = call.parameter("userId")
        token = self._tokens.issue(
            call.request.scheme,
            hub,
            {} if user is None else {USER_ID: user},
            lifetime=minutes * 60,
            target="userId",
        )
        return web.json_response({"token": token})
