"""Nobody but the service calls upstream: what is forged runs no handler."""

import hashlib
import hmac
from collections.abc import Iterator

import pytest
import requests

from tests.e2e.processes import E2E, PATIENCE, FunctionApp, function_app
from tests.issuer import TestIssuer
from tests.scripted_service import Reply, scripted_service
from tests.security.forgery import forgeries

TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
SERVICE = "0c8d9f12-3456-4789-8abc-def012345678"
LOCAL_KEY = "k" * 44
CLAIMS = {
    "iss": f"https://sts.windows.net/{TENANT}/",
    "aud": "api://upstream",
    "appid": SERVICE,
    "sub": SERVICE,
}


@pytest.fixture(scope="module")
def app(issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    """An app whose handlers a known identity may call, or an emulator with a known key."""
    settings = {
        "AzureSignalRConnectionString": (
            f"Endpoint=http://localhost;Port=9;AccessKey={LOCAL_KEY};Version=1.0;"
        ),
        "UPSTREAM_TENANT_ID": TENANT,
        "UPSTREAM_AUDIENCE": "api://upstream",
        "UPSTREAM_IDENTITIES": SERVICE,
        "UPSTREAM_KEYS_URL": f"{issuer.url}/keys",
    }
    folder = tmp_path_factory.mktemp("upstream")
    with function_app(settings, folder, E2E / "upstream_app") as running:
        yield running


def called(app: FunctionApp, total: int = 20, connection: str = "c1", **headers: str) -> int:
    """Call the handler `add` and return the status; 200 is a handler that ran."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = requests.post(
        f"{app.url}/upstream/chat/messages/add",
        data=f'{{"type":1,"invocationId":"1","target":"add","arguments":[22,{total}]}}'.encode(),
        headers={
            "X-ASRS-Hub": "chat",
            "X-ASRS-Category": "messages",
            "X-ASRS-Event": "add",
            "X-ASRS-Connection-Id": connection,
            "Content-Type": "application/json",
            **named,
        },
        timeout=PATIENCE,
    )
    assert (str(22 + total) in answer.text) is (answer.status_code == 200)
    return answer.status_code


def signature(connection: str, key: str = LOCAL_KEY) -> str:
    return f"sha256={hmac.digest(key.encode(), connection.encode(), hashlib.sha256).hex()}"


def test_no_forged_token_runs_a_handler(app: FunctionApp, issuer: TestIssuer) -> None:
    assert called(app, Authorization=f"Bearer {issuer.token(**CLAIMS)}") == 200
    with scripted_service(lambda _: Reply(200, body=b'{"keys": []}')) as attacker:
        for wrong, token in forgeries(issuer, attacker.url, CLAIMS).items():
            assert called(app, Authorization=f"Bearer {token}") == 401, wrong
        assert attacker.received == []


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://sts.windows.net/11111111-1111-1111-1111-111111111111/"},
        {"iss": "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0"},
        {"iss": f"https://login.microsoftonline.us/{TENANT}/v2.0"},
        {"aud": "https://signalr.azure.com"},
        {"appid": "11111111-1111-1111-1111-111111111111"},
        {"appid": None},
        {"appid": None, "azp": "11111111-1111-1111-1111-111111111111"},
        {"appid": f"{SERVICE},x"},
        {"appid": [SERVICE]},
    ],
    ids=str,
)
def test_a_real_token_of_another_tenant_app_or_identity_runs_no_handler(
    app: FunctionApp, issuer: TestIssuer, changed: dict[str, object]
) -> None:
    assert called(app, Authorization=f"Bearer {issuer.token(**{**CLAIMS, **changed})}") == 401


def test_no_forged_signature_runs_a_handler(app: FunctionApp) -> None:
    good = signature("c1")
    assert called(app, X_ASRS_Signature=good) == 200
    forged = [
        signature("c1", "x" * 44),
        signature("c2"),
        good[:-1],
        good + "0",
        good.removeprefix("sha256="),
        good.replace("sha256", "sha1"),
        "sha256=",
        ",",
        "sha256=" + "0" * 64,
        f"sha256={hashlib.sha256(b'c1').hexdigest()}",
    ]
    for each in forged:
        assert called(app, X_ASRS_Signature=each) == 401, each
    assert called(app, connection="", X_ASRS_Signature=signature("")) == 401


def test_a_signature_that_was_seen_serves_no_other_connection(app: FunctionApp) -> None:
    seen = signature("c1")
    for connection in ("c2", "C1", "c1,c2", "c11"):
        assert called(app, connection=connection, X_ASRS_Signature=seen) == 401
    # What remains, and why it counts for an emulator of this machine only: the body is not signed.
    assert called(app, total=99, X_ASRS_Signature=seen) == 200


def test_nothing_of_the_calls_that_were_refused_is_in_the_log(
    app: FunctionApp, issuer: TestIssuer
) -> None:
    token = issuer.token(**{**CLAIMS, "aud": "api://other"})
    assert called(app, Authorization=f"Bearer {token}") == 401
    for secret in (token, token.rpartition(".")[2], signature("c1"), LOCAL_KEY):
        assert secret not in app.process.output
