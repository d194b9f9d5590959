"""What a caller wants to send: the JSON of the SignalR output binding."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ...aio import SignalRServiceClient
from ...bodies.values import RawJson
from ...errors import InvalidArgumentError
from ...rest.messages import encode_message
from .items import Delivery, Item, Recipient, RecipientKind, named_recipient
from .validation import InvalidFieldError, Name

__all__ = ["Message", "arguments_as_written"]

_SINGLE: Final = frozenset({RecipientKind.USER, RecipientKind.CONNECTION})


class Message(Item, frozen=True, kw_only=True):
    """A message to one recipient, or to everyone if none is named."""

    noun: ClassVar[str] = "message"

    rules: ClassVar[Mapping[str, object]] = {
        "oneOf": [
            {"required": ["userId"]},
            {"required": ["connectionId"]},
            {"required": ["groupName"]},
            {"properties": {"userId": False, "connectionId": False, "groupName": False}},
        ],
        "dependentSchemas": {"excluded": {"properties": {"userId": False, "connectionId": False}}},
    }

    target: Annotated[str, Meta(min_length=1, description="Name of the clients' handler.")]
    arguments: Annotated[tuple[Any, ...], Meta(description="What the handler is called with.")] = ()
    user_id: Annotated[Name | UnsetType, Meta(description="Sends to a user.")] = UNSET
    group_name: Annotated[Name | UnsetType, Meta(description="Sends to a group.")] = UNSET
    connection_id: Annotated[Name | UnsetType, Meta(description="Sends to a connection.")] = UNSET
    excluded: Annotated[
        list[Name] | UnsetType,
        Meta(description="Connections that do not get a message to everyone or to a group."),
    ] = UNSET

    def __post_init__(self) -> None:
        """Check what no field can say by itself.

        Raises:
            InvalidFieldError: It has two recipients, leaves out connections of one user or
                connection, or cannot be sent as JSON.
        """
        kind = self.recipient.kind
        if self.excluded is not UNSET and kind in _SINGLE:
            raise InvalidFieldError("/excluded", "goes with a message to everyone or to a group")
        try:
            encode_message(self.target, self.arguments)
        except InvalidArgumentError as error:
            raise InvalidFieldError(f"/{error.argument}", error.problem) from None

    @property
    def recipient(self) -> Recipient:
        """Whom it is for."""
        return named_recipient(
            user=self.user_id, group=self.group_name, connection=self.connection_id
        )

    def delivery(self, default_hub: str, arguments: RawJson) -> Delivery:
        """Return its sending.

        Args:
            default_hub: Hub of a message that names none.
            arguments: The arguments as the caller has written them.
        """
        hub, recipient = self.hub or default_hub, self.recipient

        async def send(service: SignalRServiceClient) -> None:
            await self._send(service, hub, recipient, arguments)

        return Delivery(hub, recipient, f"sent to {recipient.kind.value}", send)

    async def _send(
        self,
        service: SignalRServiceClient,
        hub: str,
        recipient: Recipient,
        arguments: Sequence[object],
    ) -> None:
        target, excluded = self.target, self.excluded or ()
        match recipient.kind:
            case RecipientKind.EVERYONE:
                await service.send_to_all(hub, target, arguments, excluded=excluded)
            case RecipientKind.GROUP:
                await service.send_to_group(
                    hub, recipient.name, target, arguments, excluded=excluded
                )
            case RecipientKind.USER:
                await service.send_to_user(hub, recipient.name, target, arguments)
            case RecipientKind.CONNECTION:
                await service.send_to_connection(hub, recipient.name, target, arguments)


class _Written(Struct):
    """A message of which nothing but the arguments is read, and these are not."""

    arguments: Raw = Raw(b"[]")


_decoder = msgspec.json.Decoder(list[_Written] | _Written)


def arguments_as_written(body: bytes) -> list[RawJson]:
    """Return the arguments of each message of a request, as the caller has written them.

    What was JSON goes on as it is: on its way through a `float` a number would lose digits.

    Args:
        body: Body of a request whose messages are known to be right.
    """
    encoding = json.detect_encoding(body)
    found = _decoder.decode(body if encoding == "utf-8" else body.decode(encoding))
    messages = found if isinstance(found, list) else [found]
    return [RawJson(each.arguments) for each in messages]
