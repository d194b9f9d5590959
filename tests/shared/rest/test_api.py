"""Conversations with the service, held without any I/O."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

import msgspec
import pytest

from shared.errors import (
    AuthenticationError,
    ConnectionNotFoundError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    SignalRError,
    UnexpectedResponseError,
)
from shared.identity.token import AskedToken, Token, given
from shared.rest.api import RestApi
from shared.rest.members import ConnectionPage, GroupConnection
from shared.rest.messages import Command
from shared.rest.retry import RetryPolicy
from shared.settings.endpoint import Endpoint
from shared.transport.flow import (
    Effect,
    EffectResult,
    Flow,
    GetToken,
    NoAnswerError,
    Request,
    Response,
    Sleep,
    run,
)


class Unasked:
    """Tokens come from the script instead."""

    def ask(self, url: str, rejected: Token | None = None) -> AskedToken:
        return given(self.get(url, rejected))

    def cached(self, url: str, rejected: Token | None = None) -> Token | None:  # noqa: ARG002  the protocol's own
        return None

    def get(self, url: str, rejected: Token | None = None) -> Token:
        raise NotImplementedError

    def after_fork(self) -> None:
        raise NotImplementedError


SERVICE = RestApi(
    Endpoint("https://contoso.service.signalr.net"),
    Unasked(),
    policy=RetryPolicy(attempts=3, first_delay=1.0, longest_delay=10.0),
    clock=lambda: 1000.0,
    jitter=lambda: 1.0,
)
# {"oid":"11111111-1111"} without a signature: the client only shows it.
TOKEN = "e30.eyJvaWQiOiIxMTExMTExMS0xMTExIn0.sig"


class Script:
    """Answers requests in turn and remembers what was asked."""

    def __init__(self, *answers: Response | NoAnswerError) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []
        self.waits: list[float] = []
        self.rejected: list[Token | None] = []

    def __call__(self, effect: Effect) -> EffectResult:
        match effect:
            case GetToken(_, _, rejected):
                self.rejected.append(rejected)
                return Token(TOKEN, 1e12)
            case Sleep(seconds):
                self.waits.append(seconds)
                return None
            case Request():
                self.requests.append(effect)
                answer = self._answers.pop(0)
                if isinstance(answer, NoAnswerError):
                    raise answer
                return answer
            case _:
                raise AssertionError(effect)


def accepted(headers: Mapping[str, str] | None = None) -> Response:
    return Response(202, headers or {})


BASE = "https://contoso.service.signalr.net/api/hubs/chat"


@pytest.mark.parametrize(
    ("flow", "url"),
    [
        (SERVICE.send_to_all("Chat", "t"), f"{BASE}/:send?api-version=2022-06-01"),
        (
            SERVICE.send_to_all("chat", "t", excluded=["a b", "c/d"]),
            f"{BASE}/:send?excluded=a+b&excluded=c%2Fd&api-version=2022-06-01",
        ),
        (
            SERVICE.send_to_user("chat", "user/a?b", "t"),
            f"{BASE}/users/user%2Fa%3Fb/:send?api-version=2022-06-01",
        ),
        (
            SERVICE.send_to_group("chat", "Zoë & co", "t", excluded=["x"]),
            f"{BASE}/groups/Zo%C3%AB%20%26%20co/:send?excluded=x&api-version=2022-06-01",
        ),
        (
            SERVICE.send_to_connection("chat", "conn:1", "t"),
            f"{BASE}/connections/conn%3A1/:send?api-version=2022-06-01",
        ),
    ],
)
def test_urls(flow: Flow[None], url: str) -> None:
    script = Script(accepted())
    run(flow, script)
    assert [(each.method, each.url) for each in script.requests] == [("POST", url)]


OLD = "api-version=2022-06-01"
NEW = "api-version=2024-12-01"


@pytest.mark.parametrize(
    ("flow", "method", "url", "body", "answer"),
    [
        (
            SERVICE.generate_client_token("chat", user_id="ann", minutes_to_expire=5),
            "POST",
            f"{BASE}/:generateToken?userId=ann&minutesToExpire=5&api-version=2022-11-01",
            None,
            Response(200, {}, b'{"token": "t"}'),
        ),
        (
            SERVICE.invoke_connection("chat", "c", "ask", [1]),
            "POST",
            f"{BASE}/connections/c/:invoke?{NEW}",
            b'{"target":"ask","arguments":[1]}',
            Response(200, {}, b'{"result": 7}'),
        ),
        (
            SERVICE.send_stream_item("chat", "c", "s/1", {"a": "ä"}),
            "POST",
            f"{BASE}/connections/c/streams/s%2F1/:send?{NEW}",
            '{"a":"ä"}'.encode(),
            Response(202, {}),
        ),
        (
            SERVICE.complete_stream("chat", "c", "s", error="no more"),
            "POST",
            f"{BASE}/connections/c/streams/s/:complete?reason=no+more&{NEW}",
            None,
            Response(202, {}),
        ),
        (
            SERVICE.execute(
                "chat",
                [
                    Command("JoinGroup", group="g"),
                    Command("SendMessage", target="t", arguments=[1]),
                    Command("LeaveGroup", group="g"),
                    Command("CloseConnection", reason="bye"),
                ],
                filter="userId eq 'ann'",
            ),
            "POST",
            f"{BASE}/:execute?filter=userId+eq+%27ann%27&api-version=2023-07-01",
            (
                b'[{"type":"JoinGroup","group":"g"},'
                b'{"type":"SendMessage","message":{"target":"t","arguments":[1]}},'
                b'{"type":"LeaveGroup","group":"g"},{"type":"CloseConnection","reason":"bye"}]'
            ),
            Response(202, {}),
        ),
        (
            SERVICE.close_connection("chat", "c", reason="bye"),
            "DELETE",
            f"{BASE}/connections/c?reason=bye&{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.close_all_connections("chat", excluded=["a", "b"], reason="bye"),
            "POST",
            f"{BASE}/:closeConnections?excluded=a&excluded=b&reason=bye&{OLD}",
            None,
            Response(204, {}),
        ),
        (
            SERVICE.close_group_connections("chat", "g"),
            "POST",
            f"{BASE}/groups/g/:closeConnections?{OLD}",
            None,
            Response(204, {}),
        ),
        (
            SERVICE.close_user_connections("chat", "ann", excluded=["a"]),
            "POST",
            f"{BASE}/users/ann/:closeConnections?excluded=a&{OLD}",
            None,
            Response(204, {}),
        ),
        (
            SERVICE.connection_exists("chat", "c"),
            "HEAD",
            f"{BASE}/connections/c?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.group_exists("chat", "g"),
            "HEAD",
            f"{BASE}/groups/g?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.user_exists("chat", "ann"),
            "HEAD",
            f"{BASE}/users/ann?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.user_in_group("chat", "ann", "g"),
            "HEAD",
            f"{BASE}/users/ann/groups/g?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.connection_page("chat", "g"),
            "GET",
            f"{BASE}/groups/g/connections?maxpagesize=200&{NEW}",
            None,
            Response(200, {}, b'{"value": []}'),
        ),
        (
            SERVICE.add_connection_to_group("chat", "g", "c"),
            "PUT",
            f"{BASE}/groups/g/connections/c?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.remove_connection_from_group("chat", "g", "c"),
            "DELETE",
            f"{BASE}/groups/g/connections/c?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.remove_connection_from_all_groups("chat", "c"),
            "DELETE",
            f"{BASE}/connections/c/groups?{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.add_user_to_group("chat", "g", "ann", ttl=60),
            "PUT",
            f"{BASE}/users/ann/groups/g?ttl=60&{OLD}",
            None,
            Response(200, {}),
        ),
        (
            SERVICE.remove_user_from_group("chat", "g", "ann"),
            "DELETE",
            f"{BASE}/users/ann/groups/g?{OLD}",
            None,
            Response(204, {}),
        ),
        (
            SERVICE.remove_user_from_all_groups("chat", "ann"),
            "DELETE",
            f"{BASE}/users/ann/groups?{OLD}",
            None,
            Response(204, {}),
        ),
    ],
)
def test_every_operation_on_the_wire(
    flow: Flow[object], method: str, url: str, body: bytes | None, answer: Response
) -> None:
    script = Script(answer)
    run(flow, script)
    (request,) = script.requests
    assert (request.method, request.url, request.body) == (method, url, body)
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_results_are_read() -> None:
    invoked = Script(Response(200, {}, b'{"result": {"a": 1}}'))
    assert run(SERVICE.invoke_connection("chat", "c", "ask"), invoked) == {"a": 1}
    assert run(SERVICE.invoke_connection("chat", "c", "ask"), Script(Response(200, {}))) is None
    token = Script(Response(200, {}, b'{"token": "t"}'))
    assert run(SERVICE.generate_client_token("chat"), token) == "t"
    page = Script(
        Response(
            200, {}, b'{"value":[{"connectionId":"c","userId":"u"}],"nextLink":"http://x/?a=1"}'
        )
    )
    assert run(SERVICE.connection_page("chat", "g"), page) == ConnectionPage(
        (GroupConnection("c", "u"),), "http://x/?a=1"
    )


def test_digits_of_a_result_are_kept_where_they_are_asked_for() -> None:
    answer = Response(200, {}, b'{"result": [12.50, 1234567890123456.789, 7]}')
    ask = partial(SERVICE.invoke_connection, "chat", "c", "ask")
    assert run(ask(), Script(answer)) == [12.5, 1234567890123456.8, 7]
    exact = run(ask(parse_float=Decimal), Script(answer))
    assert str(exact) == "[Decimal('12.50'), Decimal('1234567890123456.789'), 7]"
    beyond = Response(200, {}, b'{"result": 1e99999999999999999999}')
    with pytest.raises(UnexpectedResponseError):
        run(ask(parse_float=Decimal), Script(beyond))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_one(status: int) -> None:
    done = Response(status, {})
    run(SERVICE.send_to_all("chat", "t"), Script(done))
    run(SERVICE.close_connection("chat", "c"), Script(done))
    run(SERVICE.add_connection_to_group("chat", "g", "c"), Script(done))
    run(SERVICE.remove_user_from_group("chat", "g", "u"), Script(done))
    assert run(SERVICE.connection_exists("chat", "c"), Script(done)) is True
    assert run(SERVICE.service_is_healthy(), Script(done)) is True
    with pytest.raises(UnexpectedResponseError) as caught:
        run(SERVICE.generate_client_token("chat"), Script(done))
    assert caught.value.status == status


def test_a_next_page_is_asked_of_the_service_itself() -> None:
    script = Script(Response(200, {}, b'{"value": []}'))
    link = "https://elsewhere.example/api?continuationToken=abc&api-version=2024-12-01"
    run(SERVICE.connection_page("chat", "g", next_link=link), script)
    assert script.requests[0].url == (
        f"{BASE}/groups/g/connections?continuationToken=abc&api-version=2024-12-01"
    )


def absent(code: str) -> Response:
    return Response(404, {"x-ms-error-code": code})


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        (SERVICE.connection_exists("chat", "c"), "Warning.Connection.NotExisted"),
        (SERVICE.group_exists("chat", "g"), "warning.group.notexisted"),
        (SERVICE.user_exists("chat", "u"), "Warning.User.NotExisted"),
        (SERVICE.user_in_group("chat", "u", "g"), "Info.User.NotInGroup"),
    ],
)
def test_what_is_not_there_does_not_exist(flow: Flow[bool], code: str) -> None:
    assert run(flow, Script(absent(code))) is False


def test_a_404_without_the_code_is_no_answer_to_the_question() -> None:
    with pytest.raises(UnexpectedResponseError):
        run(SERVICE.connection_exists("chat", "c"), Script(Response(404, {})))


def test_closing_what_is_gone_is_done_and_adding_it_is_an_error() -> None:
    gone = "Error.Connection.NotExisted"
    run(SERVICE.close_connection("chat", "c"), Script(absent("Warning.Connection.NotExisted")))
    run(SERVICE.remove_connection_from_group("chat", "g", "c"), Script(absent(gone)))
    with pytest.raises(ConnectionNotFoundError, match="'c'"):
        run(SERVICE.add_connection_to_group("chat", "g", "c"), Script(absent(gone)))


@pytest.mark.parametrize(
    ("outcome", "healthy"),
    [
        (Response(200, {}), True),
        (Response(503, {}), False),
        (NoAnswerError("refused", delivered=False), False),
    ],
)
def test_health_is_asked_without_a_token(
    outcome: Response | NoAnswerError,
    healthy: bool,
) -> None:
    script = Script(outcome)
    assert run(SERVICE.service_is_healthy(), script) is healthy
    url = f"https://contoso.service.signalr.net/api/health?{OLD}"
    assert script.requests == [
        Request(
            "HEAD",
            url,
            {},
            operation="service_is_healthy",
            endpoint="contoso.service.signalr.net",
        )
    ]


def test_a_sends_exact_body_and_headers() -> None:
    script = Script(accepted())
    run(SERVICE.send_to_all("chat", "newMessage", ["Zoë", 1, None, {"a": [True]}]), script)
    (request,) = script.requests
    assert request.body == (
        '{"target":"newMessage","arguments":["Zoë",1,null,{"a":[true]}]}'.encode()
    )
    headers = dict(request.headers)
    assert len(headers.pop("x-ms-client-request-id")) == 32
    assert headers == {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json; charset=utf-8",
    }


def test_numbers_of_a_send_keep_their_digits() -> None:
    numbers = [Decimal("12.50"), {"a": (Decimal("1234567890123456.789"), 1.5, True)}, 10**30]
    keyed = {1: Decimal(1), None: Decimal(2), "ä": Decimal("-0")}
    script = Script(accepted())
    run(SERVICE.send_to_all("chat", "t", [*numbers, keyed, Decimal("1E+3")]), script)
    (request,) = script.requests
    assert request.body == (
        '{"target":"t","arguments":[12.50,{"a":[1234567890123456.789,1.5,true]},'
        '1000000000000000000000000000000,{"1":1,"null":2,"ä":-0},1E+3]}'.encode()
    )


@dataclass
class Reading:
    value: Decimal


def test_what_only_msgspec_can_write_goes_as_json_where_that_says_it_all() -> None:
    script = Script(accepted())
    values = [Reading(Decimal("12.50")), UUID(int=7), date(2026, 1, 2)]
    run(SERVICE.send_to_all("chat", "t", values), script)
    (request,) = script.requests
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.body == (
        b'{"target":"t","arguments":[{"value":12.50},'
        b'"00000000-0000-0000-0000-000000000007","2026-01-02"]}'
    )


JANUARY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "json", "messagepack"),
    [
        ([b"\x00\x01"], b'["AAE="]', [b"\x00\x01"]),
        ([bytearray(b"x"), memoryview(b"x")], b'["eA==","eA=="]', [b"x", b"x"]),
        (
            [{"at": [JANUARY, Decimal("12.50")]}],
            b'[{"at":["2026-01-02T03:04:05Z",12.50]}]',
            [{"at": [JANUARY, "12.50"]}],
        ),
    ],
)
def test_bytes_and_times_go_in_both_hub_protocols(
    arguments: Sequence[object], json: bytes, messagepack: object
) -> None:
    script = Script(accepted())
    run(SERVICE.send_to_all("chat", "täg", arguments), script)
    (request,) = script.requests
    assert request.headers["Content-Type"] == "application/octet-stream"
    messages = msgspec.msgpack.decode(request.body or b"")
    assert list(messages) == ["json", "messagepack"]
    assert messages["json"] == '{"type":1,"target":"täg","arguments":'.encode() + json + b"}\x1e"
    length, written = messages["messagepack"][0], messages["messagepack"][1:]
    assert length == len(written)
    assert msgspec.msgpack.decode(written) == [1, {}, None, "täg", messagepack, []]


def test_an_item_of_a_stream_goes_in_both_hub_protocols() -> None:
    script = Script(accepted())
    run(SERVICE.send_stream_item("chat", "c", "s", b"\x00"), script)
    messages = msgspec.msgpack.decode(script.requests[0].body or b"")
    assert messages["json"] == b'{"type":2,"invocationId":"s","item":"AA=="}\x1e'
    assert msgspec.msgpack.decode(messages["messagepack"][1:]) == [2, {}, "s", b"\x00"]


def test_a_command_goes_as_json() -> None:
    script = Script(accepted())
    command = Command("SendMessage", target="t", arguments=[Decimal("12.50"), b"\x00"])
    run(SERVICE.execute("chat", [command], filter="x"), script)
    body = b'[{"type":"SendMessage","message":{"target":"t","arguments":[12.50,"AA=="]}}]'
    assert script.requests[0].body == body


def test_the_access_key_is_asked_for_without_a_query() -> None:
    script = Script(Response(200, {}, b'{"AccessKey":"secret","KeyId":"k"}'))
    key = run(SERVICE.access_key(), script).key
    assert (key.key_id, key.secret, key.obtained_at) == ("k", b"secret", 1000.0)
    (request,) = script.requests
    assert (request.method, request.url, request.body) == (
        "GET",
        "https://contoso.service.signalr.net/api/v1/auth/accessKey",
        None,
    )


def test_requests_go_to_the_server_endpoint() -> None:
    service = RestApi(Endpoint("https://a.bc", server_url="https://foo:123/bar"), Unasked())
    script = Script(Response(200, {}, b'{"AccessKey":"secret","KeyId":"k"}'))
    run(service.access_key(), script)
    assert script.requests[0].url == "https://foo:123/bar/api/v1/auth/accessKey"


def test_a_throttled_send_waits_as_asked_and_succeeds() -> None:
    script = Script(Response(429, {"Retry-After": "7"}), Response(503, {}), accepted())
    run(SERVICE.send_to_all("chat", "t"), script)
    assert script.waits == [7.0, 2.0]
    assert len(script.requests) == 3


def test_a_send_that_may_have_arrived_is_not_repeated() -> None:
    for outcome in (Response(500, {}), NoAnswerError("read timed out", delivered=True)):
        script = Script(outcome)
        with pytest.raises(ServiceUnavailableError):
            run(SERVICE.send_to_all("chat", "t"), script)
        assert len(script.requests) == 1


def test_a_send_that_never_left_is_repeated() -> None:
    script = Script(NoAnswerError("refused", delivered=False), accepted())
    run(SERVICE.send_to_all("chat", "t"), script)
    assert script.waits == [1.0]


def test_the_access_key_is_asked_for_again_after_any_passing_failure() -> None:
    script = Script(
        NoAnswerError("read timed out", delivered=True),
        Response(500, {}),
        Response(200, {}, b'{"AccessKey":"secret","KeyId":"k"}'),
    )
    assert run(SERVICE.access_key(), script).key.key_id == "k"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (Response(400, {}), UnexpectedResponseError, "400 to POST"),
        (
            Response(404, {"x-ms-error-code": "Warning.User.NotExisted"}),
            UnexpectedResponseError,
            "(Warning.User.NotExisted)",
        ),
        (Response(302, {}), UnexpectedResponseError, "302 to POST"),
        (Response(500, {}), ServiceUnavailableError, "500 to POST"),
    ],
)
def test_statuses_become_errors(answer: Response, error: type[SignalRError], said: str) -> None:
    with pytest.raises(error) as caught:
        run(SERVICE.send_to_all("chat", "t"), Script(answer))
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_refused_token_is_replaced_once_and_then_told_with_what_it_was() -> None:
    script = Script(Response(401, {}), Response(401, {"x-ms-request-id": "r-1"}))
    with pytest.raises(AuthenticationError) as caught:
        run(SERVICE.send_to_all("chat", "t"), script)
    assert [each and each.value for each in script.rejected] == [None, TOKEN]
    assert script.waits == []
    for part in (
        "does not accept the Entra token of the principal 11111111-1111",
        "audience https://signalr.azure.com",
        "SignalR resource contoso",
    ):
        assert part in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_token_that_was_withdrawn_costs_one_request_more() -> None:
    script = Script(Response(401, {}), accepted())
    run(SERVICE.send_to_all("chat", "t"), script)
    assert len(script.requests) == 2


def test_errors_carry_what_support_asks_for() -> None:
    answer = Response(409, {"x-ms-error-code": "Error.X", "x-ms-request-id": "r-1"})
    with pytest.raises(ServiceError) as caught:
        run(SERVICE.send_to_all("chat", "t"), Script(answer))
    error = caught.value
    assert (error.status, error.code, error.request_id, error.endpoint) == (
        409,
        "Error.X",
        "r-1",
        "contoso.service.signalr.net",
    )


def test_a_request_keeps_its_id_when_it_is_repeated_and_the_error_names_it() -> None:
    script = Script(Response(503, {}), Response(500, {}))
    with pytest.raises(ServiceUnavailableError) as caught:
        run(SERVICE.send_to_all("chat", "t"), script)
    ids = {each.headers["x-ms-client-request-id"] for each in script.requests}
    assert ids == {caught.value.request_id}


def test_the_total_time_ends_the_attempts() -> None:
    times = iter([0.0, 4.0, 6.0])
    service = RestApi(
        Endpoint("https://a.bc"),
        Unasked(),
        policy=RetryPolicy(attempts=9, first_delay=3.0, total_time=10.0),
        steady=lambda: next(times),
        jitter=lambda: 1.0,
    )
    script = Script(Response(503, {}), Response(503, {}))
    with pytest.raises(ServiceUnavailableError):
        run(service.send_to_all("chat", "t"), script)
    assert script.waits == [3.0], "4 s and 3 s fit in 10 s, 6 s and 6 s do not"


def test_a_wall_clock_that_is_set_forward_does_not_end_the_attempts() -> None:
    hours = itertools.count(step=3600.0)
    service = RestApi(
        Endpoint("https://a.bc"), Unasked(), clock=lambda: next(hours), steady=lambda: 0.0
    )
    script = Script(Response(503, {}), Response(503, {}), accepted())
    run(service.send_to_all("chat", "t"), script)
    assert len(script.requests) == 3


def test_an_endpoint_that_is_down_is_asked_once() -> None:
    service = RestApi(Endpoint("https://a.bc"), Unasked(), healthy=lambda: False)
    script = Script(NoAnswerError("refused", delivered=False))
    with pytest.raises(ServiceUnavailableError):
        run(service.send_to_all("chat", "t"), script)


def test_a_caller_can_have_messages_at_least_once() -> None:
    service = RestApi(Endpoint("https://a.bc"), Unasked(), policy=RetryPolicy(at_least_once=True))
    script = Script(Response(500, {}), NoAnswerError("timed out", delivered=True), accepted())
    run(service.send_to_all("chat", "t"), script)
    assert len(script.requests) == 3


def test_the_last_item_of_a_stream_can_end_it() -> None:
    script = Script(accepted())
    run(SERVICE.send_stream_item("chat", "c", "s", 1, completed=True), script)
    assert "completed=true" in script.requests[0].url


def test_a_client_that_is_not_there_cannot_be_invoked() -> None:
    with pytest.raises(ConnectionNotFoundError, match="'c'"):
        run(
            SERVICE.invoke_connection("chat", "c", "ask"),
            Script(absent("Warning.Connection.NotExisted")),
        )


def test_a_throttled_service_tells_when_to_come_back() -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        run(SERVICE.send_to_all("chat", "t"), Script(Response(429, {"Retry-After": "60"})))
    assert caught.value.retry_after == 60.0


def test_a_missing_role_is_named_with_principal_and_scope() -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        run(SERVICE.access_key(), Script(Response(403, {})))
    for part in (
        "'SignalR Service Owner'",
        "'SignalR App Server', which may have access keys but not send",
        "az role assignment create --assignee-object-id 11111111-1111 ",
        '--role "SignalR Service Owner"',
        "Microsoft.SignalRService/SignalR/auth/accessKey/action",
        "11111111-1111",
        "providers/Microsoft.SignalRService/SignalR/contoso",
        "30 minutes",
    ):
        assert part in str(caught.value)


def test_network_rules_are_not_taken_for_a_missing_role() -> None:
    page = Response(403, {"Content-Type": "text/html"}, b"<html>nginx</html>")
    with pytest.raises(PermissionDeniedError, match="the resource's network rules") as caught:
        run(SERVICE.access_key(), Script(page))
    assert "az role assignment" not in str(caught.value)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"{}",
        b'{"value":[1]}',
        b'{"value":[{"userId":"u"}]}',
        b'{"value":[{"connectionId":"c","userId":1}]}',
    ],
    ids=lambda body: str(body[:40]),
)
def test_a_page_that_cannot_be_read_is_an_error_of_the_service(body: bytes) -> None:
    with pytest.raises(UnexpectedResponseError):
        run(SERVICE.connection_page("chat", "g"), Script(Response(200, {}, body)))


def test_a_link_that_is_none_leads_nowhere() -> None:
    with pytest.raises(UnexpectedResponseError):
        run(SERVICE.connection_page("chat", "g", "https://[x"), Script())


@pytest.mark.parametrize(
    ("flow", "argument"),
    [
        (SERVICE.send_to_all("1", "t"), "hub"),
        (SERVICE.send_to_all("chat", ""), "target"),
        (SERVICE.send_to_all("chat", "t", [object()]), "arguments"),
        (SERVICE.send_to_all("chat", "t", "text"), "arguments"),
        (SERVICE.send_to_all("chat", "t", b"bytes"), "arguments"),
        (SERVICE.send_to_all("chat", "t", [b"x", 2**64]), "arguments"),
        (SERVICE.send_to_all("chat", "t", [b"x" * 1024 * 1024]), "arguments"),
        (SERVICE.send_to_all("chat", "\ud800", [b"x"]), "target"),
        (SERVICE.send_to_all("chat", "t", [float("inf")]), "arguments"),
        (SERVICE.send_to_all("chat", "t", ["x" * 1024 * 1024]), "arguments"),
        (SERVICE.send_to_all("chat", "t", excluded=[""]), "excluded"),
        (SERVICE.send_to_user("chat", "", "t"), "user_id"),
        (SERVICE.send_to_group("chat", "g" * 1025, "t"), "group"),
        (SERVICE.send_to_connection("chat", "..", "t"), "connection_id"),
        (SERVICE.add_user_to_group("chat", "g", "u", ttl=-1), "ttl"),
        (SERVICE.send_to_all("chat", "\ud800"), "target"),
        (SERVICE.complete_stream("chat", "c", "s" * 101), "stream_id"),
        (SERVICE.complete_stream("chat", "c", "s", error="\ud800"), "reason"),
        (SERVICE.close_connection("chat", "c", reason="\ud800"), "reason"),
        (SERVICE.execute("chat", [], filter="\ud800"), "filter"),
        (SERVICE.send_stream_item("chat", "c", "s", object()), "item"),
        (SERVICE.send_stream_item("chat", "c", "s", [b"x" * 1024 * 1024]), "item"),
        (SERVICE.execute("chat", [Command("JoinGroup")], filter="x"), "group"),
    ],
)
def test_bad_arguments_never_reach_the_service(flow: Flow[None], argument: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        run(flow, Script())
    assert caught.value.argument == argument


_loop: list[object] = []
_loop.append({"a": _loop})


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([0, {"price": [float("nan")]}], "[1]['price'][0] is NaN"),
        ([float("inf")], "[0] is Infinity"),
        (({"x": float("-inf")},), "[0]['x'] is -Infinity"),
        ([{float("nan"): 1}], "[0] has a key that is NaN"),
        ([{(1, 2): 3}], "[0] has a key that is a value of type tuple"),
        ([["\ud800"]], "[0][0] contains half of a surrogate pair"),
        ([{"\udfff": 1}], "[0] has a key that contains half of a surrogate pair"),
        ([{"k" * 99: object()}], f"[0]['{'k' * 39}] is a value of type object"),
        ([b"x", object()], "[1] is a value of type object"),
        ([b"x", float("nan")], "[1] is NaN"),
        ([Decimal("-Infinity")], "[0] is -Infinity"),
        ([[Decimal("1E+999")]], "[0][0] is a number that is too large"),
        ([Decimal(1), {float("nan"): 1}], "[1] has a key that is NaN"),
        ([10**5000], "[0] is a number that is too large"),
        (_loop, "[0]['a'] contains itself"),
    ],
)
def test_what_json_cannot_hold_is_told_with_its_place(
    arguments: Sequence[object], problem: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        run(SERVICE.send_to_all("chat", "t", arguments), Script())
    assert str(caught.value) == f"arguments cannot be written as JSON: {problem}"


def test_what_is_nested_too_deeply_is_told() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidArgumentError, match=r"^item .*: it is nested too deeply$"):
        run(SERVICE.send_stream_item("chat", "c", "s", deep), Script())
