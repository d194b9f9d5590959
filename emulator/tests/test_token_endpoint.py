from urllib.parse import urlencode

import jwt
import pytest
from signalr_emulator import Config
from signalr_emulator.applications import Application

from emulator.tests.conftest import StartWire
from emulator.tests.wire import SIGNALR, Answer, Wire

FORM = {
    "grant_type": "client_credentials",
    "client_id": "app",
    "client_secret": "right",
    "scope": f"{SIGNALR}/.default",
}
CONFIG = Config(
    service_port=0, control_port=0, applications=(Application("app", "principal", "right"),)
)


async def ask(wire: Wire, tenant: str | None = None, **changes: str) -> Answer:
    tenant = tenant or wire.emulator.service.tenant.tenant_id
    return await wire.request(
        "POST",
        f"{wire.emulator.control_url}/{tenant}/oauth2/v2.0/token",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data=urlencode(FORM | changes).encode(),
    )


async def test_token_of_an_application(start: StartWire) -> None:
    async with start(CONFIG) as wire:
        answer = await ask(wire)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        token = answer.json["access_token"]
        assert answer.json == {
            "token_type": "Bearer",
            "expires_in": 3599,
            "ext_expires_in": 3599,
            "access_token": token,
        }
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["aud"], claims["appid"], claims["appidacr"]) == (SIGNALR, "app", "1")
        assert (claims["oid"], claims["sub"], claims["ver"]) == ("principal", "principal", "1.0")
        assert claims["exp"] - claims["iat"] == 3599
        refused = await wire.rest("GET", "/api/v1/auth/accessKey", token=token)
        assert refused.status == 403


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "other"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": SIGNALR}, 400, "invalid_scope", 1002012),
        ({"scope": "/.default"}, 400, "invalid_scope", 1002012),
        ({"tenant": "other"}, 400, "invalid_request", 90002),
    ],
)
async def test_refused(
    start: StartWire, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    async with start(CONFIG) as wire:
        answer = await ask(wire, **changes)
    assert answer.status == status
    assert answer.json["error"] == error
    assert answer.json["error_codes"] == [number]
    assert answer.json["error_description"].startswith(f"AADSTS{number}: ")
