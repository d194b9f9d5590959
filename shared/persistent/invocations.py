"""What clients are asked, and answer."""

from collections.abc import Sequence

from ..settings.names import check_name
from .exchange import Exchange
from .payloads import invocation_writer, result_of

__all__ = ["Invocations"]


class Invocations(Exchange):
    """The operations that have an answer of a client."""

    async def invoke_connection(
        self,
        hub: str,
        connection_id: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  kept by the invocations of the protocol
    ) -> object:
        """Call a client's handler and return what it returns (`None` if it returns nothing).

        Args:
            hub: Name of the hub.
            connection_id: Id of the connection.
            target: Name of the client's handler.
            arguments: What the handler is called with, as for `send_to_all`.
            timeout: Seconds for which the result is waited for, 600 at most.

        Raises:
            ServiceError: The client answers with an error, or never.
            SignalRError: As `send_to_all`.
        """
        connection = check_name("connection_id", connection_id)
        write = invocation_writer(target, arguments)
        completion = await self._everywhere(
            "one", hub, lambda each: each.invoke(connection, write, timeout)
        )
        return result_of(completion)
