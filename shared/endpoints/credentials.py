"""What a client is given to reach its endpoints: their addresses, and who it is at each."""

import functools
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidArgumentError
from ..identity.entra_tokens import EntraTokens
from ..settings.credential import CredentialKind, CredentialSettings
from ..settings.endpoint import Endpoint
from .first_token import first_token

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from ..keys.local import LocalKey

__all__ = ["Credential", "EntraTokenSources", "addresses", "credentials", "local_key"]

type Credential = "TokenCredential | CredentialSettings"


class EntraTokenSources:
    """Gives the Entra tokens of endpoints: one for all that it is good for.

    Args:
        clock: Current time in epoch seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sources: dict[object, EntraTokens] = {}

    def of(self, credential: Credential, endpoint: Endpoint) -> EntraTokens:
        """Return what gives the tokens that a credential has for an endpoint."""
        if isinstance(credential, CredentialSettings):
            settings = credential.at_authority(endpoint.authority_host)
            key: object = (settings, endpoint.audience)
            tokens = functools.partial(
                EntraTokens,
                functools.partial(_open_credential, settings),
                first=functools.partial(first_token, settings, os.environ, endpoint.audience),
            )
        else:
            key = (id(credential), endpoint.audience)
            tokens = functools.partial(EntraTokens, lambda: credential)
        if key not in self._sources:
            self._sources[key] = tokens(audience=endpoint.audience, clock=self._clock)
        return self._sources[key]


def addresses(endpoints: str | Endpoint | Sequence[Endpoint]) -> Sequence[Endpoint]:
    """Return the endpoints of a client.

    Raises:
        InvalidArgumentError: There is none, or two have the same name or address.
    """
    if isinstance(endpoints, str):
        return [Endpoint(endpoints.rstrip("/"))]
    listed = [endpoints] if isinstance(endpoints, Endpoint) else endpoints
    if not listed:
        raise InvalidArgumentError("endpoints", "must name one")
    for different in ({each.name for each in listed}, {each.url for each in listed}):
        if len(different) < len(listed):
            raise InvalidArgumentError("endpoints", "must have different names and addresses")
    return listed


def credentials(credential: Credential | Sequence[Credential], count: int) -> Sequence[Credential]:
    """Return the credential of each endpoint.

    Args:
        credential: One for all endpoints, or one for each.
        count: How many endpoints there are.

    Raises:
        InvalidArgumentError: There are more or less than endpoints.
    """
    listed = credential if isinstance(credential, Sequence) else [credential] * count
    if len(listed) != count:
        raise InvalidArgumentError("credential", f"has {len(listed)} for {count} endpoints")
    return listed


def local_key(credential: Credential) -> "LocalKey | None":
    """Return the access key of an emulator on this machine, if that is the credential."""
    if (
        not isinstance(credential, CredentialSettings)
        or credential.kind is not CredentialKind.ACCESS_KEY
    ):
        return None
    from ..keys.local import LocalKey  # noqa: PLC0415  of use only with an emulator

    return LocalKey(credential.access_key or "")


def _open_credential(settings: CredentialSettings) -> "TokenCredential":
    # Not above: `first_token` does without azure-identity.
    from ..identity.credential import open_credential  # noqa: PLC0415

    return open_credential(settings, os.environ)
