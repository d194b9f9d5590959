"""What happened, as rows and one by one."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from signalr_emulator import Clock, Config
from signalr_emulator.access_control.roles import REST_API_READER
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.protocols.messages import Completion, Invocation
from signalr_emulator.protocols.supported import PROTOCOLS, HubProtocol
from signalr_emulator.service_protocol.messages import ConnectionKind
from signalr_emulator.service_protocol.requests import CloseConnectionWithAck, JoinGroupWithAck
from signalr_emulator.service_protocol.sends import BroadcastData, MultiUserData
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.bare_server import app_server
from emulator.tests.conftest import NOW, StartWire
from emulator.tests.inspector.stream import watching
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import API_VERSION, Wire

SEND = "Microsoft.SignalRService/SignalR/hub/send/action"
SCOPE = Config().resource_id


async def rows(wire: Wire) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await wire.control("/emulator/journal"))["rows"]
    return listed


async def last(wire: Wire) -> dict[str, Any]:
    """Give all that is known of what happened last."""
    number = (await rows(wire))[-1]["id"]
    found: dict[str, Any] = await wire.control(f"/emulator/journal/{number}")
    return found


async def test_a_request_is_shown_with_all_that_was_looked_at(wire: Wire) -> None:
    await wire.connect("chat", user="ann")
    await wire.send("chat/users/ann/", "Hello", {"n": 1.50})
    row = (await rows(wire))[-1]
    assert row == {
        "id": row["id"],
        "time": NOW,
        "kinds": ["request", "message"],
        "hub": "chat",
        "title": "POST /api/hubs/chat/users/ann/:send",
        "note": "say to user ann (1 connection)",
        "outcome": "202",
        "failed": False,
    }
    details = await last(wire)
    body = '{"target":"say","arguments":["Hello",{"n":1.5}]}'
    assert details["request"] == {
        "resource": "local",
        "method": "POST",
        "path": "/api/hubs/chat/users/ann/:send",
        "query": f"api-version={API_VERSION}",
        "hub": "chat",
        "operation": "sendToUser",
        "apiVersion": API_VERSION,
        "dataAction": "Microsoft.SignalRService/SignalR/user/send/action",
        "principalId": SYSTEM_ASSIGNED.principal_id,
        "principal": SYSTEM_ASSIGNED.resource_id.rpartition("/")[2],
        "allowedBy": {"role": "SignalR Service Owner", "scope": SCOPE},
        "contentType": "application/json; charset=utf-8",
        "body": body,
        "bodySize": len(body),
        "disturbed": False,
    }
    assert details["answer"] == {"status": 202, "phrase": "Accepted", "body": ""}
    assert "refusal" not in details
    (message,) = details["messages"]
    assert (message["target"], message["arguments"]) == ("say", '["Hello",{"n":1.5}]')
    assert (message["recipients"], message["connections"]) == ("user ann", 1)


async def test_a_missing_role_is_named_with_those_that_help(wire: Wire) -> None:
    assignments = wire.emulator.service.role_assignments
    assignments.change_role(assignments.assignments[0], REST_API_READER)
    assert (await wire.send("chat/")).status == 403
    assert (await rows(wire))[-1]["failed"] is True
    assert (await last(wire))["refusal"] == {
        "because": [f"No role of the caller has {SEND} at {SCOPE}."],
        "roles": [
            {
                "role": "SignalR REST API Reader",
                "scope": SCOPE,
                "problem": "does not have the data action",
            }
        ],
        "rolesThatHelp": ["SignalR Service Owner", "SignalR REST API Owner"],
    }
    assignments.switch(assignments.assignments[0], on=False)
    await wire.send("chat/")
    # What was refused before stays as it was.
    first, second = (await rows(wire))[-2:]
    problems = [
        (await wire.control(f"/emulator/journal/{each['id']}"))["refusal"]["roles"][0]["problem"]
        for each in (first, second)
    ]
    assert problems == ["does not have the data action", "is switched off"]


async def test_an_expired_client_token_is_told_with_the_clock(wire: Wire, clock: Clock) -> None:
    token = await wire.client_token()
    clock.advance(3600 + 1800)
    assert (await wire.negotiate(token=token)).status == 401
    refusal = (await last(wire))["refusal"]
    assert refusal["token"]["exp"] == NOW + 3600
    assert refusal["token"]["alg"] == "HS256"
    assert refusal["because"][:2] == [
        "The signature of the token is not valid.",
        (
            f"Its kid is {refusal['token']['kid']}: that key has ended, was revoked, or is no key"
            " of this service."
        ),
    ]
    assert "1:30:00 ahead of real time" in refusal["because"][2]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 90}, "Its exp was 0:01:30 ago, by the emulator's clock."),
        ({"nbf": NOW + 60}, "Its nbf is 0:01:00 ahead, by the emulator's clock."),
        (
            {"aud": "https://other/client/?hub=chat"},
            (
                "Its aud is https://other/client/?hub=chat,"
                " and has to be the endpoint and /client/?hub=chat."
            ),
        ),
    ],
)
async def test_a_wrong_claim_is_named(wire: Wire, claims: dict[str, Any], reason: str) -> None:
    assert (await wire.negotiate(token=await wire.client_token(**claims))).status == 401
    refusal = (await last(wire))["refusal"]
    assert refusal["because"][1:] == [reason]
    assert {name: refusal["token"][name] for name in claims} == claims


@pytest.mark.parametrize(
    ("claim", "moment"),
    [("exp", -(10**15)), ("exp", float("nan")), ("exp", float("-inf")), ("nbf", 10**200)],
)
async def test_a_time_that_is_none_is_shown_as_it_came(
    wire: Wire, claim: str, moment: float
) -> None:
    claims: dict[str, Any] = {claim: moment}
    assert (await wire.negotiate(token=await wire.client_token(**claims))).status == 401
    assert (await last(wire))["refusal"]["token"][claim] == str(moment)


async def test_an_entra_token_for_something_else_is_told_apart(wire: Wire) -> None:
    vault = await wire.identity("api-version=2019-08-01&resource=https://vault.azure.net")
    answer = await wire.rest(
        "HEAD",
        f"/api/hubs/chat/users/a?api-version={API_VERSION}",
        token=vault.json["access_token"],
    )
    assert answer.status == 401
    assert (await last(wire))["refusal"]["because"] == [
        "The audience of the token is not this service.",
        "Its aud is https://vault.azure.net, and has to be https://signalr.azure.com.",
    ]


async def test_a_fault_owns_up(wire: Wire) -> None:
    url = f"{wire.emulator.control_url}/emulator/faults"
    await wire.request("POST", url, data=b'{"operation": "sendToHub", "status": 403}')
    await wire.send("chat/")
    details = await last(wire)
    assert details["request"]["disturbed"] is True
    assert details["refusal"] == {
        "because": ["A fault that was added to the emulator has answered."]
    }


async def test_whether_somebody_is_there_is_no_failure(wire: Wire) -> None:
    await wire.rest("HEAD", f"/api/hubs/chat/users/ghost?api-version={API_VERSION}")
    row = (await rows(wire))[-1]
    assert (row["outcome"], row["failed"]) == ("404", False)


async def test_an_invocation_is_shown_with_its_upstream_call(start: StartWire, app: App) -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        if request.headers["X-ASRS-Event"] == "order":
            return web.Response(body=b'{"type":3,"invocationId":"1","result":7}\x1e')
        return web.Response(status=500, text="KeyError")

    app.respond = respond
    template = parse_template(f"{app.url}/api/upstream?code=s3cret category=messages")
    async with calling(start, template) as wire:
        ann = await wire.connect("chat", user="ann")
        for number, target in enumerate(("order", "cancel"), 1):
            await ann.ws.send_str(
                f'{{"type":1,"invocationId":"{number}","target":"{target}","arguments":["a",1]}}\x1e'
            )
            await ann.text()
        ordered, cancelled = (await rows(wire))[-2:]
        assert (ordered["title"], ordered["kinds"]) == ("user ann calls order", ["upstream"])
        assert (ordered["outcome"], ordered["failed"]) == ("200", False)
        assert (cancelled["outcome"], cancelled["failed"]) == ("500", True)
        details = await wire.control(f"/emulator/journal/{ordered['id']}")
        upstream = details["upstream"]
        assert upstream.pop("duration") >= 0
        assert upstream == {
            "hub": "chat",
            "category": "messages",
            "event": "order",
            "connectionId": ann.connection_id,
            "userId": "ann",
            "arguments": '["a",1]',
            "url": f"{app.url}/api/upstream",
            "status": 200,
            "error": None,
            "answer": '{"type":3,"invocationId":"1","result":7}',
        }
        failed = (await wire.control(f"/emulator/journal/{cancelled['id']}"))["upstream"]
        assert (failed["status"], failed["error"], failed["answer"]) == (
            500,
            "status 500",
            "KeyError",
        )


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
async def test_a_method_that_failed_is_no_success(
    start: StartWire, app: App, protocol: HubProtocol
) -> None:
    async def respond(_: web.Request) -> web.StreamResponse:
        failed = Completion("1", error="No stock, AccessKey=hunter2")
        return web.Response(body=protocol.encode(failed))

    app.respond = respond
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        ws = await wire.open("chat")
        await ws.send_bytes(f'{{"protocol":"{protocol.name}","version":1}}\x1e'.encode())
        await ws.receive()
        await ws.send_bytes(protocol.encode(Invocation("order", JsonText(b"[]"), "1")))
        await ws.receive()
        row = (await rows(wire))[-1]
        assert (row["outcome"], row["failed"]) == ("failed", True)
        assert row["note"] == "No stock, AccessKey=[hidden]"
        upstream = (await last(wire))["upstream"]
        assert (upstream["status"], upstream["error"]) == (200, row["note"])


@pytest.mark.parametrize(
    "body",
    [b"", b"OK", b'{"type":3', b'{"type":3,"invocationId":"1","error":"\\ud800"}\x1e', b"\xff\x1e"],
)
async def test_any_answer_of_an_upstream_is_shown(start: StartWire, app: App, body: bytes) -> None:
    async def respond(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    app.respond = respond
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        ann = await wire.connect("chat")
        await ann.ws.send_str('{"type":1,"invocationId":"1","target":"order","arguments":[]}\x1e')
        await ann.ws.receive()
        assert (await last(wire))["upstream"]["status"] == 200


async def test_an_invocation_that_nothing_answers_is_shown(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(f"{app.url} event=known")) as wire:
        ann = await wire.connect("chat", user="ann")
        await ann.ws.send_str('{"type":1,"invocationId":"1","target":"other","arguments":[]}\x1e')
        await ann.text()
        upstream = (await last(wire))["upstream"]
    assert upstream["url"] is None
    assert upstream["error"] == "no upstream is configured for it"


async def test_what_app_servers_ask_for_is_among_it(wire: Wire) -> None:
    client = await wire.connect("chat")
    async with app_server(wire, kind=ConnectionKind.WEAK) as server:
        await server.send(
            JoinGroupWithAck(client.connection_id, "g", 1),
            JoinGroupWithAck("nobody", "g", 2),
            BroadcastData((), (("json", b'{"type":1,"target":"t","arguments":[1]}\x1e'),)),
        )
        await server.receive()
        await server.receive()
        await client.text()
        joined, missing, sent = (await rows(wire))[-3:]
    assert joined["kinds"] == missing["kinds"] == ["server"]
    assert joined["outcome"] == "done"
    assert (missing["outcome"], missing["failed"]) == ("refused", True)
    details = await wire.control(f"/emulator/journal/{missing['id']}")
    assert details["server"]["serverId"] == "server-1"
    assert details["server"]["error"] == "There is no such connection."
    assert sent["kinds"] == ["message", "server"]
    assert sent["title"] == "t to everyone (1 connection)"
    (message,) = (await wire.control(f"/emulator/journal/{sent['id']}"))["messages"]
    assert message["arguments"] == "[1]"


async def test_no_secret_is_shown(wire: Wire) -> None:
    secret, _ = await wire.access_key()
    token = await wire.client_token()
    generated = await wire.rest("POST", f"/api/hubs/chat/:generateToken?api-version={API_VERSION}")
    negotiated = await wire.negotiate(token=token)
    await wire.open(token=token, connection_token=negotiated.json["connectionToken"])
    expired = await wire.client_token(exp=NOW - 1)
    await wire.negotiate(token=expired)
    await wire.rest(
        "POST",
        f"/api/hubs/chat/connections/claims?api-version={API_VERSION}",
        body={"connectionToken": negotiated.json["connectionToken"]},
    )
    await wire.send("chat/", {"accessToken": "my-own", "password": "hunter2"}, token, "shown")
    async with watching(wire) as state:
        shown = [str(await state())]
    shown += [
        str(await wire.control(f"/emulator/journal/{each['id']}")) for each in await rows(wire)
    ]
    whole = "".join(shown)
    for hidden in (
        secret,
        token,
        expired,
        generated.json["token"],
        negotiated.json["connectionToken"],
        await wire.entra_token(),
        "my-own",
        "hunter2",
    ):
        assert hidden not in whole
    assert "shown" in whole


async def test_a_token_is_hidden_whatever_stands_around_it(wire: Wire) -> None:
    token = await wire.client_token()
    await wire.send("chat/", f"my-{token}", f"?a={token}&b", f'"{token}', "1.2.3", "eyJ.1")
    arguments = (await last(wire))["messages"][0]["arguments"]
    assert token not in arguments
    assert arguments.endswith('"1.2.3","eyJ.1"]')


async def test_rows_come_once_and_go_when_they_are_cleared(wire: Wire) -> None:
    await wire.send("chat/")
    async with watching(wire) as state:
        first = await state()
        assert [each["id"] for each in first["rows"]] == [1, 2][: len(first["rows"])]
        await wire.send("chat/")
        second = await state()
        assert [each["id"] for each in second["rows"]] == [first["rows"][-1]["id"] + 1]
        cleared = await wire.request("DELETE", f"{wire.emulator.control_url}/emulator/journal")
        assert cleared.status == 204
        assert (await state())["oldest"] == second["rows"][-1]["id"] + 1
    assert await rows(wire) == []
    url = f"{wire.emulator.control_url}/emulator/journal/1"
    assert (await wire.request("GET", url)).status == 404
    # A test still finds its messages.
    assert len((await wire.control("/emulator/messages"))["messages"]) == 2


async def test_what_is_kept_is_bounded(wire: Wire) -> None:
    long = "x" * 40_000
    await wire.send("chat/", long)
    request = (await last(wire))["request"]
    assert request["bodySize"] > len(long)
    assert len(request["body"]) == 16 * 1024
    journal = wire.emulator.service.journal
    health = [wire.rest("HEAD", "/api/health") for _ in range(50)]
    await asyncio.gather(*health)
    for _ in range(2000):
        journal.happened(journal.timeline.__iter__().__next__()[1])
    assert len(await rows(wire)) == 2000


async def test_long_requests_of_app_servers_are_let_go_in_the_end(wire: Wire) -> None:
    long = "x" * 900_000
    async with app_server(wire, kind=ConnectionKind.WEAK) as server:
        for number in range(25):
            await server.send(CloseConnectionWithAck("nobody", long, number))
            await server.receive()
        for _ in range(25):
            await server.send(MultiUserData((long,), ()))
        await server.send(CloseConnectionWithAck("nobody", "", 26))
        await server.receive()
    assert 10 < len(await rows(wire)) < 20
