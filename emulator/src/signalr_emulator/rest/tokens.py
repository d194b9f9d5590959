"""The operations that give keys and tokens."""

from collections.abc import Mapping

from aiohttp import web

from ..authentication.client_tokens import MAX_TOKEN_LENGTH, issue_client_token
from ..errors import AuthenticationError, InvalidRequestError
from ..operations.parameters import integer
from ..operations.table import Task
from ..state.resource import Resource
from ..state.service import Service
from .call import Call, Handler

__all__ = ["TokenOperations"]

_DEFAULT_MINUTES = "60"


class TokenOperations:
    """Gives temporary access keys and client tokens.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that the keys belong to.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource

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
        token = issue_client_token(
            f"{call.request.scheme}://{self._host()}/client/?hub={hub}",
            user_id=call.parameter("userId"),
            lifetime=minutes * 60,
            key=self._resource.access_keys.service_key,
            now=self._service.clock.now(),
        )
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidRequestError(
                f"The token would have more than {MAX_TOKEN_LENGTH} characters.", target="userId"
            )
        return web.json_response({"token": token})

    def _host(self) -> str:
        return min(self._service.config.hosts)
