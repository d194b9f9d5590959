"""Who is to be in which group: the JSON of the SignalR output binding's group actions."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from ...aio import SignalRServiceClient
from .items import EVERYONE, Delivery, Item, Recipient, RecipientKind, named_recipient
from .validation import InvalidFieldError, Name

__all__ = ["GroupAction"]

_LONGEST_TTL = 2**31 - 1
"""In seconds: what the service's 32 bits hold."""


class GroupAction(Item, frozen=True, kw_only=True):
    """Adds a user or a connection to a group, or removes it from one or all."""

    noun: ClassVar[str] = "group action"

    rules: ClassVar[Mapping[str, object]] = {
        "oneOf": [{"required": ["userId"]}, {"required": ["connectionId"]}],
        "anyOf": [
            {"properties": {"action": {"const": "removeAll"}, "groupName": False}},
            {"properties": {"action": {"enum": ["add", "remove"]}}, "required": ["groupName"]},
        ],
        "dependentSchemas": {
            "ttl": {"properties": {"action": {"const": "add"}}, "required": ["userId"]}
        },
    }

    action: Annotated[
        Literal["add", "remove", "removeAll"],
        Meta(description="What to do; `removeAll` removes from every group and names none."),
    ]
    group_name: Annotated[Name | UnsetType, Meta(description="The group.")] = UNSET
    user_id: Annotated[
        Name | UnsetType,
        Meta(description="A user: every connection that it has or, until `ttl`, opens later."),
    ] = UNSET
    connection_id: Annotated[Name | UnsetType, Meta(description="One connection.")] = UNSET
    ttl: Annotated[
        Annotated[int, Meta(ge=0, le=_LONGEST_TTL)] | UnsetType,
        Meta(
            description="Seconds for which an added user is in the group; 0 for the connections "
            "of this moment only. Without it, up to a year."
        ),
    ] = UNSET

    def __post_init__(self) -> None:
        """Check what no field can say by itself.

        Raises:
            InvalidFieldError: It names no group or too many, not one recipient, or a time that
                it does not have.
        """
        if self.recipient == EVERYONE:
            raise InvalidFieldError("", "must name a userId or a connectionId")
        if self.action == "removeAll" and self.group_name is not UNSET:
            raise InvalidFieldError(
                "/groupName", "goes with add and remove; removeAll is for all groups"
            )
        if self.action != "removeAll" and self.group_name is UNSET:
            raise InvalidFieldError("/groupName", "is missing")
        if self.ttl is not UNSET and (self.action != "add" or self.user_id is UNSET):
            raise InvalidFieldError("/ttl", "goes with adding a user")

    @property
    def recipient(self) -> Recipient:
        """Who is added or removed."""
        return named_recipient(user=self.user_id, connection=self.connection_id)

    def delivery(self, default_hub: str) -> Delivery:
        """Return its doing.

        Args:
            default_hub: Hub of an action that names none.
        """
        hub, recipient = self.hub or default_hub, self.recipient

        async def do(service: SignalRServiceClient) -> None:
            if recipient.kind is RecipientKind.USER:
                await self._do_for_user(service, hub, recipient.name)
            else:
                await self._do_for_connection(service, hub, recipient.name)

        return Delivery(hub, recipient, f"done: group action {self.action}", do)

    async def _do_for_user(self, service: SignalRServiceClient, hub: str, user: str) -> None:
        group = self.group_name or ""
        match self.action:
            case "add":
                ttl = None if self.ttl is UNSET else self.ttl
                await service.add_user_to_group(hub, group, user, ttl=ttl)
            case "remove":
                await service.remove_user_from_group(hub, group, user)
            case "removeAll":
                await service.remove_user_from_all_groups(hub, user)

    async def _do_for_connection(
        self, service: SignalRServiceClient, hub: str, connection: str
    ) -> None:
        group = self.group_name or ""
        match self.action:
            case "add":
                await service.add_connection_to_group(hub, group, connection)
            case "remove":
                await service.remove_connection_from_group(hub, group, connection)
            case "removeAll":
                await service.remove_connection_from_all_groups(hub, connection)
