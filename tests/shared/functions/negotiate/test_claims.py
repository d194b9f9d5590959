import math

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


def test_a_claim_that_no_token_can_hold_is_left_out_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caller: dict[str, ClaimValue] = {"name": "\ud800", "level": math.nan, "city": "\u2028Köln"}
    passed = selected_claims(parse_claim_mappings("name,level,city"), caller)
    assert passed == {"city": "\u2028Köln"}
    problem = "cannot be written as JSON: it"
    assert [each.getMessage() for each in caplog.records] == [
        f"A claim of a caller is left out: name {problem} contains half of a surrogate pair",
        f"A claim of a caller is left out: level {problem} is NaN",
    ]
