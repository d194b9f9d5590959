"""Results of a client's methods for which others than its app server wait, as those of REST calls.

The client's answer goes to its app server as all that it sends does: it is looked for on the way.
Microsoft.Azure.SignalR 1.34.0 drops an answer that it does not wait for.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from ..clients.results import Results
from ..errors import ProtocolError
from ..protocols.messages import Completion
from ..protocols.supported import HubProtocol, Reader

__all__ = ["PassingResults"]


class PassingResults:
    """What one client has yet to answer to others than its app server.

    Args:
        max_record: The longest message of the client, in bytes.
        loop: Runs whoever waits.
    """

    def __init__(self, max_record: int, loop: asyncio.AbstractEventLoop) -> None:
        self._max_record = max_record
        self._results = Results(loop)
        self._protocol: HubProtocol | None = None
        self._reader: Reader | None = None

    async def ask(
        self,
        protocol: HubProtocol,
        record: bytes,
        send: Callable[[bytes], None],
        timeout: float,  # noqa: ASYNC109 - the result's limit, not the caller's
    ) -> Completion:
        """Call a method and wait for its result.

        Args:
            protocol: What the client speaks.
            record: The invocation with its framing; it gets an id of its own.
            send: Sends it.
            timeout: How long to wait, in seconds.

        Returns:
            The completion, which has no error.

        Raises:
            ClientResultError: The client answered with an error, did not answer in time or is gone.
        """
        if self._reader is None:
            self._protocol, self._reader = protocol, protocol.reader(self._max_record)
        return await self._results.ask(
            lambda id_: send(protocol.with_invocation_id(record, id_)), timeout
        )

    def passed(self, data: bytes) -> None:
        """Look for results in what the client has sent."""
        if self._reader is None or self._protocol is None:
            return
        if not self._results.is_waiting:
            self._reader = None
            return
        try:
            for record in self._reader.feed(data):
                message = self._protocol.parse(record)
                if isinstance(message, Completion):
                    self._results.answered(replace(message, record=record))
        except ProtocolError:
            # Its app server is the one to complain.
            self._reader = None

    def give_up(self) -> None:
        """Tell everybody who waits that the client is gone."""
        self._results.give_up()
