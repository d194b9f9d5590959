"""The managed identities of the emulated app.

Sources of the parameters: App Service, "REST endpoint reference" of managed identities
(api-version 2019-08-01); "Use managed identities on a virtual machine to acquire an access token"
(api-version 2018-02-01), which calls the resource id `msi_res_id`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import NAMESPACE_URL, uuid5

from signalr_emulator.errors import UnknownIdentityError

__all__ = ["Identities", "Identity", "IdentityKind", "service_identity"]

_PRINCIPAL_ID = ("object_id", "principal_id")
_RESOURCE_ID = ("mi_res_id", "msi_res_id")


class IdentityKind(Enum):
    """How a managed identity belongs to the app."""

    SYSTEM_ASSIGNED = "system"
    """The app's own identity, used when a request names none."""

    USER_ASSIGNED = "user"
    """An identity of its own that the app may use by naming it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A managed identity in Entra ID.

    Attributes:
        kind: How it belongs to the app.
        principal_id: Object id of the service principal; role assignments name it.
        client_id: Application id.
        resource_id: Azure resource id: of the app, or of the user-assigned identity.
    """

    kind: IdentityKind
    principal_id: str
    client_id: str
    resource_id: str


def service_identity(resource_id: str) -> Identity:
    """Give the managed identity of a SignalR resource itself.

    Its ids follow from the resource id, so that settings of an upstream stay valid.

    Args:
        resource_id: Azure resource id of the SignalR service.
    """
    name = resource_id.casefold()
    return Identity(
        kind=IdentityKind.SYSTEM_ASSIGNED,
        principal_id=str(uuid5(NAMESPACE_URL, f"{name}/principal")),
        client_id=str(uuid5(NAMESPACE_URL, f"{name}/client")),
        resource_id=resource_id,
    )


class Identities:
    """The identities that the app can use.

    Args:
        identities: At most one of them is system-assigned.
    """

    def __init__(self, identities: Iterable[Identity]) -> None:
        self._identities = list(identities)

    def named_by(self, query: Mapping[str, str]) -> Identity:
        """Give the identity that a token request names, or the app's own if it names none.

        Args:
            query: Parameters of the request.

        Raises:
            UnknownIdentityError: The app has no such identity.
        """
        if "client_id" in query:
            return self.by_client_id(query["client_id"])
        for name in _PRINCIPAL_ID:
            if name in query:
                return self.by_principal_id(query[name])
        for name in _RESOURCE_ID:
            if name in query:
                return self.by_resource_id(query[name])
        return self.system_assigned()

    def system_assigned(self) -> Identity:
        """Give the app's own identity.

        Raises:
            UnknownIdentityError: The app has none.
        """
        for identity in self._identities:
            if identity.kind is IdentityKind.SYSTEM_ASSIGNED:
                return identity
        raise UnknownIdentityError("The app has no system-assigned identity.")

    def by_client_id(self, client_id: str) -> Identity:
        """Give the user-assigned identity with this application id, in any case.

        Raises:
            UnknownIdentityError: The app has no such identity.
        """
        return self._user_assigned(client_id, lambda identity: identity.client_id)

    def by_principal_id(self, principal_id: str) -> Identity:
        """Give the user-assigned identity with this object id, in any case.

        Raises:
            UnknownIdentityError: The app has no such identity.
        """
        return self._user_assigned(principal_id, lambda identity: identity.principal_id)

    def by_resource_id(self, resource_id: str) -> Identity:
        """Give the user-assigned identity with this Azure resource id, in any case.

        Raises:
            UnknownIdentityError: The app has no such identity.
        """
        return self._user_assigned(resource_id, lambda identity: identity.resource_id)

    def _user_assigned(self, wanted: str, key: Callable[[Identity], str]) -> Identity:
        for identity in self._identities:
            if identity.kind is not IdentityKind.USER_ASSIGNED:
                continue
            if key(identity).casefold() == wanted.casefold():
                return identity
        raise UnknownIdentityError("The app has no user-assigned identity with this id.")
