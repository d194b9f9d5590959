import asyncio
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from signalr_emulator import Clock, Config
from signalr_emulator.entra.identities import service_identity
from signalr_emulator.errors import UpstreamSettingsError
from signalr_emulator.upstream.handler import UpstreamHandler
from signalr_emulator.upstream.messages import UpstreamClient, connected
from signalr_emulator.upstream.sender import Upstream
from signalr_emulator.upstream.settings import (
    SERVICE_RETRY_DELAYS,
    UpstreamConfig,
    parse_template,
)
from yarl import URL

from emulator.tests.conftest import StartWire
from emulator.tests.upstream_app import App, Respond, calling
from emulator.tests.wire import HANDSHAKE, Socket, Wire

TOO_LARGE = (
    '{"type":3,"invocationId":"1","error":"Invocation failed, response over 16777216 bytes"}\x1e'
)


def invocation(target: str, invocation_id: str | None = None) -> str:
    fields: dict[str, Any] = {"type": 1}
    if invocation_id is not None:
        fields["invocationId"] = invocation_id
    fields |= {"target": target, "arguments": ["ü", 1]}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


async def completion(socket: Socket) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads((await socket.text()).removesuffix("\x1e"))
    return fields


async def test_life_of_a_connection(start: StartWire, app: App) -> None:
    template = parse_template(f"{app.url}/up/{{hub}}/{{category}}/{{event}}?code=k")
    async with calling(start, template) as wire:
        claims: dict[str, Any] = {"asrs.s.uid": "Ann", "role": ["a", "b"]}
        token = await wire.client_token(**claims)
        connection_token = (await wire.negotiate(token=token)).json["connectionToken"]
        query = f"access_token={token}&hub=chat&id={connection_token}&b=%c3%A9~*&b=&a+b=%20c"
        url = URL(f"{wire.emulator.service_url}/client/?{query}", encoded=True)
        ws = await wire.session.ws_connect(url)
        await ws.send_str('{"protocol":"json","version":1}\x1e')
        request, body = await app.next()
        assert request.method == "POST"
        assert request.raw_path == "/up/chat/connections/connected?code=k"
        assert body == b'{"type":10}'
        assert request.headers["Content-Type"] == "application/json"
        headers = {n: v for n, v in request.headers.items() if n.startswith("X-ASRS-")}
        connection_id = headers.pop("X-ASRS-Connection-Id")
        keys = wire.emulator.service.config.resources[0].access_keys
        assert len(keys) == 2
        signatures = [
            "sha256=" + hmac.digest(key.encode(), connection_id.encode(), "sha256").hex()
            for key in keys
        ]
        assert headers == {
            "X-ASRS-Hub": "chat",
            "X-ASRS-Category": "connections",
            "X-ASRS-Event": "connected",
            "X-ASRS-User-Id": "Ann",
            "X-ASRS-User-Claims": "role: a, role: b",
            # Neither the client token nor the connection token that the client showed.
            "X-ASRS-Client-Query": "?hub=chat&b=%c3%A9~*&b=&a+b=%20c",
            "X-ASRS-Signature": ", ".join(signatures),
        }
        assert "Authorization" not in request.headers
        await ws.send_str(invocation("say it") + "\x1e")
        request, body = await app.next()
        assert request.raw_path == "/up/chat/messages/say%20it?code=k"
        assert body.decode() == invocation("say it")
        assert request.headers["X-ASRS-Category"] == "messages"
        assert request.headers["X-ASRS-Connection-Id"] == connection_id
        await ws.send_str('{"type":7}\x1e')
        request, body = await app.next()
        assert request.headers["X-ASRS-Event"] == "disconnected"
        assert body == b'{"type":11}'


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("access_token={}&hub=chat&id={}", "?hub=chat"),
        ("hub=chat&access%5Ftoken={}&i%64={}&access_token=", "?hub=chat"),
        ("hub=chat&access_token={}&id={}&Access_Token=x&ID=y&ids=z", "?hub=chat&ids=z"),
    ],
)
async def test_tokens_of_a_client_are_not_told(
    start: StartWire, app: App, query: str, shown: str
) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        assert await shown_query(wire, app, await filled(wire, query)) == shown


async def test_tokens_of_a_client_are_told_if_that_is_wanted(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url), whole_query=True) as wire:
        query = await filled(wire, "hub=chat&access_token={}&a=%7e&id={}")
        assert await shown_query(wire, app, query) == f"?{query}"


async def filled(wire: Wire, query: str) -> str:
    """Put a client token and a connection token into a query."""
    token = await wire.client_token()
    return query.format(token, (await wire.negotiate(token=token)).json["connectionToken"])


async def shown_query(wire: Wire, app: App, query: str) -> str:
    """Connect with a query, and give what an upstream is told of it."""
    url = URL(f"{wire.emulator.service_url}/client/?{query}", encoded=True)
    ws = await wire.session.ws_connect(url)
    await ws.send_str(HANDSHAKE)
    request, _ = await app.next()
    return request.headers["X-ASRS-Client-Query"]


async def test_broken_client_is_reported_once_with_the_reason(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        socket = await wire.connect()
        await socket.ws.send_str("hello\x1e")
        await app.next()
        _, body = await app.next()
        assert json.loads(body) == {"type": 11, "error": "A message is not valid JSON in UTF-8."}
        other = await wire.connect()
        request, _ = await app.next()
        assert request.headers["X-ASRS-Connection-Id"] == other.connection_id


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (web.Response(body=b'{"type":3,"invocationId":"1","result":[1, 2]}\x1e'), None),
        (web.Response(), '{"type":3,"invocationId":"1"}\x1e'),
        (web.Response(status=204), '{"type":3,"invocationId":"1"}\x1e'),
        (
            web.Response(status=404, body=b"x"),
            '{"type":3,"invocationId":"1","error":"Invocation failed, status code 404"}\x1e',
        ),
        (
            web.Response(body=b"x" * (16 * 1024 * 1024 + 1)),
            TOO_LARGE,
        ),
    ],
    ids=["body", "empty", "no content", "not found", "too large"],
)
async def test_responses(
    start: StartWire, app: App, response: web.Response, expected: str | None
) -> None:
    async def respond(_request: web.Request) -> web.StreamResponse:
        return response

    app.respond = respond
    template = parse_template(f"{app.url} category=messages")
    async with calling(start, template) as wire:
        socket = await wire.connect()
        await socket.ws.send_str(invocation("say", "1") + "\x1e")
        body = response.body
        assert isinstance(body, bytes) or body is None
        assert (await socket.text()).encode() == (expected.encode() if expected else body)


async def test_answer_without_id_is_ignored(start: StartWire, app: App) -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.headers["X-ASRS-Event"] + "\x1e")

    app.respond = respond
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        socket = await wire.connect()
        await socket.ws.send_str(invocation("first") + "\x1e" + invocation("second", "2") + "\x1e")
        assert await socket.text() == "second\x1e"
        assert await app.events(2) == ["first", "second"]


async def test_managed_identity(start: StartWire, app: App, wire: Wire) -> None:
    async with calling(
        start, parse_template(f"{app.url} managed-identity=api://app")
    ) as calling_wire:
        await calling_wire.connect()
        request, _ = await app.next()
        scheme, _, token = request.headers["Authorization"].partition(" ")
        assert scheme == "Bearer"
        jwks = await wire.request(
            "GET",
            f"{calling_wire.emulator.control_url}/{Config().tenant_id}/discovery/v2.0/keys",
        )
        claims = jwt.decode(
            token,
            jwt.PyJWK(jwks.json["keys"][0]),
            audience="api://app",
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        identity = service_identity(Config().resource_id)
        assert claims["iss"] == f"https://sts.windows.net/{Config().tenant_id}/"
        assert claims["ver"] == "1.0"
        assert (claims["appid"], claims["oid"]) == (identity.client_id, identity.principal_id)


async def test_an_upstream_gets_no_token_of_the_future_once_the_clock_is_back(
    start: StartWire, app: App, clock: Clock
) -> None:
    async def begins() -> float:
        await wire.connect()
        request, _ = await app.next()
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        return float(claims["nbf"])

    async with calling(start, parse_template(f"{app.url} managed-identity=api://app")) as wire:
        clock.advance(3600)
        assert await begins() > clock.now() - 3600
        clock.reset()
        assert await begins() <= clock.now()


async def test_handler_that_fails(
    start: StartWire, app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_handler: UpstreamHandler, *_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(UpstreamHandler, "on_invocation", fail)
    async with calling(start, parse_template(f"{app.url} category=connections")) as wire:
        socket = await wire.connect()
        await socket.ws.send_str(invocation("say", "1") + "\x1e")
        failed = {"type": 3, "invocationId": "1", "error": "The invocation failed."}
        assert await completion(socket) == failed
        await socket.ws.close()
        # What comes after it is carried out.
        assert await app.events(2) == ["connected", "disconnected"]
    assert "The handler of client events failed." in caplog.text


async def test_order_and_a_slow_client_beside_others(start: StartWire, app: App) -> None:
    release = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.headers["X-ASRS-Event"] == "slow":
            await release.wait()
        return web.Response()

    app.respond = respond
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        one, two = await wire.connect(), await wire.connect()
        for target in ("slow", "a", "b"):
            await one.ws.send_str(invocation(target, target) + "\x1e")
        assert await app.events(1) == ["slow"]
        await two.ws.send_str(invocation("other", "o") + "\x1e")
        assert await completion(two) == {"type": 3, "invocationId": "o"}
        assert await app.events(1) == ["other"]
        release.set()
        assert [(await completion(one))["invocationId"] for _ in range(3)] == ["slow", "a", "b"]
        assert await app.events(2) == ["a", "b"]


async def test_failures_answer_and_can_be_seen(
    start: StartWire, app: App, caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    released = asyncio.Event()

    async def respond(_request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    app.respond = respond
    templates = (
        parse_template(f"http://127.0.0.1:{unused_tcp_port}/x?code=topsecret event=closed"),
        parse_template(f"{app.url}/y event=late"),
    )
    async with calling(start, *templates, timeout=0.1) as wire:
        socket = await wire.connect()
        for target in ("closed", "late", "none"):
            await socket.ws.send_str(invocation(target, target) + "\x1e")
            answered = await completion(socket)
            assert answered["invocationId"] == target
            if target != "none":
                assert answered["error"] == "Invocation failed, status code 500"
        seen = (await wire.control("/emulator/upstream"))["local"]
        released.set()
    assert seen["queued"] == 0
    first, second = seen["calls"]
    assert first["url"] == f"http://127.0.0.1:{unused_tcp_port}/x"
    assert (first["event"], first["status"]) == ("closed", None)
    assert first["error"] == "ClientConnectorError"
    assert second["error"] == "no response within 0.1 seconds"
    assert second["connectionId"] == socket.connection_id
    assert "'late' of hub chat" in caplog.text
    assert "topsecret" not in caplog.text + json.dumps(seen)


def answering(*statuses: int) -> Respond:
    """Answer each request with the next of some statuses, and all later ones with the last."""
    left = list(statuses)

    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0])

    return respond


async def test_a_repeated_event_goes_before_what_its_client_does_next(
    start: StartWire, app: App
) -> None:
    app.respond = answering(503, 408, 500, 204)
    template = parse_template(f"{app.url} category=messages")
    async with calling(start, template, retry_delays=(0.0, 0.0, 0.0)) as wire:
        socket = await wire.connect()
        for target in ("a", "b"):
            await socket.ws.send_str(invocation(target, target) + "\x1e")
        assert await completion(socket) == {"type": 3, "invocationId": "a"}
        assert await completion(socket) == {"type": 3, "invocationId": "b"}
        assert await app.events(5) == ["a", "a", "a", "a", "b"]
        calls = (await wire.control("/emulator/upstream"))["local"]["calls"]
        assert [call["status"] for call in calls] == [503, 408, 500, 204, 204]


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429])
async def test_other_answers_are_taken_for_what_they_are(
    start: StartWire, app: App, status: int
) -> None:
    app.respond = answering(status)
    template = parse_template(f"{app.url} category=messages")
    async with calling(start, template, retry_delays=(0.0,)) as wire:
        socket = await wire.connect()
        for target in ("a", "b"):
            await socket.ws.send_str(invocation(target, target) + "\x1e")
            await completion(socket)
        assert await app.events(2) == ["a", "b"]
        assert app.requests.empty()


@pytest.mark.parametrize(
    ("statuses", "pauses", "last"),
    [((500,), [1, 3, 5], 500), ((599, 599, 200), [1, 3], 200), ((), [1, 3, 5], None)],
)
async def test_times_of_the_service(
    app: App,
    unused_tcp_port: int,
    statuses: tuple[int, ...],
    pauses: list[float],
    last: int | None,
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    app.respond = answering(*statuses)
    url = app.url if statuses else f"http://127.0.0.1:{unused_tcp_port}"
    upstream = Upstream(
        UpstreamConfig((parse_template(url),), retry_delays=SERVICE_RETRY_DELAYS),
        signing_keys=list,
        token=str,
        clock=Clock(),
        pause=pause,
    )
    async with upstream:
        response = await upstream.send(UpstreamClient("abc", "chat"), connected())
    assert response is not None
    assert (response.status, waited) == (last, pauses)


async def test_clients_whose_events_wait_to_be_repeated_do_not_hold_up_others(
    app: App,
) -> None:
    pausing, release = asyncio.Event(), asyncio.Event()

    async def pause(_seconds: float) -> None:
        pausing.set()
        await release.wait()

    app.respond = answering(500, 200)
    upstream = Upstream(
        UpstreamConfig((parse_template(app.url),), concurrency=1, retry_delays=(1,)),
        signing_keys=list,
        token=str,
        clock=Clock(),
        pause=pause,
    )
    async with upstream, asyncio.TaskGroup() as group:
        first = group.create_task(upstream.send(UpstreamClient("one", "chat"), connected()))
        await pausing.wait()
        other = await upstream.send(UpstreamClient("two", "chat"), connected())
        assert other is not None
        assert (other.status, first.done()) == (200, False)
        release.set()


async def test_stopping_reports_the_clients(start: StartWire, app: App) -> None:
    async with calling(start, parse_template(app.url)) as wire:
        await wire.connect()
        assert await app.events(1) == ["connected"]
    assert await app.events(1) == ["disconnected"]


def settings(*urls: str) -> str:
    return json.dumps({"UpstreamSettings": {"Templates": [{"UrlTemplate": url} for url in urls]}})


async def test_changed_settings_file(
    start: StartWire, app: App, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(settings())
    async with calling(start, settings_file=path) as wire:
        socket = await wire.connect()

        async def is_taken(target: str) -> bool:
            await socket.ws.send_str(invocation(target, target) + "\x1e")
            return "error" not in await completion(socket)

        assert not await is_taken("a")
        path.write_text(settings(f"{app.url}/first/{{event}}"))
        assert await is_taken("b")
        assert (await app.next())[0].path == "/first/b"
        path.write_text(settings("no URL with a secret"))
        assert await is_taken("c")
        path.unlink()
        assert await is_taken("d")
        assert await is_taken("e")
        assert [(await app.next())[0].path for _ in range(3)] == [f"/first/{e}" for e in "cde"]
        new = tmp_path / "new.json"
        new.write_text(settings(f"{app.url}/other/{{event}}"))
        new.replace(path)
        assert await is_taken("f")
        assert (await app.next())[0].path == "/other/f"
        assert len((await wire.control("/emulator/upstream"))["local"]["templates"]) == 1
    broken, missing = [record.getMessage() for record in caplog.records]
    assert broken.startswith(f"{path}: #/UpstreamSettings/Templates/0/UrlTemplate has to be a URL")
    assert missing.startswith(f"{path}: No such file or directory.")
    assert "secret" not in caplog.text


async def test_templates_of_the_settings_file_come_last(
    start: StartWire, app: App, tmp_path: Path
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(settings(f"{app.url}/file"))
    template = parse_template(f"{app.url}/own event=say")
    async with calling(start, template, settings_file=path) as wire:
        socket = await wire.connect()
        await socket.ws.send_str(invocation("say") + "\x1e")
        assert [(await app.next())[0].path for _ in range(2)] == ["/file", "/own"]


@pytest.mark.parametrize(
    ("text", "error"), [(None, FileNotFoundError), ("{}", UpstreamSettingsError)]
)
async def test_settings_file_that_is_broken_from_the_start(
    start: StartWire, tmp_path: Path, text: str | None, error: type[Exception]
) -> None:
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error):
        async with calling(start, settings_file=path):
            pass
