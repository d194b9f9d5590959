import pytest

from doctor.diagnoses.identity import explain_identity
from shared.identity.failures import explain_failure
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import Endpoint

CONTOSO = Endpoint("https://contoso.service.signalr.net")


@pytest.mark.parametrize(
    "error",
    [
        "ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint.",
        "No managed identity endpoint found. \nThe Target Azure platform could not be determined",
    ],
)
def test_what_azure_identity_says_where_there_is_no_managed_identity(error: str) -> None:
    credential = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
    said = explain_identity(explain_failure(error, None, credential), credential, CONTOSO)
    assert said.summary.startswith("there is no managed identity here")


@pytest.mark.parametrize(
    ("code", "summary", "fix"),
    [
        ("7000215", "the client secret is wrong", "az ad app credential reset --id c --append"),
        ("7000222", "the client secret has expired", "az ad app credential reset --id c --append"),
        ("700016", "no application c", "az ad app list"),
        ("90002", "no tenant t", "az account show --query tenantId"),
        ("700027", "the certificate is not one", "--cert @certificate.pem"),
        ("700213", "trusts no subject", "az ad app federated-credential list --id c"),
        ("500011", "does not know the audience https://signalr.azure.com", "…__audience"),
        ("700082", "the login has expired", "az login"),
        ("50076", "another factor", "az login"),
        ("999999", "Entra refuses: AADSTS999999: Something new.", "error?code=999999"),
    ],
)
def test_what_entra_says(code: str, summary: str, fix: str) -> None:
    error = f"No Entra token from X: AADSTS{code}: Something new.\nTrace ID: 1"
    credential = CredentialSettings(CredentialKind.CLIENT_SECRET, "c", "t", "hidden")
    said = explain_identity(explain_failure(error, None, credential), credential, CONTOSO)
    assert summary in said.summary
    assert fix in said.fix
    assert "Trace" not in said.summary
