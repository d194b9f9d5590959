import pytest

from emulator.tests.real_client import javascript, started
from emulator.tests.wire import Wire

WAYS = [
    ("WebSockets", "json"),
    ("WebSockets", "messagepack"),
    ("ServerSentEvents", "json"),
    ("LongPolling", "json"),
    ("LongPolling", "messagepack"),
]


@pytest.mark.parametrize(("transport", "protocol"), WAYS)
async def test_node(wire: Wire, transport: str, protocol: str) -> None:
    token = await wire.client_token()
    async with javascript("client.mjs", wire.hub_url(), token, transport, protocol) as client:
        connection_id = await started(client)
        await wire.send("chat/", "é", 1, None, {"a": [True, 1.5]})
        said = ["é", 1, None, {"a": [True, 1.5]}]
        assert await client.event() == {"event": "say", "arguments": said}
        assert (await wire.invoke(connection_id, "double", 21)).json == {"result": 42}
        answer = await wire.invoke(connection_id, "fail")
        assert (answer.status, answer.json["message"]) == (400, "Error: no")
        wire.member(connection_id).disconnect("bye", allow_reconnect=False)
        closed = await client.event()
        assert closed == {"event": "closed", "error": "Server returned an error on close: bye"}
    assert await wire.connection_counts() == {}


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_stateful_reconnect(wire: Wire, protocol: str) -> None:
    token = await wire.client_token()
    arguments = (wire.hub_url(), token, "WebSockets", protocol, "stateful")
    async with javascript("client.mjs", *arguments) as client:
        connection_id = await started(client)
        for number in range(3):
            await wire.send("chat/", number)
            await wire.drop(connection_id)
            # Sent to a client that is away: nothing is lost, doubled or out of order.
            await wire.send("chat/", -number)
            assert (await client.event())["arguments"] == [number]
            assert (await client.event())["arguments"] == [-number]
        assert await wire.connection_counts() == {"chat": 1}
        assert (await wire.invoke(connection_id, "double", 4)).json == {"result": 8}
