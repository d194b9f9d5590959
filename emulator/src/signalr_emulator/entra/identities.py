"""The managed identities of the emulated app.

Sources of the parameters: App Service, "REST endpoint reference" of managed identities
(api-version 2019-08-01); "Use managed identities on a virtual machine to acquire an access token"
(api-version 2018-02-01), which calls the resource id `msi_res_id`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import NAMESPACE_URL, uuid5

from ..errors import UnknownIdentityError

__all__ = ["Identities", "Identity", "IdentityKind", "service_identity"]


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


_PARAMETERS: Mapping[str, Callable[[Identity], str]] = {
    "client_id": lambda identity: identity.client_id,
    "object_id": lambda identity: identity.principal_id,
    "principal_id": lambda identity: identity.principal_id,
    "mi_res_id": lambda identity: identity.resource_id,
    "msi_res_id": lambda identity: identity.resource_id,
}
"""What of a user-assigned identity each parameter names, in any case; the first one counts."""


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
        for name, id_of in _PARAMETERS.items():
            if name in query:
                return self._user_assigned(query[name], id_of)
        return self._system_assigned()

    def is_user_assigned(self, principal_id: object) -> bool:
        """Tell whether one of the user-assigned identities has this principal id."""
        return any(
            each.principal_id == principal_id
            for each in self._identities
            if each.kind is IdentityKind.USER_ASSIGNED
        )

    def _system_assigned(self) -> Identity:
        for identity in self._identities:
            if identity.kind is IdentityKind.SYSTEM_ASSIGNED:
                return identity
        raise UnknownIdentityError("The app has no system-assigned identity.")

    def _user_assigned(self, wanted: str, id_of: Callable[[Identity], str]) -> Identity:
        for identity in self._identities:
            if identity.kind is not IdentityKind.USER_ASSIGNED:
                continue
            if id_of(identity).casefold() == wanted.casefold():
                return identity
        raise UnknownIdentityError("The app has no user-assigned identity with this id.")
