"""An endpoint under test: how it is asked, and what is known of it so far."""

import os
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from shared.command.hub_client import HubClient
from shared.identity.credential import open_credential
from shared.identity.entra_tokens import EntraTokens
from shared.identity.token import Token, TokenSource
from shared.keys.access_key import AccessKey
from shared.keys.client_token import sign_client_token
from shared.keys.local import LocalKey, LocalTokens
from shared.rest.api import RestApi
from shared.rest.operations import Operation
from shared.rest.retry import RetryPolicy
from shared.settings.connection import EndpointSettings
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import Endpoint
from shared.settings.names import prefixed_hub
from shared.settings.token_origin import TokenOrigin

from ..diagnoses.service import explain_error
from ..emulator import EmulatorState
from ..finding import Diagnosis
from ..network import Network

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["EndpointUnderTest"]

_IDENTITY_TIMEOUT: Final = 5.0
"""Seconds that an identity endpoint has for an answer."""

_ONCE: Final = RetryPolicy(attempts=1)
"""A second try would hide what is wrong."""


@dataclass(slots=True)
class EndpointUnderTest:
    """One endpoint, and what the checks leave here for later ones.

    Args:
        settings: The endpoint and this app's identity there.
        hub: Name of the hub, in lower case.
        application: Name of the application whose hub it is, or "".
        token_origin: Who makes client tokens.
        origin: Origin of a web page whose clients shall get in, or "".
        base_path: What the paths of the app's functions begin with: `/api`, or "".
        refresh_off: Why clients of the app renew no sign-ins, or "" where they may.
    """

    settings: EndpointSettings
    hub: str
    application: str
    token_origin: TokenOrigin
    origin: str
    base_path: str
    refresh_off: str
    network: Network = field(default_factory=Network)
    user_id: str = field(default_factory=lambda: f"doctor-{secrets.token_hex(6)}")
    tokens: TokenSource = field(init=False)
    rest: RestApi = field(init=False)
    opened: "TokenCredential | None" = None
    kept_out: bool = False
    emulator: EmulatorState | None = None
    seconds_ahead: float | None = None
    token: Token | None = None
    key: AccessKey | None = None
    client_token: str = field(default="", repr=False)
    client: HubClient | None = None
    handshake_error: str = ""

    def __post_init__(self) -> None:
        self.tokens = self._token_source()
        self.rest = RestApi(self.endpoint, self.tokens, application=self.application, policy=_ONCE)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint."""
        return self.settings.endpoint

    @property
    def service_hub(self) -> str:
        """The hub's name at the service, with the application's before it."""
        return prefixed_hub(self.application, self.hub)

    @property
    def credential(self) -> CredentialSettings:
        """This app's identity."""
        return self.settings.credential

    @property
    def is_local(self) -> bool:
        """Whether the app proves itself with the access key of an emulator."""
        return self.credential.kind is CredentialKind.ACCESS_KEY

    @property
    def entra_token(self) -> str:
        """The Entra token, or "" without one."""
        return self.token.value if self.token is not None else ""

    def sign(self, key: AccessKey, now: float) -> None:
        """Make the client token with which a client is tried."""
        self.key = key
        self.client_token = sign_client_token(
            key,
            self.endpoint.client_audience(self.service_hub),
            now=now,
            lifetime=60 * 60,
            user_id=self.user_id,
        )

    def explain(self, operation: Operation) -> Diagnosis:
        """Say why the operation that was asked for last did not succeed."""
        return explain_error(
            self.network.last,
            operation,
            self.endpoint,
            self.entra_token,
            kept_out=self.kept_out,
            emulator=self.emulator,
        )

    def close(self) -> None:
        """End its connections."""
        if self.client is not None:
            self.client.close()
        self.network.close()

    def _token_source(self) -> TokenSource:
        if self.is_local:
            return LocalTokens(LocalKey(self.credential.access_key or ""))
        return EntraTokens(self._open_credential, audience=self.endpoint.audience)

    def _open_credential(self) -> "TokenCredential":
        settings = self.credential.at_authority(self.endpoint.authority_host)
        self.opened = open_credential(replace(settings, timeout=_IDENTITY_TIMEOUT), os.environ)
        return self.opened
