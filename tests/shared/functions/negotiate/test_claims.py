import pytest

from shared.functions.negotiate.claims import parse_claim_mappings, selected_claims
from shared.keys.client_token import ClaimValue

LONG = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
CALLER: dict[str, ClaimValue] = {
    "iss": "https://issuer.example",
    "aud": "api://chat",
    "exp": 1,
    "name": "Ann",
    "groups": ["a", "b"],
    LONG: "admin",
}


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ("", {}),
        ("name", {"name": "Ann"}),
        ("groups=teams", {"teams": ["a", "b"]}),
        ("role", {"role": "admin"}),
        (LONG, {"role": "admin"}),
        ("missing", {}),
        ("iss=issuer", {"issuer": "https://issuer.example"}),
    ],
)
def test_claims_pass_by_name_alone(allowed: str, expected: dict[str, ClaimValue]) -> None:
    assert selected_claims(parse_claim_mappings(allowed), CALLER) == expected
