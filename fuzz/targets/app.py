"""What callers, the service and operators give the app."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import jwt
import msgspec
from signalr_emulator.errors import ProtocolError
from signalr_emulator.protocols.messages import MAX_RECORD_BYTES
from signalr_emulator.protocols.messages import Completion as ReceivedCompletion
from signalr_emulator.protocols.supported import JSON as EMULATOR_JSON
from signalr_emulator.protocols.supported import MESSAGEPACK as EMULATOR_MESSAGEPACK
from signalr_emulator.protocols.supported import HubProtocol as EmulatorProtocol

from fuzz.target import target, text
from shared.errors import InvalidArgumentError, SettingsError, TokenTooLargeError
from shared.functions.broadcast.body import read_items
from shared.functions.broadcast.groups import GroupAction
from shared.functions.broadcast.messages import Message, arguments_as_written
from shared.functions.events.arguments import ArgumentError, fill
from shared.functions.events.parameters import Parameter, Parameters
from shared.functions.negotiate.caller import Caller, CallerIdentity
from shared.functions.negotiate.claims import parse_claim_mappings, selected_claims
from shared.functions.negotiate.settings import Identity, NegotiateSettings
from shared.functions.problems import ProblemError
from shared.functions.upstream.call import read_call
from shared.functions.upstream.hub_protocol import (
    Completion,
    HubProtocol,
    MessageError,
    close_error,
    read_invocation,
)
from shared.functions.upstream.json_protocol import JSON
from shared.functions.upstream.messagepack_protocol import MESSAGEPACK
from shared.functions.upstream.settings import UpstreamSettings
from shared.functions.upstream.signature import is_signed
from shared.keys.access_key import AccessKey
from shared.keys.client_token import sign_client_token
from shared.settings.connection_string import read_connection_string
from shared.settings.environment import Settings
from shared.settings.hubs import Hubs

__all__: list[str] = []

_ANYTHING: Final = Parameters(False, (), Parameter("each", Any, required=False))
"""What a handler takes that takes everything."""

_SHORT: Final = 15
"""Length up to which a text stands in another one by chance."""


@target(
    b'{"type":1,"invocationId":"7","target":"add","arguments":[1,"\xc3\xa4",null,{"a":[1.5]}]}',
    b'{"type":4,"invocationId":"7","target":"count","arguments":[]}',
    b'{"type":11,"error":"gone"}',
)
def upstream_json(data: bytes) -> None:
    """A message of the service is read or refused, and the client can read its answer."""
    _upstream(JSON, EMULATOR_JSON, data)


@target(
    *map(
        msgspec.msgpack.encode,
        (
            [1, {}, "7", "add", [1, "ä", None, {"a": 1.5}, b"\xff"], []],
            [1, {}, None, "add", [2**64 - 1, -(2**63)]],
            [11, "gone"],
            [11],
        ),
    )
)
def upstream_messagepack(data: bytes) -> None:
    """As `upstream_json`."""
    _upstream(MESSAGEPACK, EMULATOR_MESSAGEPACK, data)


@target(
    b"chat\nmessages\nadd\nc1\nann\na: b, c: d\n?x=1&y=%20",
    b"chat\nconnections\nconnected\nc1\n\n\n",
)
def upstream_call(data: bytes) -> None:
    """URL and headers of a call are read or refused."""
    names = ("Hub", "Category", "Event", "Connection-Id", "User-Id", "User-Claims", "Client-Query")
    values = dict(zip(names, text(data).split("\n"), strict=False))
    route = {name.lower(): values.get(name, "") for name in names[:3]}
    headers = {f"X-ASRS-{name}": value for name, value in values.items()}
    with suppress(ProblemError):
        call = read_call(route, headers, "")
        assert call.client["user_id"] == (values.get("User-Id") or None)


@target(b"c1\nsha256=" + b"0" * 64, b"c1\nsha256=00,sha256=11", b"\nsha256=")
def upstream_signature(data: bytes) -> None:
    """Nobody signs without the key."""
    connection_id, _, header = text(data).partition("\n")
    assert not is_signed(connection_id, header, [b"a key that nobody knows"])


@target(
    b"Endpoint=https://contoso.service.signalr.net;AuthType=azure.msi;Version=1.0;",
    b"Endpoint=http://localhost;Port=8888;AccessKey=" + b"k" * 20 + b";Version=1.0;",
    b"Endpoint=https://contoso.service.signalr.net;AuthType=azure.app;ClientId=a;TenantId=b;"
    b"ClientSecret=" + b"s" * 20,
    b"Endpoint=https://a;ClientEndpoint=https://b/x;ServerEndpoint=https://c;AuthType=aad",
    b"AccessKey=thType=azure.msi",
)
def connection_string(data: bytes) -> None:
    """A connection string is read or refused, and no secret of it is repeated."""
    given = text(data)
    said = _said_of(given)
    # What is no secret may stand in the example that each refusal ends with.
    own_words = _said_of("")
    assert not [each for each in _secrets_of(given) if each in said and each not in own_words]


@target(
    b"SIGNALR_HUBS=chat,news\nAzureSignalRConnectionString__serviceUri=https://contoso.service."
    b"signalr.net\nNEGOTIATE_IDENTITY=oidc,anonymous\nNEGOTIATE_OIDC_ISSUER=https://a\n"
    b"NEGOTIATE_OIDC_AUDIENCE=b\nNEGOTIATE_CLAIMS=name,roles=role",
    b"SIGNALR_HUBS=chat\nAzure:SignalR:Endpoints:east:serviceUri=https://a\n"
    b"Azure__SignalR__Endpoints__west=Endpoint=https://b;AuthType=azure\n"
    b"UPSTREAM_TENANT_ID=11111111-1111-1111-1111-111111111111\nUPSTREAM_AUDIENCE=c\n"
    b"WEBSITE_AUTH_ENABLED=true\nNEGOTIATE_TOKEN_LIFETIME_MINUTES=90",
)
def app_settings(data: bytes) -> None:
    """Settings are read or refused."""
    pairs = (line.partition("=") for line in text(data).split("\n"))
    environment = {name: value for name, _, value in pairs}
    with suppress(SettingsError):
        NegotiateSettings.from_environment(environment)
    with suppress(SettingsError):
        settings = Settings.from_environment(environment)
        UpstreamSettings.from_environment(environment, settings.endpoints)


_IDENTITY: Final = CallerIdentity(NegotiateSettings((Identity.APP_SERVICE,)))
_CLAIMS: Final = parse_claim_mappings("name,roles=role,uid,sub")
_KEY: Final = AccessKey("key-1", b"s" * 40, 1_700_000_000.0)
_AUDIENCE: Final = "https://contoso.service.signalr.net/client/?hub=chat"


@target(
    json.dumps(
        {
            "claims": [
                {"typ": "name", "val": "Ann"},
                {"typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "val": "a"},
                {"typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "val": "b"},
                {"typ": "exp", "val": "1700000600"},
            ]
        }
    ).encode(),
    b'{"claims": [{"typ": "aud", "val": "x"}, {"typ": "asrs.s.uid", "val": "eve"}]}',
    b'{"identityProvider":"github","userId":"eve","userDetails":"e","userRoles":["anonymous"]}',
    b'{"claims": [{"typ": "roles", "val": [1, {"a": null}]}, {"typ": "name", "val": true}]}',
)
def principal(data: bytes) -> None:
    """Whoever App Service has logged in gets a token of its own user and of this hub."""
    for header in (b64encode(data).decode(), text(data)):
        headers = {"x-ms-client-principal-id": "ann", "x-ms-client-principal": header}
        caller = _returned(_IDENTITY.identify(headers))
        with suppress(InvalidArgumentError, TokenTooLargeError):
            _check_token(caller)


_HUBS: Final = Hubs.of(("chat", "news"))


@target(
    b'{"target":"t","arguments":[1,{"a":null}],"userId":"ann"}',
    b'[{"target":"t","groupName":"a/b","excluded":["c"]},{"target":"t","hub":"News"}]',
    b'[{"action":"add","groupName":"g","userId":"u","ttl":5},'
    b'{"action":"removeAll","connectionId":"c"}]',
    b'{"target":"\\ud800","arguments":[1e999]}',
    b'{"target":"t", "argument\\u0073" : [ 12.50 ]}',
)
def broadcast_body(data: bytes) -> None:
    """A body is read or refused with JSON that says which field is wrong."""
    _read_or_told(lambda: _check_messages(data))
    _read_or_told(lambda: read_items(data, GroupAction, _HUBS))


def _check_messages(data: bytes) -> None:
    messages = read_items(data, Message, _HUBS)
    for message, written in zip(messages, arguments_as_written(data), strict=True):
        assert message.delivery("chat", written).hub in _HUBS.names
        assert json.loads(written) == list(message.arguments)


def _read_or_told(read: Callable[[], object]) -> None:
    try:
        read()
    except ProblemError as problem:
        told = json.loads(problem.response().get_body())
        assert told["errors"]
        assert all(each["pointer"].startswith("#") for each in told["errors"])


def _upstream(protocol: HubProtocol, receiver: EmulatorProtocol, data: bytes) -> None:
    with suppress(MessageError):
        close_error(protocol, data)
    with suppress(MessageError, ArgumentError):
        invocation = read_invocation(protocol, data)
        outcomes = (
            Completion("7", fill(_ANYTHING, invocation.arguments, protocol.read).given),
            Completion("7", error=invocation.target),
        )
        for completion in outcomes:
            _check_answer(protocol, receiver, completion)


def _check_answer(
    protocol: HubProtocol, receiver: EmulatorProtocol, completion: Completion
) -> None:
    try:
        written = protocol.encode(completion)
    except InvalidArgumentError:
        return
    (record,) = receiver.reader(MAX_RECORD_BYTES).feed(written)
    with suppress(ProtocolError):
        assert isinstance(receiver.parse(record), ReceivedCompletion)


def _said_of(connection_string: str) -> str:
    try:
        return repr(read_connection_string("Setting", connection_string, {}))
    except SettingsError as error:
        return str(error)


def _secrets_of(connection_string: str) -> list[str]:
    """Return the secrets that stand nowhere else, as an address may."""
    pairs = (part.partition("=") for part in connection_string.split(";"))
    named = {"accesskey", "clientsecret"}
    values = [value.strip() for name, _, value in pairs if name.strip().lower() in named]
    return [each for each in values if len(each) > _SHORT and connection_string.count(each) == 1]


def _returned[T](answering: Coroutine[object, object, T]) -> T:
    """Return what a coroutine that waits for nothing returns."""
    try:
        answering.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waits")


def _check_token(caller: Caller) -> None:
    token = sign_client_token(
        _KEY,
        _AUDIENCE,
        now=1_700_000_000.0,
        lifetime=60,
        user_id=caller.user_id,
        claims=selected_claims(_CLAIMS, caller.claims),
    )
    payload: Mapping[str, object] = json.loads(_payload(token))
    assert payload["aud"] == _AUDIENCE
    assert payload["exp"] == 1_700_000_060.0
    assert payload["asrs.s.uid"] == "ann"
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "key-1", "typ": "JWT"}


def _payload(token: str) -> bytes:
    return b64decode(token.split(".")[1] + "==", altchars=b"-_")
