"""The data plane of one endpoint of the service: every operation as a flow.

Nothing here does I/O: each method yields the effects of `transport.flow`. The blocking client runs
them in a thread, the awaitable one on an event loop.
"""

from ..errors import UnexpectedResponseError
from ..settings.names import check_user_id, hub_path
from ..transport.flow import Flow, NoAnswerError, Request, Response
from . import operations as op
from .access_keys import AccessKeys
from .authentication import Authentication
from .exchange import is_success, operation_url, read_object
from .members import Members
from .messages import Messages

__all__ = ["RestApi"]


class RestApi(Messages, Members, Authentication, AccessKeys):
    """The data plane of one endpoint, a method for each operation."""

    def generate_client_token(
        self, hub: str, *, user_id: str | None = None, minutes_to_expire: int = 60
    ) -> Flow[str]:
        """Have the service sign a client token, which costs a request.

        `get_client_access_token` signs here and now; this is for a principal that may not have an
        access key (role *SignalR REST API Owner*).

        Args:
            hub: Name of the hub.
            user_id: The user that the connection belongs to, or `None` for an anonymous one.
            minutes_to_expire: Minutes for which the client may connect, at least 1.

        Raises:
            SignalRError: As `send_to_all`.
        """
        if user_id is not None:
            check_user_id("user_id", user_id)
        query = {"userId": user_id, "minutesToExpire": minutes_to_expire}
        response = yield from self.call(op.GENERATE_TOKEN, hub_path(hub), query=query)
        token = read_object(response).get("token")
        if not isinstance(token, str) or not token:
            raise UnexpectedResponseError(
                f"The service answered {response.status} without a token", status=response.status
            )
        return token

    def service_is_healthy(self) -> Flow[bool]:
        """Tell whether the service answers its health check, which needs no token."""
        url = operation_url(self.endpoint, op.HEALTH, {}, {})
        try:
            response = yield Request(
                op.HEALTH.method, url, {}, operation=op.HEALTH.name, endpoint=self.endpoint.name
            )
        except NoAnswerError:
            return False
        return isinstance(response, Response) and is_success(response)
