import jwt
import pytest
from signalr_emulator import Clock, Config
from signalr_emulator.authentication.access_keys import EMULATOR_KEY
from signalr_emulator.documents.json_text import Json

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.wire import API_VERSION, Answer, Wire

SEND = "/api/hubs/chat/users/ann%2Fb/:send"
QUERY = f"?application=app&api-version={API_VERSION}"
SECONDARY = "s" * 40


def signed(aud: str, key: str = EMULATOR_KEY, *, kid: str | None = None, **claims: Json) -> str:
    payload = {"aud": aud, "exp": int(NOW) + 60, **claims}
    return jwt.encode(payload, key, "HS256", headers=None if kid is None else {"kid": kid})


async def send(wire: Wire, token: str, extra: str = "") -> Answer:
    return await wire.rest("POST", SEND + QUERY + extra, body={"target": "t"}, token=token)


@pytest.mark.parametrize(
    "audience",
    [
        f"http://localhost{SEND}",
        f"http://localhost{SEND}/",
        f"http://localhost{SEND}{QUERY}",
        f"http://localhost:PORT{SEND}",
        f"http://127.0.0.1:PORT{SEND}{QUERY}",
        f"HTTP://LocalHost{SEND.replace('%2F', '%2f')}",
    ],
)
async def test_audiences_of_rest_tokens(wire: Wire, audience: str) -> None:
    port = wire.emulator.service_url.rpartition(":")[2]
    token = signed(audience.replace("PORT", port), kid="-1234")
    assert (await send(wire, token, "&excluded=a")).status == 202


@pytest.mark.parametrize(
    "token",
    [
        signed("http://localhost/api/hubs/chat/:send"),
        signed(f"http://localhost{SEND}?application=other"),
        signed(f"https://localhost{SEND}"),
        signed(f"http://example.com{SEND}"),
        signed(f"http://localhost:1{SEND}"),
        signed("http://[localhost"),
        signed(f"http://localhost{SEND}", "wrong" * 8),
        signed(f"http://localhost{SEND}", exp=int(NOW)),
        signed(f"http://localhost{SEND}", nbf=int(NOW) + 1),
        jwt.encode({"aud": f"http://localhost{SEND}"}, EMULATOR_KEY, "HS256"),
        jwt.encode({"exp": int(NOW) + 60}, EMULATOR_KEY, "HS256"),
        jwt.encode({"aud": f"http://localhost{SEND}", "exp": int(NOW) + 60}, "", "none"),
    ],
)
async def test_wrong_rest_tokens(wire: Wire, token: str) -> None:
    assert (await send(wire, token)).status == 401


async def test_temporary_key_signs_rest_tokens_until_it_ends(wire: Wire, clock: Clock) -> None:
    key, key_id = await wire.access_key()
    token = signed(f"http://localhost{SEND}", key, kid=key_id, exp=int(NOW) + 100_000)
    assert (await send(wire, token)).status == 202
    clock.advance(90 * 60)
    assert (await send(wire, token)).status == 401


async def test_key_holder_gets_no_temporary_key(wire: Wire) -> None:
    token = signed("http://localhost/api/v1/auth/accessKey")
    assert (await wire.rest("GET", "/api/v1/auth/accessKey", token=token)).status == 401


@pytest.mark.parametrize("key", [EMULATOR_KEY, SECONDARY])
async def test_both_keys_sign_client_tokens(start: StartWire, key: str) -> None:
    async with start(Config(service_port=0, control_port=0, secondary_key=SECONDARY)) as wire:
        token = signed("http://localhost/client/?hub=chat", key, kid="1")
        assert (await wire.negotiate(token=token)).status == 200


async def test_without_local_auth(start: StartWire) -> None:
    async with start(Config(service_port=0, control_port=0, local_auth=False)) as wire:
        assert (await send(wire, signed(f"http://localhost{SEND}"))).status == 401
        token = signed("http://localhost/client/?hub=chat")
        assert (await wire.negotiate(token=token)).status == 401
        assert (await wire.negotiate()).status == 200


@pytest.mark.parametrize(
    ("query", "user", "lifetime"),
    [("", None, 3600), ("&userId=ann&minutesToExpire=1", "ann", 60), ("&userId=", "", 3600)],
)
@pytest.mark.parametrize("local_auth", [True, False])
async def test_generated_token(
    start: StartWire, query: str, user: str | None, lifetime: int, *, local_auth: bool
) -> None:
    async with start(Config(service_port=0, control_port=0, local_auth=local_auth)) as wire:
        path = f"/api/hubs/Chat/:generateToken?api-version={API_VERSION}{query}"
        answer = await wire.rest("POST", path)
        assert answer.status == 200
        assert set(answer.json) == {"token"}
        token = answer.json["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["aud"] == "http://127.0.0.1/client/?hub=chat"
        assert claims["exp"] == int(NOW) + lifetime
        assert claims.get("asrs.s.uid") == user
        ws = await wire.open(token=token)
        await ws.close()


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("minutesToExpire=0", "minutesToExpire"),
        ("minutesToExpire=x", "minutesToExpire"),
        ("minutesToExpire=99999999999", "minutesToExpire"),
        (f"userId={'u' * 4000}", "userId"),
    ],
)
async def test_wrong_token_requests(wire: Wire, query: str, target: str) -> None:
    path = f"/api/hubs/chat/:generateToken?api-version={API_VERSION}&{query}"
    answer = await wire.rest("POST", path)
    assert answer.status == 400
    assert answer.json["target"] == target
