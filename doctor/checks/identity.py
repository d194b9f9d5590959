"""Who this app is: the credential, and the Entra token that it gets."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from shared.errors import AuthenticationError
from shared.identity.credential import presented_assertion, token_failure
from shared.identity.permissions import token_claims
from shared.settings.credential import CredentialKind, CredentialSettings

from ..diagnoses.identity import explain_identity
from ..diagnoses.proxies import past_proxy
from ..finding import Finding
from .endpoint import EndpointUnderTest

__all__ = ["check_credential", "check_token", "moment"]

_CREDENTIALS: Final = {
    CredentialKind.DEFAULT: "DefaultAzureCredential",
    CredentialKind.MANAGED_IDENTITY: "managed identity",
    CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY: "managed identity",
    CredentialKind.WORKLOAD_IDENTITY: "workload identity",
    CredentialKind.CLIENT_SECRET: "client secret",
    CredentialKind.CLIENT_CERTIFICATE: "client certificate",
    CredentialKind.ACCESS_KEY: "access key",
}
_OF_THE_PLATFORM: Final = {
    CredentialKind.MANAGED_IDENTITY,
    CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY,
}
"""The kinds that ask an identity endpoint of the platform."""

_IMDS: Final = "http://169.254.169.254"
_ANSWERED: Final = "%s acquired a token from %s"
"""The record by which azure-identity tells which of several credentials has answered."""


def check_credential(tested: EndpointUnderTest) -> Finding:
    """Say which credential the settings choose, and why."""
    credential = tested.credential
    name = _CREDENTIALS[credential.kind]
    if tested.is_local:
        return Finding.warning(
            f"{name} and no Entra ID, since {credential.because}",
            "For an emulator on this machine only; in Azure set"
            " AzureSignalRConnectionString__serviceUri",
            credential=credential.kind.value,
            because=credential.because,
        )
    identity = credential.user_assigned
    past = ""
    if credential.kind in _OF_THE_PLATFORM:
        past = past_proxy(os.environ.get("IDENTITY_ENDPOINT") or _IMDS)
    return Finding.ok(
        f"{name}{_whose(credential)}, since {credential.because}{past}",
        credential=credential.kind.value,
        because=credential.because,
        clientId=credential.client_id,
        tenantId=credential.tenant_id,
        managedIdentity=identity.value if identity is not None else None,
    )


def _whose(credential: CredentialSettings) -> str:
    identity = credential.user_assigned
    whose = f" of the {identity.said}" if identity is not None else ""
    if credential.kind is CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY:
        return (
            f"{whose} in place of a secret of the app registration {credential.client_id},"
            f" in the tenant {credential.tenant_id}"
        )
    if identity is None and credential.client_id:
        return f" of the client id {credential.client_id}"
    return whose


def check_token(tested: EndpointUnderTest) -> Finding:
    """Get an Entra token."""
    if tested.is_local:
        tested.token = tested.tokens.get(tested.endpoint.server_url)
        return Finding.ok("none is needed: requests are signed with the access key")
    with _answering() as answered:
        try:
            tested.token = tested.tokens.get(tested.endpoint.server_url)
        except AuthenticationError as error:
            failure = token_failure(tested.opened, error.__cause__ or error)
            return Finding.failed(explain_identity(failure, tested.credential, tested.endpoint))
    claims = token_claims(tested.token.value)
    ends = moment(tested.token.expires_at)
    by = f" from {answered[-1]}" if answered else ""
    assertion = presented_assertion(tested.opened)
    if assertion is not None:
        by = f", exchanged for the token of the managed identity {assertion.subject}"
    named = claims.get("upn") or claims.get("unique_name") or claims.get("app_displayname")
    who = f"{named} ({claims.get('oid', '?')})" if named else f"principal {claims.get('oid', '?')}"
    return Finding.ok(
        f"{who}, tenant {claims.get('tid', '?')}, audience {claims.get('aud', '?')},"
        f" good until {ends}{by}",
        principal=claims.get("oid"),
        clientId=claims.get("appid") or claims.get("azp"),
        name=named,
        identity=claims.get("xms_mirid"),
        tenant=claims.get("tid"),
        audience=claims.get("aud"),
        expires=ends,
        answeredBy=answered[-1] if answered else None,
        exchangedFor=assertion.subject if assertion is not None else None,
    )


def moment(seconds: float) -> str:
    """Return a moment in epoch seconds as people and machines read it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


class _Answers(logging.Handler):
    """Notes which member of a chain of credentials has answered."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == _ANSWERED and isinstance(record.args, tuple):
            self.names.append(str(record.args[-1]))


@contextmanager
def _answering() -> Iterator[list[str]]:
    """Give the names of the credentials that answer within the block."""
    logger = logging.getLogger("azure.identity")
    handler, level = _Answers(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.names
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
