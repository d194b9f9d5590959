"""A caller cannot be somebody else: neither by headers, query and body nor by forged tokens."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from tests.e2e.processes import PATIENCE, Emulator, FunctionApp, function_app
from tests.issuer import TestIssuer
from tests.scripted_service import Reply, ScriptedService, scripted_service
from tests.security.forgery import forgeries

ADMIN = {"claims": [{"typ": "roles", "val": "admin"}, {"typ": "sub", "val": "admin"}]}
PRINCIPAL = b64encode(json.dumps(ADMIN).encode()).decode()
CLAIMED = {
    "X-MS-CLIENT-PRINCIPAL": PRINCIPAL,
    "X-MS-CLIENT-PRINCIPAL-ID": "admin",
    "X-MS-CLIENT-PRINCIPAL-NAME": "admin",
    "X-MS-CLIENT-PRINCIPAL-IDP": "aad",
    "X-MS-TOKEN-AAD-ID-TOKEN": "e30.e30.",
    "X-MS-SIGNALR-USERID": "admin",
    "X-ASRS-User-Id": "admin",
    "X-Forwarded-User": "admin",
}
EVERYWHERE: dict[str, Any] = {
    "headers": CLAIMED,
    "params": {"userId": "admin", "user": "admin", "asrs.s.uid": "admin", "claims": "role=admin"},
    "json": {"userId": "admin", "user_id": "admin", "claims": {"asrs.s.uid": "admin"}},
}


@pytest.fixture(scope="module")
def attacker() -> Iterator[ScriptedService]:
    with scripted_service(lambda _: Reply(200, body=b'{"keys": []}')) as running:
        yield running


@pytest.fixture(scope="module")
def oidc_app(
    service: Emulator, issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    """Callers show tokens of the issuer, whose names and roles pass."""
    settings = {
        **service.app_settings,
        **issuer.app_settings,
        "NEGOTIATE_CLAIMS": "name,roles=role",
    }
    with function_app(settings, tmp_path_factory.mktemp("oidc")) as running:
        yield running


def claims_of(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    claims: dict[str, Any] = jwt.decode(
        answer.json()["accessToken"], options={"verify_signature": False}
    )
    return claims


def test_without_authentication_nobody_is_who_they_say(anonymous_app: FunctionApp) -> None:
    for path in ("negotiate", "chat/negotiate"):
        url = f"{anonymous_app.url}/{path}"
        claims = claims_of(requests.post(url, **EVERYWHERE, timeout=PATIENCE))
        assert set(claims) == {"aud", "iat", "nbf", "exp"}
        assert "admin" not in json.dumps(claims)


def test_a_proven_user_cannot_name_itself_another(
    oidc_app: FunctionApp, issuer: TestIssuer
) -> None:
    headers = {**CLAIMED, "Authorization": f"Bearer {issuer.token(sub='ann', name='Ann')}"}
    asked = {**EVERYWHERE, "headers": headers}
    claims = claims_of(requests.post(f"{oidc_app.url}/negotiate", **asked, timeout=PATIENCE))
    assert claims["asrs.s.uid"] == "ann"
    assert "admin" not in json.dumps(claims)


def test_headers_alone_let_nobody_in(oidc_app: FunctionApp) -> None:
    answer = requests.post(f"{oidc_app.url}/negotiate", **EVERYWHERE, timeout=PATIENCE)
    assert answer.status_code == 401


def test_no_forged_token_lets_anybody_in(
    oidc_app: FunctionApp, issuer: TestIssuer, attacker: ScriptedService
) -> None:
    good = {"sub": "ann"}
    claims_of(oidc_app.post("negotiate", Authorization=f"Bearer {issuer.token(**good)}"))
    for wrong, token in forgeries(issuer, attacker.url, good).items():
        answer = oidc_app.post("negotiate", Authorization=f"Bearer {token}")
        assert answer.status_code == 401, wrong
        assert "accessToken" not in answer.text, wrong
    assert attacker.received == []


def test_tokens_of_unknown_keys_do_not_become_requests_to_the_issuer(
    oidc_app: FunctionApp, issuer: TestIssuer
) -> None:
    stranger = TestIssuer(url=issuer.url)
    before = len(issuer.requests)
    for number in range(20):
        token = stranger.token({"kid": f"unknown-{number}"})
        assert oidc_app.post("negotiate", Authorization=f"Bearer {token}").status_code == 401
    assert len(issuer.requests) - before <= 2


@pytest.mark.parametrize(
    "injected",
    [
        {"asrs.s.uid": "admin", "asrs.s.aeo": "0", "asrs.s.htt": "7"},
        {"name": "Ann", "aud ": "https://evil.example", "Exp": 1},
        {"roles": {"asrs.s.uid": "admin"}, "role": ["admin"]},
        {"http://evil.example/asrs.s.uid": "admin", "http://evil.example/exp": 1},
    ],
    ids=str,
)
def test_no_claim_of_a_caller_takes_the_place_of_one_of_the_service(
    oidc_app: FunctionApp, service: Emulator, issuer: TestIssuer, injected: dict[str, Any]
) -> None:
    token = issuer.token(sub="ann", **injected)
    answer = oidc_app.post("negotiate", Authorization=f"Bearer {token}")
    claims = claims_of(answer)
    assert claims["asrs.s.uid"] == "ann"
    assert set(claims) <= {"aud", "iat", "nbf", "exp", "asrs.s.uid", "name", "role"}
    assert service.admits(answer.json()) == 200


LET_IN = ("\u2028", "\N{ZERO WIDTH SPACE}")
"""Characters that no pattern of the service takes for control characters."""


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x85", "\0", *LET_IN])
def test_a_user_id_splits_no_answer_and_no_line_of_the_log(
    oidc_app: FunctionApp, issuer: TestIssuer, line_break: str
) -> None:
    user = f"ann{line_break}Set-Cookie: x=1{line_break}{line_break}<b>"
    token = issuer.token(sub=user)
    answer = oidc_app.post("negotiate", Authorization=f"Bearer {token}")
    assert "Set-Cookie" not in answer.headers
    if line_break in LET_IN:
        assert claims_of(answer)["asrs.s.uid"] == user
    else:
        assert answer.status_code == 400
        assert "ann" not in answer.text
    lines = oidc_app.process.output.splitlines()
    assert not [line for line in lines if line.startswith("Set-Cookie")]


@pytest.mark.parametrize(
    "hub",
    [
        "../chat", "..%2fchat", "%2e%2e/chat", "chat%2f..%2fother", "chat%00", "chat%0d%0aX: 1",
        "ch%D0%B0t",  # with a Cyrillic letter
        "%EF%BD%83hat",  # with a full-width letter
        "chat%E2%80%8B", "c" * 4000, "chat%3Fhub%3Dother", "other", "chat;x", "*", "%",
    ],
)  # fmt: skip
def test_no_spelling_leads_to_a_hub_outside_the_list(anonymous_app: FunctionApp, hub: str) -> None:
    prepared = requests.Request("POST", f"{anonymous_app.url}/x/negotiate").prepare()
    prepared.url = f"{anonymous_app.url}/{hub}/negotiate"
    with requests.Session() as session:
        answer = session.send(prepared, timeout=PATIENCE, allow_redirects=False)
    assert answer.status_code in {400, 404}, answer.text
    assert "X" not in answer.headers
    assert "accessToken" not in answer.text
