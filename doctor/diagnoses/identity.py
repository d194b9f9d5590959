"""Why there is no Entra token, and how to fix it."""

from collections.abc import Mapping
from typing import Final

from shared.identity.failures import Cause, TokenFailure
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.credential_parts import IDENTITY_PARTS
from shared.settings.endpoint import AUDIENCE, Endpoint

from ..finding import Diagnosis
from .commands import function_app

__all__ = ["explain_identity"]

_LOGIN: Final = f"az login --scope {AUDIENCE}/.default"
_WITHOUT_EMULATOR: Final = (
    "Without the emulator remove IDENTITY_ENDPOINT, IDENTITY_HEADER and …__credential, and:\n"
    f"{_LOGIN}"
)
_ASSIGN: Final = function_app("identity assign", "")
_CODES: Final[Mapping[str, tuple[str, str]]] = {
    "7000215": (
        "the client secret is wrong: a secret's value is needed, not its id",
        "az ad app credential reset --id {clientId} --append   # then set …__clientSecret",
    ),
    "7000222": (
        "the client secret has expired",
        "az ad app credential reset --id {clientId} --append   # then set …__clientSecret",
    ),
    "700016": (
        "the tenant has no application {clientId} (…__clientId)",
        "az ad app list --display-name <its name> --query [].appId   # then set …__clientId",
    ),
    "90002": (
        "there is no tenant {tenantId} (…__tenantId)",
        "az account show --query tenantId --output tsv   # for …__tenantId",
    ),
    "700027": (
        "the certificate is not one of the application's",
        "az ad app credential reset --id {clientId} --cert @certificate.pem --append",
    ),
    "700211": (
        "the application trusts no issuer like that of the federated token",
        "az ad app federated-credential list --id {clientId}   # compare issuer",
    ),
    "700212": (
        "the application expects another audience of the federated token",
        "az ad app federated-credential list --id {clientId}   # compare audiences",
    ),
    "700213": (
        "the application trusts no subject like that of the federated token",
        "az ad app federated-credential list --id {clientId}   # compare subject",
    ),
    "500011": (
        "the tenant does not know the audience {audience}",
        f"Remove …__audience from the settings; without it, it is {AUDIENCE}",
    ),
    "700082": ("the login has expired", _LOGIN),
    "50173": ("the login has been revoked", _LOGIN),
    "50076": ("the login needs another factor", _LOGIN),
    "50078": ("the login needs another factor again", _LOGIN),
    "50079": ("the login needs another factor to be set up", _LOGIN),
    "65001": ("nobody has consented to the Azure CLI's use of SignalR", _LOGIN),
    "53003": (
        "a Conditional Access policy does not give a token out",
        "Entra's sign-in log names the policy",
    ),
}


def explain_identity(
    failure: TokenFailure, credential: CredentialSettings, endpoint: Endpoint
) -> Diagnosis:
    """Say how to fix it that the credential gives no token.

    Args:
        failure: Why it gives none.
        credential: Which credential, with what.
        endpoint: What the token is for.
    """
    if credential.kind is CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY:
        return _explain_exchange(failure, credential)
    if failure.cause is Cause.ENTRA:
        return _explain_code(failure, credential, endpoint)
    match credential.kind:
        case CredentialKind.MANAGED_IDENTITY:
            return _explain_managed_identity(failure, credential)
        case CredentialKind.DEFAULT:
            return Diagnosis(
                "DefaultAzureCredential finds no login: neither in the environment nor of a managed"
                " identity nor of the Azure CLI",
                f"{_LOGIN}   # on your machine\n{_ASSIGN}   # in Azure",
            )
        case CredentialKind.WORKLOAD_IDENTITY:
            return Diagnosis(
                f"no token of the workload identity: {failure.said}",
                'The pod needs the label azure.workload.identity/use: "true", its service account'
                " azure.workload.identity/client-id",
            )
        case _:
            return _explain_app(failure)


def _explain_code(
    failure: TokenFailure, credential: CredentialSettings, endpoint: Endpoint
) -> Diagnosis:
    named = {
        "clientId": credential.client_id or "<client id>",
        "tenantId": credential.tenant_id or "<tenant id>",
        "audience": endpoint.audience,
    }
    known = _CODES.get(failure.code)
    if known is None:
        return Diagnosis(f"Entra refuses: {failure.said}.", failure.remedy)
    summary, fix = known
    return Diagnosis(f"AADSTS{failure.code}: {summary.format(**named)}", fix.format(**named))


def _explain_exchange(failure: TokenFailure, credential: CredentialSettings) -> Diagnosis:
    """Say what is wrong with one of two requests, of which the library knows which it was."""
    if failure.is_entra:
        return Diagnosis(failure.said, failure.remedy)
    return _explain_managed_identity(failure, credential)


def _explain_managed_identity(failure: TokenFailure, credential: CredentialSettings) -> Diagnosis:
    match failure.cause:
        case Cause.NO_ENDPOINT:
            return _explain_no_endpoint(failure.said)
        case Cause.NO_IDENTITY if failure.is_imds and credential.user_assigned is None:
            return _explain_no_endpoint(failure.said)
        case Cause.NO_IDENTITY:
            return _explain_unknown_identity(credential)
        case Cause.NO_CONNECTION:
            fix = "make start   # the emulator, or correct IDENTITY_ENDPOINT"
        case Cause.REFUSED:
            fix = f"{failure.remedy}\nWith the emulator: IDENTITY_HEADER=local-emulator"
        case Cause.FAULT | Cause.NO_TIME | Cause.BUSY:
            restart = function_app("restart", "")
            fix = f"Try again in a minute, then:\n{restart}"
        case _:
            fix = failure.remedy
    return Diagnosis(failure.said, f"{fix}\n{_WITHOUT_EMULATOR}")


def _explain_no_endpoint(said: str) -> Diagnosis:
    return Diagnosis(
        "there is no managed identity here: nothing offers one (IDENTITY_ENDPOINT and"
        f" IDENTITY_HEADER, or IMDS): {said}",
        f"{_ASSIGN}   # in Azure\n{_WITHOUT_EMULATOR}",
    )


def _explain_unknown_identity(credential: CredentialSettings) -> Diagnosis:
    show = function_app("identity show", "")
    identity = credential.user_assigned
    if identity is None:
        return Diagnosis(
            "the app has no system-assigned identity",
            f"{_ASSIGN}\nOr name one of these by its client id (not its object id):"
            f" AzureSignalRConnectionString__clientId=<client id>\n{show}",
        )
    assign = function_app("identity assign", "--identities <resource id of the identity>")
    return Diagnosis(
        f"the app has no user-assigned identity with the {identity.said}",
        f"{_correct_identity(credential)}:\n{show}\n{assign}   # or give it to the app",
    )


def _correct_identity(credential: CredentialSettings) -> str:
    if credential.managed_identity is not None:
        by = credential.managed_identity.by
        part = IDENTITY_PARTS[by].name
        what = {"client_id": "the clientId (not principalId)", "object_id": "the principalId"}
        return f"Set …__{part} to {what.get(by, 'the resource id')} of one of these"
    return (
        "Set …__clientId to the clientId (not principalId) of one of these, or remove it for the"
        " system-assigned one"
    )


def _explain_app(failure: TokenFailure) -> Diagnosis:
    if "No such file" in failure.said:
        return Diagnosis(
            f"the certificate file is not there: {failure.said}",
            "Correct …__clientCertificatePath: a file in PEM or PKCS #12 form with the private key",
        )
    if "Invalid tenant" in failure.said:
        return Diagnosis(
            "…__tenantId is no tenant",
            "Set it to what this prints: az account show --query tenantId --output tsv",
        )
    if failure.cause in {Cause.NO_CONNECTION, Cause.NO_TIME, Cause.ANOTHER_SERVER}:
        return Diagnosis(f"Entra cannot be reached: {failure.said}", failure.remedy)
    return Diagnosis(
        f"no token of the app registration: {failure.said}",
        "Check …__clientId, …__tenantId and the secret or certificate",
    )
