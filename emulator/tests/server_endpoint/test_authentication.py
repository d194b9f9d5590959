"""Access keys over a server connection, and the authentication of clients."""

from collections.abc import AsyncIterator

import jwt
import msgpack  # type: ignore[import-untyped]  # the package has no annotations
import pytest
from signalr_emulator import Config
from signalr_emulator.authentication.access_keys import EMULATOR_KEY
from signalr_emulator.configuration.service_mode import ServiceMode

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.server_endpoint.stub import AppServer, app_server
from emulator.tests.server_endpoint.test_connecting import signed
from emulator.tests.wire import HANDSHAKE, Wire

OK, NOT_FOUND, INTERNAL_ERROR, FORBIDDEN = 1, 2, 4, 5
FOR_EVER = msgpack.Timestamp(253_402_300_799, 999_999_900)


async def test_a_temporary_key_signs_client_tokens(wire: Wire, server: AppServer) -> None:
    kind, key_id, key, *error, _extensions = await server.ask(
        28, await wire.entra_token(), None, {}
    )
    assert (kind, error) == (29, [None, None])
    payload = {"aud": "http://127.0.0.1/client/?hub=chat", "exp": int(NOW) + 60}
    token = jwt.encode(payload, key, "HS256", headers={"kid": key_id})
    assert (await wire.negotiate(token=token)).status == 200
    assert key not in {EMULATOR_KEY, ""}


@pytest.mark.parametrize("token", [signed(), None, "", "e30.e30.e30", "ä"])
async def test_what_is_no_entra_token_gets_no_key(server: AppServer, token: str | None) -> None:
    kind, key_id, key, error_type, message, _extensions = await server.ask(28, token, None, {})
    assert (kind, key_id, key, error_type) == (29, None, None, "Unauthorized")
    assert message
    assert not token or token not in message
    await server.synchronized()


async def test_who_lost_the_role_gets_no_key(start: StartWire) -> None:
    async with (
        start(Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)) as wire,
        app_server(wire) as server,
    ):
        token = await wire.entra_token()
        assignments = wire.emulator.service.role_assignments
        for each in list(assignments.assignments):
            assignments.remove(each)
        kind, key_id, key, error_type, message, _ = await server.ask(28, token, None, {})
        assert (kind, key_id, key) == (29, None, None)
        assert error_type
        assert "Microsoft.SignalRService/SignalR/auth/accessKey/action" in message
        # The connection itself was allowed when it was opened, and goes on.
        await server.synchronized()


@pytest.fixture
async def connection(wire: Wire, server: AppServer) -> AsyncIterator[tuple[str, str]]:
    """Id and token of a connection of `ann`."""
    token = await wire.client_token(**{"asrs.s.uid": "ann", "role": "reader"})
    reply = (await wire.negotiate(token=token)).json
    async with await wire.open(token=token, connection_token=reply["connectionToken"]) as ws:
        await ws.send_str(HANDSHAKE)
        await server.accept()
        yield reply["connectionId"], reply["connectionToken"]


async def test_claims_are_refreshed_and_its_server_learns_of_it(
    server: AppServer, connection: tuple[str, str]
) -> None:
    connection_id, token = connection
    claims = {"asrs.s.uid": "ann", "role": "admin"}
    await server.send([41, token, claims, FOR_EVER, 7, {}])
    messages = [await server.next() for _ in range(2)]
    [[_, about, told, _]] = [each for each in messages if each[0] == 43]
    [[_, number, status, _, _, payload]] = [each for each in messages if each[0] == 20]
    assert (about, number, status) == (connection_id, 7, OK)
    assert dict(told)["role"] == "admin"
    assert dict(msgpack.unpackb(payload))["role"] == "admin"
    read = await server.ask(42, token, 8, {})
    assert read[:4] == [20, 8, OK, ""]
    assert msgpack.unpackb(read[5]) == msgpack.unpackb(payload)
    # Nothing is told where nothing has changed.
    assert (await server.ask(41, token, {}, msgpack.Timestamp(int(NOW) + 60, 0), 9, {}))[:3] == [
        20, 9, OK,
    ]  # fmt: skip
    await server.synchronized()


@pytest.mark.parametrize(
    ("claims", "expires", "refusal"),
    [
        ({"asrs.s.uid": "ben"}, FOR_EVER, (FORBIDDEN, "user")),
        ({}, msgpack.Timestamp(int(NOW) - 1, 0), (INTERNAL_ERROR, "in the past")),
        ({}, msgpack.Timestamp(-62_135_596_800, 0), (INTERNAL_ERROR, "in the past")),
        (
            {"asrs.s.uid": "ann", "role": "x" * 20_000},
            FOR_EVER,
            (INTERNAL_ERROR, "4096 characters"),
        ),
    ],
)
async def test_refreshes_that_are_refused(
    server: AppServer,
    connection: tuple[str, str],
    claims: dict[str, str],
    expires: msgpack.Timestamp,
    refusal: tuple[int, str],
) -> None:
    _id, token = connection
    status, said = refusal
    answer = await server.ask(41, token, claims, expires, 7, {})
    assert answer[:3] == [20, 7, status]
    assert said in answer[3]
    assert token not in answer[3]
    held = dict(msgpack.unpackb((await server.ask(42, token, 8, {}))[5]))
    assert held == {"asrs.s.uid": "ann", "role": "reader"}


async def test_connections_that_cannot_be_refreshed(
    wire: Wire, server: AppServer, connection: tuple[str, str]
) -> None:
    _id, token = connection
    version_0 = (await wire.negotiate(query="")).json["connectionId"]
    async with app_server(wire, hub="news") as news:
        assert (await news.ask(42, token, 7, {}))[:3] == [20, 7, NOT_FOUND]
    for unknown in ("nobody", version_0):
        assert (await server.ask(42, unknown, 8, {}))[:3] == [20, 8, NOT_FOUND]
        answer = await server.ask(41, unknown, {}, FOR_EVER, 9, {})
        assert answer[:3] == [20, 9, NOT_FOUND]


async def test_a_service_without_refresh(start: StartWire) -> None:
    mode = ServiceMode.DEFAULT
    config = Config(service_port=0, control_port=0, service_mode=mode, authentication_refresh=False)
    async with start(config) as wire, app_server(wire) as server:
        token = (await wire.negotiate()).json["connectionToken"]
        assert (await server.ask(41, token, {}, FOR_EVER, 7, {}))[:3] == [20, 7, NOT_FOUND]
        assert (await server.ask(42, token, 8, {}))[:3] == [20, 8, NOT_FOUND]
