"""Authentication refresh: the two operations, and what a refresh changes at a connection."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from signalr_emulator import Clock, Config
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.link import END, LONG_POLLING, TRANSPORTS, WEB_SOCKETS, Link, negotiated
from emulator.tests.refreshing import FOR_EVER, Pairs, V, iso, listed, pairs, read, refresh
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import Answer, Wire, said

if TYPE_CHECKING:
    from signalr_emulator.documents.json_text import Json

CLOSE = '{"type":7,"allowReconnect":true}\x1e'
LONG_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"


@asynccontextmanager
async def scanning(start: StartWire) -> AsyncIterator[Wire]:
    """Run an emulator that looks for ended authentication all the time."""
    timing = Timing(expiry_scan=0.01)
    async with start(Config(service_port=0, control_port=0, timing=timing)) as wire:
        yield wire


# What is asked, and what is answered.


@pytest.mark.parametrize("method", ["QUERY", "POST"])
async def test_reads_the_claims_of_a_connection(wire: Wire, method: str) -> None:
    link = await negotiated(
        wire, role=["a", "b"], age=7, **{"asrs.s.uid": "ann", "asrs.s.htt": "7"}
    )
    held = [("role", "a"), ("role", "b"), ("age", "7"), ("asrs.s.uid", "ann"), ("asrs.s.htt", "7")]
    assert pairs(await read(wire, link.connection_token, method=method)) == held


async def test_claims_are_replaced_and_those_of_the_connection_stay(wire: Wire) -> None:
    link = await negotiated(wire, role="a", plan="free", **{"asrs.s.uid": "ann", "asrs.s.htt": "7"})
    given = [
        ("aud", "x"),
        ("exp", "1"),
        ("iss", "x"),
        ("iat", "1"),
        ("nbf", "1"),
        ("role", "b"),
        ("role", "c"),
        ("asrs.u.iss", "mine"),
        ("asrs.s.uid", "ann"),
        ("asrs.s.aut", "Bearer"),
        ("asrs.s.htt", "1"),
        ("asrs.s.coae", "true"),
        ("asrs.s.aeo", str(int(NOW + 9))),
    ]
    held = [
        *(("role", "b"), ("role", "c"), ("asrs.u.iss", "mine"), ("asrs.s.uid", "ann")),
        *(("asrs.s.aut", "Bearer"), ("asrs.s.htt", "7")),
    ]
    assert pairs(await refresh(wire, link.connection_token, given, until=iso(NOW + 99))) == held
    assert pairs(await read(wire, link.connection_token)) == held
    # Without claims they stay.
    assert pairs(await refresh(wire, link.connection_token)) == held


@pytest.mark.parametrize("connects_first", [True, False])
async def test_upstream_gets_the_new_claims_from_the_next_message_on(
    start: StartWire, app: App, *, connects_first: bool
) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        link = await negotiated(wire, **{"asrs.s.uid": "ann", "role": "a"})
        if not connects_first:
            # The token that connects is older than the refresh.
            await refresh(wire, link.connection_token, [("asrs.s.uid", "ann"), ("role", "b")])
        ws = await wire.open(token=link.token, connection_token=link.connection_token)
        await ws.send_str('{"protocol":"json","version":1}\x1e')
        connected, _ = await app.next()
        expected = "role: a" if connects_first else "role: b"
        assert connected.headers["X-ASRS-User-Claims"] == expected
        group = f"/api/hubs/chat/groups/g/connections/{link.connection_id}{V}"
        assert (await wire.rest("PUT", group)).status == 200
        await refresh(wire, link.connection_token, [("asrs.s.uid", "ann"), ("role", "c")])
        await ws.send_str('{"type":1,"target":"say","arguments":[]}\x1e')
        called, _ = await app.next()
        assert called.headers["X-ASRS-Event"] == "say"
        assert called.headers["X-ASRS-User-Claims"] == "role: c"
        assert called.headers["X-ASRS-User-Id"] == "ann"
        members = await wire.rest("GET", f"/api/hubs/chat/groups/g/connections{V}")
        assert members.json["value"] == [{"connectionId": link.connection_id, "userId": "ann"}]
        await ws.close()
        gone, _ = await app.next()
        assert gone.headers["X-ASRS-User-Claims"] == "role: c"


async def test_hubs_of_an_application(wire: Wire) -> None:
    token = await wire.client_token("shop_chat")
    connection_token = (await wire.negotiate("shop_chat", token=token)).json["connectionToken"]
    for answer in (
        await refresh(wire, connection_token, query="&application=Shop"),
        await read(wire, connection_token, query="&application=Shop"),
    ):
        assert pairs(answer) == []
    assert (await refresh(wire, connection_token)).status == 404


# When connections end.


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_connection_ends_with_its_authentication_unless_it_is_refreshed(
    start: StartWire, clock: Clock, transport: str
) -> None:
    end = {"asrs.s.coae": "true", "asrs.s.aeo": str(int(NOW + 60))}
    async with scanning(start) as wire:
        first, second = await negotiated(wire, **end), await negotiated(wire, **end)
        async with first.connected(transport) as left, second.connected(transport) as refreshed:
            answer = await refresh(wire, second.connection_token, until=iso(NOW + 100.9))
            held = [("asrs.s.coae", "true"), ("asrs.s.aeo", str(int(NOW + 100)))]
            assert pairs(answer) == held
            clock.advance(60)
            assert [await left.receive(), await left.receive()] == [CLOSE, ""]
            assert (await read(wire, first.connection_token)).status == 404
            await wire.send("chat/", 1)
            assert await refreshed.receive() == said(1)
            clock.advance(40)
            assert [await refreshed.receive(), await refreshed.receive()] == [CLOSE, ""]


@pytest.mark.parametrize(
    ("until", "ends_at"),
    [
        (FOR_EVER, NOW + 60),
        ("9999-12-31T23:59:59.9999999+00:00", NOW + 60),
        (iso(NOW + 59), NOW + 60),
        (iso(NOW + 61), NOW + 61),
        ("2023-11-14T23:14:20.1234567+01:00", NOW + 60),
        ("2023-11-14T23:14:30.1234567+01:00", NOW + 70),
    ],
)
async def test_the_end_of_a_connection_moves_to_later_times_only(
    wire: Wire, until: str, ends_at: float
) -> None:
    link = await negotiated(wire, **{"asrs.s.coae": "true", "asrs.s.aeo": str(int(NOW + 60))})
    held = pairs(await refresh(wire, link.connection_token, until=until))
    assert dict(held) == {"asrs.s.coae": "true", "asrs.s.aeo": str(int(ends_at))}


async def test_a_connection_without_an_end_gets_none(start: StartWire, clock: Clock) -> None:
    async with scanning(start) as wire:
        link = await negotiated(wire)
        async with link.connected(WEB_SOCKETS) as client:
            given = [("asrs.s.coae", "true"), ("asrs.s.aeo", str(int(NOW + 1)))]
            assert (
                pairs(await refresh(wire, link.connection_token, given, until=iso(NOW + 1))) == []
            )
            clock.advance(3000)
            watched = await negotiated(
                wire, **{"asrs.s.coae": "true", "asrs.s.aeo": str(int(NOW + 3000))}
            )
            # By the time this one is closed, the other has been looked at too.
            async with watched.connected(WEB_SOCKETS) as closed:
                assert await closed.receive() == CLOSE
            await wire.send("chat/", 1)
            assert await client.receive() == said(1)


# What is refused.


@pytest.mark.parametrize(
    ("claims", "given"),
    [
        ({"asrs.s.uid": "ann"}, [("asrs.s.uid", "bob")]),
        ({"asrs.s.uid": "ann"}, [("asrs.s.uid", "Ann")]),
        ({"asrs.s.uid": "ann"}, [("nameid", "bob")]),
        ({"asrs.s.uid": "ann"}, [("role", "a")]),
        ({"asrs.s.uid": "ann"}, []),
        ({"sub": "ann"}, [(LONG_NAME, "bob"), ("sub", "ann")]),
        ({}, [("asrs.s.uid", "ann")]),
        ({}, [("sub", "ann")]),
        ({}, [("asrs.s.uid", "")]),
    ],
)
async def test_the_user_cannot_change(wire: Wire, claims: dict[str, str], given: Pairs) -> None:
    link = await negotiated(wire, role="a", **claims)
    held = pairs(await read(wire, link.connection_token))
    answer = await refresh(wire, link.connection_token, given)
    assert answer.status == 403
    assert answer.headers["x-ms-error-code"] == "ConnectionUserMismatch"
    assert (answer.json["code"], answer.json["target"]) == ("ConnectionUserMismatch", "claims")
    assert pairs(await read(wire, link.connection_token)) == held


@pytest.mark.parametrize(
    ("claims", "given"),
    [
        ({"asrs.s.uid": "ann"}, [("nameid", "ann")]),
        ({"nameid": "ann"}, [("asrs.s.uid", "ann"), ("sub", "bob")]),
        ({"sub": "ann"}, [(LONG_NAME, "ann")]),
        ({}, []),
    ],
)
async def test_the_same_user_may_be_named_by_another_claim(
    wire: Wire, claims: dict[str, str], given: Pairs
) -> None:
    link = await negotiated(wire, **claims)
    held = pairs(await refresh(wire, link.connection_token, given))
    link.token = await wire.client_token(**dict(held))
    async with link.connected(LONG_POLLING) as client:
        await wire.send("chat/", 1)
        assert await client.receive() == said(1)


async def dead_tokens(wire: Wire) -> dict[str, str]:
    """Give what is no token of a connection that is alive in the hub, by what it is instead."""
    link = await negotiated(wire)
    ended, told = await negotiated(wire), await negotiated(wire)
    async with ended.connected(WEB_SOCKETS):
        pass
    async with told.connected(LONG_POLLING):
        url = f"/api/hubs/chat/connections/{told.connection_id}{V}"
        assert (await wire.rest("DELETE", url)).status == 200
    other = (await wire.negotiate("news", token=await wire.client_token("news"))).json
    old = (await wire.negotiate(query="")).json
    assert "connectionToken" not in old
    return {
        "unknown": "unknown",
        "connection id": link.connection_id,
        "ended": ended.connection_token,
        "closed by REST, and its poll is not told": told.connection_token,
        "of another hub": other["connectionToken"],
        "of version 0": old["connectionId"],
    }


def assert_not_found(answer: Answer, what: str) -> None:
    assert answer.status == 404, what
    assert answer.headers["x-ms-error-code"] == "ConnectionNotFound", what
    assert answer.json == {
        "code": "ConnectionNotFound",
        "message": "There is no such connection.",
        "target": "connectionToken",
    }


async def test_connections_that_are_not_there(wire: Wire) -> None:
    for what, token in (await dead_tokens(wire)).items():
        assert_not_found(await refresh(wire, token), what)
        assert_not_found(await read(wire, token), what)


async def test_a_connection_that_was_not_connected_in_time(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, timing=Timing(connect=0))
    async with start(config) as wire:
        link = await negotiated(wire)
        assert_not_found(await refresh(wire, link.connection_token), "late")


async def test_a_service_that_does_not_have_it(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, authentication_refresh=False)
    async with start(config) as wire:
        link = await negotiated(wire)
        async with link.connected(WEB_SOCKETS):
            assert_not_found(await refresh(wire, link.connection_token), "off")
            assert_not_found(await read(wire, link.connection_token), "off")


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"connectionToken": None}, "connectionToken"),
        ({"connectionToken": ""}, "connectionToken"),
        ({"connectionToken": 7}, "connectionToken"),
        ({"expireTime": None}, "expireTime"),
        ({"expireTime": 1700000100}, "expireTime"),
        ({"expireTime": "soon"}, "expireTime"),
        ({"expireTime": "2099-01-01"}, "expireTime"),
        ({"expireTime": "2099-01-01T00:00:00"}, "expireTime"),
        ({"expireTime": "2099-13-01T00:00:00Z"}, "expireTime"),
        ({"expireTime": "2099-01-01T00:00:00.12345678Z"}, "expireTime"),
        ({"expireTime": iso(NOW)}, "expireTime"),
        ({"expireTime": "0001-01-01T00:00:00+14:00"}, "expireTime"),
        ({"claims": {"role": "b"}}, "claims"),
        ({"claims": "role"}, "claims"),
        ({"claims": ["role"]}, "claims"),
        ({"claims": [{"type": "role"}]}, "claims"),
        ({"claims": [{"type": "role", "value": 7}]}, "claims"),
        ({"claims": [{"type": "", "value": "b"}]}, "claims"),
        ({"claims": [{"type": ["role"], "value": "b"}]}, "claims"),
        ({"claims": listed([("role", "b" * 3000)])}, "claims"),
    ],
)
async def test_bad_input_changes_nothing(wire: Wire, change: dict[str, Any], target: str) -> None:
    link = await negotiated(wire, **{"asrs.s.coae": "true", "asrs.s.aeo": "1700000060"}, role="a")
    held = pairs(await read(wire, link.connection_token))
    body = {"connectionToken": link.connection_token, "expireTime": iso(NOW + 99)} | change
    answer = await wire.rest("POST", f"/api/hubs/chat/connections/:refreshAuth{V}", body=body)
    assert (answer.status, answer.json["target"]) == (400, target)
    assert answer.headers["x-ms-error-code"] == answer.json["code"] == "Error.Request.Invalid"
    assert link.connection_token not in answer.body.decode()
    assert pairs(await read(wire, link.connection_token)) == held


async def test_claims_may_be_as_large_as_a_token_can_be(wire: Wire) -> None:
    link = await negotiated(wire)

    async def status(length: int) -> int:
        return (await refresh(wire, link.connection_token, [("role", "b" * length)])).status

    lowest, highest = 1000, 4096
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        lowest, highest = (middle, highest) if await status(middle) == 200 else (lowest, middle)
    link.token = await wire.client_token(role="b" * lowest)
    # The app's key has an id of another length than the service's own.
    assert 4000 < len(link.token) <= 4096 + 64
    assert (await link.poll())[0] == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"token"', b"\xff"])
async def test_bodies_that_are_no_objects(wire: Wire, body: bytes) -> None:
    for method, operation in (("POST", ":refreshAuth"), ("QUERY", "claims"), ("POST", "claims")):
        url = f"/api/hubs/chat/connections/{operation}{V}"
        assert (await wire.rest(method, url, data=body)).status == 400
    answer = await wire.rest("QUERY", url, data=body, content_type="text/plain")
    assert answer.status == 415


async def test_older_versions_do_not_have_it(wire: Wire) -> None:
    link = await negotiated(wire)
    body: Json = {"connectionToken": link.connection_token, "expireTime": FOR_EVER}
    for method, operation in (("POST", ":refreshAuth"), ("QUERY", "claims"), ("POST", "claims")):
        url = f"/api/hubs/chat/connections/{operation}?api-version=2024-12-01"
        answer = await wire.rest(method, url, body=body)
        assert (answer.status, answer.json["target"]) == (400, "api-version")


async def test_nobody_sees_the_connection_token(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = await negotiated(wire, **{"asrs.s.uid": "ann"})
    async with link.connected(WEB_SOCKETS):
        answers = [
            await refresh(wire, link.connection_token),
            await refresh(wire, link.connection_token, [("asrs.s.uid", "bob")]),
            await refresh(wire, link.connection_token, until="soon"),
            await refresh(wire, link.connection_token, hub="news"),
            await read(wire, link.connection_token),
        ]
        shown = [answer.body.decode() for answer in answers]
        shown.append(json.dumps(await wire.control("/emulator/state")))
        async with wire.session.get(f"{wire.emulator.control_url}/emulator/events") as events:
            shown.append((await events.content.readuntil(END)).decode())
        assert ":refreshAuth" in shown[-1]
    shown += [record.getMessage() for record in caplog.records]
    assert [text for text in shown if link.connection_token in text] == []


# The tokens that are made afterwards.


async def token_after_refresh(wire: Wire, link: Link) -> str:
    given = [("asrs.s.uid", "ann"), ("role", "b")]
    return await wire.client_token(**dict(pairs(await refresh(wire, link.connection_token, given))))


async def test_requests_with_a_token_that_was_made_after_a_refresh(
    wire: Wire, clock: Clock
) -> None:
    link = await negotiated(wire, **{"asrs.s.uid": "ann", "role": "a"})
    async with link.connected(LONG_POLLING) as client:
        link.token = await token_after_refresh(wire, link)
        clock.advance(2000)
        link.token = await token_after_refresh(wire, link)
        clock.advance(2000)
        await wire.send("chat/", 1)
        assert await client.receive() == said(1)
        assert (await link.request("POST", b'{"type":6}\x1e')).status == 200
        mine, link.token = link.token, await wire.client_token(**{"asrs.s.uid": "bob"})
        for method in ("GET", "POST", "DELETE"):
            assert (await link.request(method)).status == 403
        link.token = mine
        assert (await link.request("DELETE")).status == 202
        assert await client.receive() == ""


async def test_a_refreshed_connection_that_waits_is_its_users(wire: Wire) -> None:
    link = await negotiated(wire, **{"asrs.s.uid": "ann"})
    mine = await token_after_refresh(wire, link)
    link.token = await wire.client_token(**{"asrs.s.uid": "bob"})
    for method in ("GET", "POST", "DELETE"):
        assert (await link.request(method)).status == 403
    link.token = mine
    async with link.connected(LONG_POLLING):
        # A token changes nothing by itself, however new it is.
        link.token = await wire.client_token(**{"asrs.s.uid": "ann", "role": "c"})
        assert (await link.request("POST", b'{"type":6}\x1e')).status == 200
        held = pairs(await read(wire, link.connection_token))
        assert sorted(held) == [("asrs.s.uid", "ann"), ("role", "b")]
