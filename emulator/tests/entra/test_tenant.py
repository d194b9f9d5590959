from typing import Any

import jwt
import pytest
from signalr_emulator.clock import Clock
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.documents.json_text import Json
from signalr_emulator.entra.tenant import SigningKey, Tenant
from signalr_emulator.errors import AuthenticationError

from emulator.tests.conftest import NOW

TENANT = "11111111-2222-3333-4444-555555555555"
RESOURCE = "https://signalr.azure.com"
AUDIENCES = frozenset({RESOURCE})


@pytest.fixture
def tenant(signing_key: SigningKey, clock: Clock) -> Tenant:
    return Tenant(TENANT, signing_key, clock)


def signed(key: SigningKey, **changes: Json) -> str:
    claims = {
        "aud": RESOURCE,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "exp": int(NOW) + 60,
        "nbf": int(NOW),
        "oid": "p1",
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key.private_key, "RS256", headers={"kid": key.key_id})


def test_claims_of_a_managed_identity(tenant: Tenant) -> None:
    issued = tenant.issue(SYSTEM_ASSIGNED, RESOURCE)
    key = jwt.PyJWK(tenant.key_set()["keys"][0])
    decoded = jwt.decode_complete(
        issued.text,
        key,
        algorithms=["RS256"],
        audience=RESOURCE,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    claims = decoded["payload"]
    assert decoded["header"] == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": tenant.key_set()["keys"][0]["kid"],
    }
    assert claims.pop("uti")
    assert claims == {
        "aud": RESOURCE,
        "iss": f"https://sts.windows.net/{TENANT}/",
        # Five minutes earlier, for clocks that are slow.
        "iat": 1_699_999_700,
        "nbf": 1_699_999_700,
        "exp": 1_700_086_400,
        "appid": SYSTEM_ASSIGNED.client_id,
        "appidacr": "2",
        "idp": f"https://sts.windows.net/{TENANT}/",
        "idtyp": "app",
        "oid": SYSTEM_ASSIGNED.principal_id,
        "sub": SYSTEM_ASSIGNED.principal_id,
        "tid": TENANT,
        "ver": "1.0",
        "xms_mirid": SYSTEM_ASSIGNED.resource_id,
    }
    assert issued.expires_on == 1_700_086_400


def test_a_resource_that_is_a_client_id_gets_version_2(tenant: Tenant) -> None:
    resource = "0C8D9F12-3456-4789-8abc-def012345678"
    issued = tenant.issue(SYSTEM_ASSIGNED, resource)
    claims = jwt.decode(issued.text, options={"verify_signature": False})
    assert claims.pop("uti")
    assert claims == {
        "aud": resource,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "iat": 1_699_999_700,
        "nbf": 1_699_999_700,
        "exp": 1_700_086_400,
        "azp": SYSTEM_ASSIGNED.client_id,
        "azpacr": "2",
        "idtyp": "app",
        "oid": SYSTEM_ASSIGNED.principal_id,
        "sub": SYSTEM_ASSIGNED.principal_id,
        "tid": TENANT,
        "ver": "2.0",
        "xms_mirid": SYSTEM_ASSIGNED.resource_id,
    }
    assert tenant.validate(issued.text, {resource}) == SYSTEM_ASSIGNED.principal_id


def test_own_tokens_are_valid_until_they_expire(tenant: Tenant, clock: Clock) -> None:
    issued = tenant.issue(SYSTEM_ASSIGNED, RESOURCE)
    clock.advance(86399)
    assert tenant.validate(issued.text, AUDIENCES) == SYSTEM_ASSIGNED.principal_id
    clock.advance(1)
    with pytest.raises(AuthenticationError, match="expired"):
        tenant.validate(issued.text, AUDIENCES)


def test_issuer_of_version_2_is_accepted(tenant: Tenant, signing_key: SigningKey) -> None:
    token = signed(signing_key, iss=f"https://login.microsoftonline.com/{TENANT}/v2.0")
    assert tenant.validate(token, AUDIENCES) == "p1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://management.azure.com"},
        {"aud": None},
        {"aud": ["https://signalr.azure.com"]},
        {"iss": "https://sts.windows.net/other/"},
        {"iss": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": int(NOW)},
        {"nbf": int(NOW) + 1},
        {"oid": None},
    ],
    ids=str,
)
def test_wrong_claims(tenant: Tenant, signing_key: SigningKey, changes: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError):
        tenant.validate(signed(signing_key, **changes), AUDIENCES)


def test_signature_of_somebody_else(tenant: Tenant, signing_key: SigningKey) -> None:
    with pytest.raises(AuthenticationError):
        tenant.validate(signed(SigningKey.generate()), AUDIENCES)
    with pytest.raises(AuthenticationError):
        tenant.validate(signed(signing_key)[:-4] + "AAAA", AUDIENCES)


def test_only_rs256(tenant: Tenant, signing_key: SigningKey) -> None:
    claims = jwt.decode(signed(signing_key), options={"verify_signature": False})
    headers = {"kid": signing_key.key_id}
    other = jwt.encode(claims, signing_key.private_key, "RS512", headers=headers)
    unsigned = jwt.encode(claims, "", "none", headers=headers)
    for token in (other, unsigned, "", "a.b.c"):
        with pytest.raises(AuthenticationError):
            tenant.validate(token, AUDIENCES)


def test_private_key_is_not_shown(signing_key: SigningKey) -> None:
    assert "private" not in repr(signing_key)
    assert set(signing_key.public_jwk()) == {"kty", "use", "alg", "kid", "n", "e"}
