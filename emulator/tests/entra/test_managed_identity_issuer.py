import dataclasses

import jwt
import pytest
from signalr_emulator import Clock
from signalr_emulator.entra.applications import Application, Applications
from signalr_emulator.entra.federation import TOKEN_EXCHANGE, FederatedCredential
from signalr_emulator.entra.identities import Identities, Identity, IdentityKind
from signalr_emulator.entra.managed_identity_issuer import ManagedIdentityIssuer
from signalr_emulator.entra.tenant import SigningKey, Tenant
from signalr_emulator.errors import TokenRequestError

from emulator.tests.conftest import NOW, USER_ASSIGNED

TENANT = "11111111-1111-1111-1111-111111111111"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DAY = 24 * 3600
SYSTEM = Identity(IdentityKind.SYSTEM_ASSIGNED, "principal-1", "client-1", "/sites/app")
ELSEWHERE = dataclasses.replace(USER_ASSIGNED, principal_id="principal-3")
CREDENTIAL = FederatedCredential(ISSUER, USER_ASSIGNED.principal_id)
APPLICATION = Application("app", "principal", federated_credentials=(CREDENTIAL,))


@pytest.fixture
def tenant(signing_key: SigningKey, clock: Clock) -> Tenant:
    return Tenant(TENANT, signing_key, clock)


def authenticate(
    tenant: Tenant, clock: Clock, token: str, *credentials: FederatedCredential
) -> Application:
    application = dataclasses.replace(APPLICATION, federated_credentials=credentials)
    issuer = ManagedIdentityIssuer(tenant, Identities([SYSTEM, USER_ASSIGNED]), clock)
    form = {"client_id": "app", "client_assertion": token, "client_assertion_type": TYPE}
    # The client's own clock does not count.
    return Applications([application], [issuer]).authenticate(form, frozenset(), 0)


def refusal(
    tenant: Tenant, clock: Clock, token: str, *credentials: FederatedCredential
) -> tuple[int, str, int]:
    with pytest.raises(TokenRequestError) as caught:
        authenticate(tenant, clock, token, *credentials)
    return caught.value.status, caught.value.error, caught.value.number


@pytest.mark.parametrize("resource", [TOKEN_EXCHANGE, "fb60f99c-7a34-4190-8149-302f77469936"])
def test_a_user_assigned_identity_stands_for_an_app(
    tenant: Tenant, clock: Clock, resource: str
) -> None:
    token = tenant.issue(USER_ASSIGNED, resource).text
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["sub"]) == (ISSUER, USER_ASSIGNED.principal_id)
    assert (claims["aud"], claims["ver"]) == ("fb60f99c-7a34-4190-8149-302f77469936", "2.0")
    assert authenticate(tenant, clock, token, CREDENTIAL).client_id == "app"


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"issuer": f"{ISSUER}/"}, 700211),
        ({"issuer": f"https://sts.windows.net/{TENANT}/"}, 700211),
        ({"subject": USER_ASSIGNED.client_id}, 700213),
        ({"subject": USER_ASSIGNED.principal_id.upper()}, 700213),
        ({"audience": "api://AzureADTokenExchangeUSGov"}, 700212),
        ({"audience": "fb60f99c-7a34-4190-8149-302f77469936"}, 700212),
    ],
)
def test_a_federated_credential_matches_to_the_letter(
    tenant: Tenant, clock: Clock, changes: dict[str, str], number: int
) -> None:
    token = tenant.issue(USER_ASSIGNED, TOKEN_EXCHANGE).text
    credential = dataclasses.replace(CREDENTIAL, **changes)
    assert refusal(tenant, clock, token, credential) == (401, "invalid_client", number)
    assert authenticate(tenant, clock, token, credential, CREDENTIAL)


def test_an_app_without_federated_credentials_trusts_no_identity(
    tenant: Tenant, clock: Clock
) -> None:
    token = tenant.issue(USER_ASSIGNED, TOKEN_EXCHANGE).text
    assert refusal(tenant, clock, token) == (401, "invalid_client", 700211)


@pytest.mark.parametrize(
    "resource", ["https://signalr.azure.com", "api://AzureADTokenExchangeChina"]
)
def test_a_token_for_another_api_is_refused(tenant: Tenant, clock: Clock, resource: str) -> None:
    token = tenant.issue(USER_ASSIGNED, resource).text
    assert refusal(tenant, clock, token, CREDENTIAL)[2] == 700211
    old = dataclasses.replace(CREDENTIAL, issuer=f"https://sts.windows.net/{TENANT}/")
    assert refusal(tenant, clock, token, old)[2] == 700212


def test_no_other_principal_of_the_tenant_stands_for_an_app(tenant: Tenant, clock: Clock) -> None:
    for identity in (SYSTEM, ELSEWHERE):
        token = tenant.issue(identity, TOKEN_EXCHANGE).text
        credential = FederatedCredential(ISSUER, identity.principal_id)
        assert refusal(tenant, clock, token, credential)[2] == 700226
    token = tenant.issue_to_application(APPLICATION, TOKEN_EXCHANGE, 60, acr="1").text
    credential = FederatedCredential(ISSUER, APPLICATION.principal_id)
    assert refusal(tenant, clock, token, credential)[2] == 700226


def test_its_times_are_on_the_emulators_clock(tenant: Tenant, clock: Clock) -> None:
    old = tenant.issue(USER_ASSIGNED, TOKEN_EXCHANGE).text
    clock.advance(DAY - 1)
    assert authenticate(tenant, clock, old, CREDENTIAL)
    clock.advance(1)
    assert refusal(tenant, clock, old, CREDENTIAL)[2] == 700024
    assert authenticate(tenant, clock, tenant.issue(USER_ASSIGNED, TOKEN_EXCHANGE).text, CREDENTIAL)


def test_another_tenant_signs_nothing_here(tenant: Tenant, clock: Clock) -> None:
    forger = Tenant(TENANT, SigningKey.generate(), Clock(lambda: NOW))
    token = forger.issue(USER_ASSIGNED, TOKEN_EXCHANGE).text
    assert refusal(tenant, clock, token, CREDENTIAL)[2] == 50013
