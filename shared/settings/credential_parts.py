"""The parts of a connection that say which credential this app has."""

from collections.abc import Mapping
from typing import Final

from .credential import AzureCloud, CredentialKind, CredentialSettings, UserAssignedIdentity
from .description import Setting

__all__ = ["CREDENTIAL_PARTS", "IDENTITY_PARTS", "read_credential"]

_GUID: Final = "00000000-0000-0000-0000-000000000000"
_FEDERATED: Final = CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY

_CREDENTIAL: Final = Setting(
    "credential",
    "`managedidentity`, `workloadidentity` or `default`, to insist on it;"
    f" `{_FEDERATED.value}` for a service [in another tenant](other-tenant.md)",
    "managedidentity",
    "managed identity where App Service offers one, else `DefaultAzureCredential`",
)
_CLIENT_ID: Final = Setting(
    "clientId",
    "client id of a user-assigned identity or an app registration",
    _GUID,
    "the system-assigned identity",
)
_TENANT_ID: Final = Setting(
    "tenantId", "tenant of an app registration; in another tenant that of the service", _GUID
)
_CLIENT_SECRET: Final = Setting(
    "clientSecret", "secret of the app registration", "<a reference to Key Vault>"
)
_CERTIFICATE: Final = Setting(
    "clientCertificatePath",
    "instead of the secret: file with certificate and private key",
    "/mnt/certificates/app.pem",
)
_CLOUD: Final = Setting(
    "azureCloud",
    f"`public`, `usgov` or `china`, with `{_FEDERATED.value}`",
    "usgov",
    "that of `AZURE_AUTHORITY_HOST` or of the service's address",
)

IDENTITY_PARTS: Final[Mapping[str, Setting]] = {
    "client_id": Setting(
        "managedIdentityClientId",
        f"client id of a user-assigned identity, with `{_FEDERATED.value}` or `managedidentity`",
        _GUID,
    ),
    "object_id": Setting(
        "managedIdentityObjectId", "instead of its client id: its object id (principal id)", _GUID
    ),
    "resource_id": Setting(
        "managedIdentityResourceId",
        "instead of its client id: its resource id",
        "/subscriptions/<subscription>/resourceGroups/<resource group>"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>",
    ),
}
"""What names a user-assigned identity, by what azure-identity calls it."""

CREDENTIAL_PARTS: Final = (
    _CREDENTIAL,
    _CLIENT_ID,
    _TENANT_ID,
    _CLIENT_SECRET,
    _CERTIFICATE,
    *IDENTITY_PARTS.values(),
    _CLOUD,
)
"""All of them."""

_NAMED_KINDS: Final = {
    kind.value: kind
    for kind in (
        CredentialKind.DEFAULT,
        CredentialKind.MANAGED_IDENTITY,
        _FEDERATED,
        CredentialKind.WORKLOAD_IDENTITY,
    )
}


def read_credential(
    connection: str, parts: Mapping[str, str], environment: Mapping[str, str]
) -> CredentialSettings:
    """Read which credential this app has.

    Args:
        connection: What stands before the parts in the settings' names, for errors.
        parts: Values by the parts' names in lower case.
        environment: The process environment, which tells whether there is a managed identity.

    Raises:
        SettingsError: A part is wrong, missing, or read by no such credential.
    """
    kind, because = _kind(connection, parts, environment)
    cloud = _cloud(connection, parts, kind)
    return CredentialSettings(
        kind,
        client_id=parts.get("clientid"),
        tenant_id=parts.get("tenantid"),
        client_secret=parts.get("clientsecret"),
        certificate_path=parts.get("clientcertificatepath"),
        managed_identity=_managed_identity(connection, parts, kind),
        cloud=cloud,
        authority_host=cloud.authority_host if cloud is not None else None,
        because=because,
    )


def _kind(
    connection: str, parts: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[CredentialKind, str]:
    """Return which credential, and why."""
    named = parts.get("credential")
    if named is not None:
        return _named_kind(connection, parts, named), f"{_CREDENTIAL.of(connection).name} says so"
    for part, kind in (
        (_CLIENT_SECRET, CredentialKind.CLIENT_SECRET),
        (_CERTIFICATE, CredentialKind.CLIENT_CERTIFICATE),
    ):
        if part.name.lower() in parts:
            _require_app(connection, parts, part.of(connection).name)
            return kind, f"{part.of(connection).name} is set"
    if "IDENTITY_ENDPOINT" in environment:
        return CredentialKind.MANAGED_IDENTITY, "App Service offers one (IDENTITY_ENDPOINT)"
    return CredentialKind.DEFAULT, (
        f"IDENTITY_ENDPOINT, {_CREDENTIAL.of(connection).name} and"
        f" {_CLIENT_SECRET.of(connection).name} are not set"
    )


def _named_kind(connection: str, parts: Mapping[str, str], named: str) -> CredentialKind:
    kind = _NAMED_KINDS.get(named.lower())
    if kind is None:
        raise _CREDENTIAL.of(connection).error(
            f"is {named!r}, and it is {', '.join(_NAMED_KINDS)} or not set"
        )
    if kind is _FEDERATED:
        _require_app(connection, parts, _says(connection, kind))
    return kind


def _require_app(connection: str, parts: Mapping[str, str], needed_by: str) -> None:
    for part in (_CLIENT_ID, _TENANT_ID):
        if part.name.lower() not in parts:
            raise part.of(connection).error(f"is not set, and {needed_by} needs it")


def _managed_identity(
    connection: str, parts: Mapping[str, str], kind: CredentialKind
) -> UserAssignedIdentity | None:
    """Return the user-assigned identity that a part of its own names."""
    given = {by: part for by, part in IDENTITY_PARTS.items() if part.name.lower() in parts}
    if kind is _FEDERATED and not given:
        first, *others = (each.of(connection) for each in IDENTITY_PARTS.values())
        raise first.error(
            f"is not set, and {_says(connection, kind)} needs it, or"
            f" {' or '.join(each.name for each in others)}"
        )
    if not given:
        return None
    (by, part), *further = given.items()
    if kind is not _FEDERATED and parts.get("credential", "").lower() != "managedidentity":
        wanted = _says(connection, CredentialKind.MANAGED_IDENTITY)
        raise part.of(connection).error(
            f"is set, and nothing but {wanted} and {_FEDERATED.value} reads it",
        )
    beside = [each for _, each in further]
    if kind is CredentialKind.MANAGED_IDENTITY and "clientid" in parts:
        beside.append(_CLIENT_ID)
    if beside:
        raise part.of(connection).error(
            f"and {beside[0].of(connection).name} are both set, and one of them names the identity"
        )
    return UserAssignedIdentity(by, parts[part.name.lower()])


def _cloud(connection: str, parts: Mapping[str, str], kind: CredentialKind) -> AzureCloud | None:
    named = parts.get("azurecloud")
    if named is None:
        return None
    if kind is not _FEDERATED:
        raise _CLOUD.of(connection).error(
            f"is set, and nothing but {_says(connection, _FEDERATED)} reads it"
        )
    try:
        return AzureCloud(named.lower())
    except ValueError:
        known = ", ".join(each.value for each in AzureCloud)
        raise _CLOUD.of(connection).error(f"is {named!r}, and it is one of {known}") from None


def _says(connection: str, kind: CredentialKind) -> str:
    return f"{_CREDENTIAL.of(connection).name}={kind.value}"
