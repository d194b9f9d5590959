"""An awaitable sender over server connections."""

from collections.abc import AsyncIterator
from typing import Self

from ..rest.members import GroupConnection
from .authentication import Authentication
from .invocations import Invocations
from .members import Members
from .messages import Messages

__all__ = ["PersistentSender"]


class PersistentSender(Invocations, Members, Authentication, Messages):
    """Sends by server connections of Azure SignalR Service, for one event loop."""

    async def list_connections_in_group(
        self, hub: str, group: str
    ) -> AsyncIterator[GroupConnection]:
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `connection_exists`, from the iteration.
        """
        async for page in self.connection_pages(hub, group):
            for connection in page:
                yield connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
