"""Some of the connected clients, as `POST /emulator/clients/drop` names them."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Self

from ..client_endpoint.live_clients import AnyClient
from ..documents.fields import integer, number, properties, text
from ..documents.json_text import Json

__all__ = ["ClientChoice"]


@dataclass(frozen=True, slots=True)
class ClientChoice:
    """Which clients are meant.

    Attributes:
        hub: Name of their hub, in lower case, or None for any.
        user_id: Who they are, or None for anybody.
        connection_id: Id of the only one, or None for any.
        share: Which part of them is meant, from 0 to 1.
        seed: Begins the generator that picks this part.
    """

    hub: str | None
    user_id: str | None
    connection_id: str | None
    share: float
    seed: int

    @classmethod
    def parse(cls, document: Json) -> Self:
        """Read a choice from the wire; an empty object means every client.

        Raises:
            DocumentError: A property is wrong.
        """
        fields = properties(document, ("hub", "userId", "connectionId", "share", "seed"))
        hub = text(fields, "hub")
        return cls(
            hub=None if hub is None else hub.lower(),
            user_id=text(fields, "userId"),
            connection_id=text(fields, "connectionId"),
            share=number(fields, "share", 1.0, 1.0),
            seed=integer(fields, "seed", 0, 2**31, 0),
        )

    def among(self, clients: Iterable[AnyClient]) -> list[AnyClient]:
        """Give those of some clients that are meant."""
        random = Random(self.seed)  # noqa: S311 - repeatable, not secret
        return [
            client
            for client in clients
            if self.hub in {None, client.hub}
            and self.user_id in {None, client.user_id}
            and self.connection_id in {None, client.connection_id}
            and random.random() < self.share
        ]
