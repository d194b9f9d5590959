"""Conversations with the service, held without any I/O."""

from collections.abc import Mapping

import pytest

from shared.endpoint import Endpoint
from shared.errors import (
    AuthenticationError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceUnavailableError,
    SignalRError,
    UnexpectedResponseError,
)
from shared.flow import (
    Answer,
    EntraToken,
    Flow,
    GetToken,
    NoAnswerError,
    Request,
    Response,
    Step,
    Wait,
    run,
)
from shared.operations import Operations
from shared.retry import RetryPolicy

SERVICE = Operations(
    Endpoint("https://contoso.service.signalr.net"),
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

    def __call__(self, step: Step) -> Answer:
        match step:
            case GetToken():
                return EntraToken(TOKEN, 1e12)
            case Wait(seconds):
                self.waits.append(seconds)
                return None
            case Request():
                self.requests.append(step)
                answer = self._answers.pop(0)
                if isinstance(answer, NoAnswerError):
                    raise answer
                return answer


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


def test_a_sends_exact_body_and_headers() -> None:
    script = Script(accepted())
    run(SERVICE.send_to_all("chat", "newMessage", ["Zoë", 1, None, {"a": [True]}]), script)
    (request,) = script.requests
    assert request.body == (
        '{"target":"newMessage","arguments":["Zoë",1,null,{"a":[true]}]}'.encode()
    )
    assert request.headers == {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json; charset=utf-8",
    }


def test_the_access_key_is_asked_for_without_a_query() -> None:
    script = Script(Response(200, {}, b'{"AccessKey":"secret","KeyId":"k"}'))
    key = run(SERVICE.access_key(), script)
    assert (key.key_id, key.secret, key.obtained_at) == ("k", b"secret", 1000.0)
    (request,) = script.requests
    assert (request.method, request.url, request.body) == (
        "GET",
        "https://contoso.service.signalr.net/api/v1/auth/accessKey",
        None,
    )


def test_requests_go_to_the_server_endpoint() -> None:
    service = Operations(Endpoint("https://a.bc", server_url="https://foo:123/bar"))
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
    assert run(SERVICE.access_key(), script).key_id == "k"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (Response(400, {}), UnexpectedResponseError, "400 to POST"),
        (
            Response(404, {"x-ms-error-code": "Warning.User.NotExisted"}),
            UnexpectedResponseError,
            "(Warning.User.NotExisted)",
        ),
        (Response(200, {}), UnexpectedResponseError, "200 to POST"),
        (Response(401, {}), AuthenticationError, "does not accept the Entra token"),
        (Response(500, {}), ServiceUnavailableError, "500 to POST"),
    ],
)
def test_statuses_become_errors(answer: Response, error: type[SignalRError], said: str) -> None:
    with pytest.raises(error) as caught:
        run(SERVICE.send_to_all("chat", "t"), Script(answer))
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_throttled_service_tells_when_to_come_back() -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        run(SERVICE.send_to_all("chat", "t"), Script(Response(429, {"Retry-After": "60"})))
    assert caught.value.retry_after == 60.0


def test_a_missing_role_is_named_with_principal_and_scope() -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        run(SERVICE.access_key(), Script(Response(403, {})))
    for part in (
        "'SignalR Service Owner'",
        "Microsoft.SignalRService/SignalR/auth/accessKey/action",
        "11111111-1111",
        "providers/Microsoft.SignalRService/SignalR/contoso",
        "30 minutes",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("flow", "argument"),
    [
        (SERVICE.send_to_all("1", "t"), "hub"),
        (SERVICE.send_to_all("chat", ""), "target"),
        (SERVICE.send_to_all("chat", "t", [object()]), "arguments"),
        (SERVICE.send_to_all("chat", "t", [float("inf")]), "arguments"),
        (SERVICE.send_to_all("chat", "t", ["x" * 1024 * 1024]), "arguments"),
        (SERVICE.send_to_all("chat", "t", excluded=[""]), "excluded"),
        (SERVICE.send_to_user("chat", "", "t"), "user_id"),
        (SERVICE.send_to_group("chat", "g" * 1025, "t"), "group"),
        (SERVICE.send_to_connection("chat", "..", "t"), "connection_id"),
    ],
)
def test_bad_arguments_never_reach_the_service(flow: Flow[None], argument: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        run(flow, Script())
    assert caught.value.argument == argument
