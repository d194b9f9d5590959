"""What the items of a list have in common: a hub, a recipient, and what is to be done for it."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from ...aio import SignalRServiceClient
from .validation import Hub, InvalidFieldError, Name

__all__ = ["EVERYONE", "Delivery", "Item", "Recipient", "RecipientKind", "named_recipient"]


class RecipientKind(Enum):
    """Whom an item is for."""

    EVERYONE = "everyone"
    USER = "userId"
    GROUP = "groupName"
    CONNECTION = "connectionId"


class Recipient(NamedTuple):
    """Whom an item is for.

    Args:
        kind: User, group, connection or everyone.
        name: Name of the user or group or id of the connection; empty for everyone.
    """

    kind: RecipientKind
    name: str


EVERYONE: Final = Recipient(RecipientKind.EVERYONE, "")


class Delivery(NamedTuple):
    """Something that the service is asked to do for one recipient.

    Args:
        hub: Name of the hub in lower case.
        recipient: Deliveries for the same one are done in their order.
        done: What has happened when it is done, as logs say it.
        run: Asks the service.
    """

    hub: str
    recipient: Recipient
    done: str
    run: Callable[[SignalRServiceClient], Awaitable[None]]


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One item of a list."""

    noun: ClassVar[str] = "item"

    rules: ClassVar[Mapping[str, object]] = {}
    """What no field can say by itself, as keywords of JSON Schema, for the API's description."""

    hub: Annotated[
        Hub | UnsetType, Meta(description="One of the app's hubs, if not the default one.")
    ] = UNSET


def named_recipient(
    *,
    user: Name | UnsetType = UNSET,
    group: Name | UnsetType = UNSET,
    connection: Name | UnsetType = UNSET,
) -> Recipient:
    """Return the one recipient that is named, or everyone.

    Raises:
        InvalidFieldError: A second one is named.
    """
    fields = (
        (RecipientKind.USER, user),
        (RecipientKind.GROUP, group),
        (RecipientKind.CONNECTION, connection),
    )
    named = [Recipient(kind, name) for kind, name in fields if name is not UNSET]
    if not named:
        return EVERYONE
    first, *others = named
    if others:
        raise InvalidFieldError(
            f"/{others[0].kind.value}", f"names a second recipient beside {first.kind.value}"
        )
    return first
