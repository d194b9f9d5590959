"""The results that the service waits for: those of the methods of one client that it calls."""

import asyncio
from collections.abc import Callable

from ..errors import ClientResultError
from ..protocols.messages import Completion
from ..protocols.supported import HubProtocol
from ..transports.outgoing import Outgoing

__all__ = ["Results", "record_for"]


def record_for(message: Outgoing, protocol: HubProtocol) -> bytes:
    """Give an invocation as a client is to get it.

    Raises:
        ClientResultError: It is not written in the client's hub protocol.
    """
    record = message.record(protocol)
    if not record:
        raise ClientResultError(
            f"The message is not written in the client's hub protocol, {protocol.name}."
        )
    return record


class Results:
    """What one client has yet to answer.

    Args:
        loop: Runs whoever waits.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked = 0
        self._pending: dict[str, asyncio.Future[Completion]] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._pending)

    async def ask(self, call: Callable[[str], None], timeout: float) -> Completion:  # noqa: ASYNC109 - the result's limit, not the caller's
        """Call a method and wait for its result.

        Args:
            call: Sends the invocation with this invocation id.
            timeout: How long to wait, in seconds.

        Returns:
            The completion, which has no error.

        Raises:
            ClientResultError: The client answered with an error, did not answer in time or is gone.
        """
        self._asked += 1
        invocation_id = f"s{self._asked}"
        completion = await self.wait(invocation_id, lambda: call(invocation_id), timeout=timeout)
        if completion.error is not None:
            raise ClientResultError(completion.error)
        return completion

    async def wait(
        self,
        invocation_id: str,
        call: Callable[[], None],
        *,
        timeout: float,  # noqa: ASYNC109 - as above
    ) -> Completion:
        """Call a method under an id that somebody else has chosen, and wait for its completion.

        Args:
            invocation_id: The id.
            call: Sends the invocation.
            timeout: How long to wait, in seconds.

        Returns:
            The completion, which may be an error.

        Raises:
            ClientResultError: The id is in use, or the client did not answer in time or is gone.
        """
        if invocation_id in self._pending:
            raise ClientResultError("Another invocation has this id.")
        future: asyncio.Future[Completion] = self._loop.create_future()
        self._pending[invocation_id] = future
        try:
            call()
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            raise ClientResultError(
                f"The client did not answer within {timeout:g} seconds."
            ) from None
        finally:
            self._pending.pop(invocation_id, None)

    def answered(self, completion: Completion) -> None:
        """Take note of an answer; one that nobody waits for is no error."""
        future = self._pending.get(completion.invocation_id)
        if future is not None and not future.done():
            future.set_result(completion)

    def give_up(self) -> None:
        """Tell everybody who waits that the client is gone."""
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ClientResultError("The client is gone."))
