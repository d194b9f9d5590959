import dataclasses

import jwt
import pytest
from signalr_emulator.entra.applications import Application, Applications
from signalr_emulator.entra.federation import ExternalIssuer, FederatedCredential
from signalr_emulator.errors import AuthenticationError, TokenRequestError

from emulator.tests.conftest import NOW

URL = "https://issuer.invalid"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SEED = b"s" * 32
AUDIENCES = frozenset({"https://127.0.0.1/t/oauth2/v2.0/token"})
CREDENTIAL = FederatedCredential(URL, "subject")
APPLICATION = Application("app", "principal", federated_credentials=(CREDENTIAL,))


@pytest.fixture(scope="module")
def issuer() -> ExternalIssuer:
    return ExternalIssuer.derive(URL, SEED)


def authenticate(
    issuer: ExternalIssuer, token: str, application: Application = APPLICATION, now: float = NOW
) -> Application:
    form = {
        "client_id": application.client_id,
        "client_assertion": token,
        "client_assertion_type": TYPE,
    }
    return Applications([application], [issuer]).authenticate(form, AUDIENCES, now)


def test_token(issuer: ExternalIssuer) -> None:
    token = issuer.issue("subject", CREDENTIAL.audience, now=NOW + 0.9, lifetime=60)
    assert jwt.decode(token, options={"verify_signature": False}) == {
        "iss": URL,
        "sub": "subject",
        "aud": "api://AzureADTokenExchange",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 60,
    }
    assert authenticate(issuer, token) is APPLICATION
    assert authenticate(issuer, token, now=NOW + 59.9) is APPLICATION


def test_issuers_of_one_seed_and_url_are_the_same(issuer: ExternalIssuer) -> None:
    token = issuer.issue("subject", CREDENTIAL.audience, now=NOW, lifetime=60)
    assert authenticate(ExternalIssuer.derive(URL, SEED), token) is APPLICATION
    with pytest.raises(AuthenticationError):
        ExternalIssuer.derive(f"{URL}/", SEED).claims(token)


def test_one_of_several_credentials(issuer: ExternalIssuer) -> None:
    token = issuer.issue("subject", "api://second", now=NOW, lifetime=60)
    second = dataclasses.replace(CREDENTIAL, audience="api://second")
    application = dataclasses.replace(APPLICATION, federated_credentials=(CREDENTIAL, second))
    assert authenticate(issuer, token, application) is application


@pytest.mark.parametrize(
    ("subject", "audience", "now", "number"),
    [
        ("other", CREDENTIAL.audience, NOW, 700213),
        ("Subject", CREDENTIAL.audience, NOW, 700213),
        ("subject", "api://other", NOW, 700212),
        ("other", "api://other", NOW, 700213),
        ("subject", CREDENTIAL.audience, NOW + 60, 700024),
        ("subject", CREDENTIAL.audience, NOW - 1, 700024),
    ],
)
def test_wrong_claims(
    issuer: ExternalIssuer, subject: str, audience: str, now: float, number: int
) -> None:
    token = issuer.issue(subject, audience, now=NOW, lifetime=60)
    with pytest.raises(TokenRequestError) as caught:
        authenticate(issuer, token, now=now)
    assert (caught.value.status, caught.value.number) == (401, number)


def test_wrong_issuers(issuer: ExternalIssuer) -> None:
    good = issuer.issue("subject", CREDENTIAL.audience, now=NOW, lifetime=60)
    same_name = ExternalIssuer.derive(URL, bytes(32))
    forged = same_name.issue("subject", CREDENTIAL.audience, now=NOW, lifetime=60)
    unknown = ExternalIssuer.derive("https://other.invalid", SEED).issue(
        "subject", CREDENTIAL.audience, now=NOW, lifetime=60
    )
    without = dataclasses.replace(APPLICATION, federated_credentials=())
    elsewhere = dataclasses.replace(CREDENTIAL, issuer="https://other.invalid")
    trusting = dataclasses.replace(APPLICATION, federated_credentials=(elsewhere,))
    for token, application, number in (
        (forged, APPLICATION, 50013),
        (good, without, 700211),
        (good, trusting, 700211),
        (unknown, trusting, 50166),
        (unknown, APPLICATION, 700027),
    ):
        with pytest.raises(TokenRequestError) as caught:
            authenticate(issuer, token, application)
        assert (caught.value.status, caught.value.number) == (401, number)
