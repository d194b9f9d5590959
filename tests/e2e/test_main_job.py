"""A real client negotiates without a key and receives broadcasts."""

import base64
import json
import time

import jwt
import pytest

from tests.e2e.processes import Emulator, FunctionApp, client

PRINCIPAL = "x-ms-client-principal-id"
ACCEPTED = {"results": [{"status": "accepted"}]}


def test_a_broadcast_reaches_everyone_a_user_and_a_connection(app: FunctionApp) -> None:
    with (
        client(app.url, **{PRINCIPAL: "ann"}) as ann,
        client(app.url, **{PRINCIPAL: "bob"}) as bob,
    ):
        ann.connection_id()
        connection_id = bob.connection_id()
        messages: list[tuple[dict[str, object], str]] = [
            ({}, "everyone"),
            ({"userId": "ann"}, "ann"),
            ({"connectionId": connection_id}, "connection"),
            ({"excluded": [connection_id]}, "not bob"),
            ({}, "last"),
        ]
        for recipient, text in messages:
            answer = app.post(
                "broadcast",
                {"target": "newMessage", "arguments": [text, {"ä": [1, None]}], **recipient},
            )
            assert (answer.status_code, answer.json()) == (202, ACCEPTED)
        # Each receives what is for it, in order, and nothing else.
        assert [ann.message()[0] for _ in range(4)] == ["everyone", "ann", "not bob", "last"]
        assert [bob.message() for _ in range(3)] == [
            ["everyone", {"ä": [1, None]}],
            ["connection", {"ä": [1, None]}],
            ["last", {"ä": [1, None]}],
        ]


def test_a_list_is_sent_in_order_with_a_result_for_each(app: FunctionApp) -> None:
    with client(app.url, **{PRINCIPAL: "ann"}) as ann:
        ann.connection_id()
        answer = app.post(
            "broadcast",
            [{"target": "newMessage", "arguments": [n], "userId": "ann"} for n in range(20)],
        )
        assert answer.status_code == 202
        assert answer.json() == {"results": [{"status": "accepted"}] * 20}
        assert [ann.message() for _ in range(20)] == [[n] for n in range(20)]


def test_a_hub_is_a_world_of_its_own(anonymous_app: FunctionApp) -> None:
    with (
        client(f"{anonymous_app.url}/News") as news,
        client(anonymous_app.url) as chat,
    ):
        news.connection_id()
        chat.connection_id()
        for hub, text in (("NEWS", "for news"), ("chat", "for chat")):
            answer = anonymous_app.post(
                "broadcast", {"target": "newMessage", "arguments": [text], "hub": hub}
            )
            assert answer.status_code == 202
        assert news.message() == ["for news"]
        assert chat.message() == ["for chat"]


def test_the_negotiate_answer(app: FunctionApp, service: Emulator) -> None:
    answer = app.post("chat/negotiate?negotiateVersion=1", **{PRINCIPAL: "ann"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"url", "accessToken", "tokenLifetimeSeconds"}
    assert answer.json()["url"] == f"{service.service_url}/client/?hub=chat"
    token = answer.json()["accessToken"]
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["asrs.s.uid"] == "ann"
    assert claims["aud"] == "http://127.0.0.1/client/?hub=chat"
    assert claims["exp"] - claims["iat"] == 3600


def test_a_login_is_good_long_after_its_id_token(app: FunctionApp) -> None:
    now = int(time.time())
    claims = [{"typ": "iat", "val": str(now - 11100)}, {"typ": "exp", "val": str(now - 7200)}]
    known = base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()
    headers = {PRINCIPAL: "ann", "x-ms-client-principal": known}
    answer = app.post("negotiate", **headers)
    assert answer.status_code == 200
    with client(app.url, **headers) as ann:
        ann.connection_id()
        app.post("broadcast", {"target": "newMessage", "arguments": ["hi"], "userId": "ann"})
        assert ann.message() == ["hi"]
    stale = app.post("negotiate", **headers, authorization="Bearer e30.e30.c2ln")
    assert stale.status_code == 401
    assert 'error="invalid_token"' in stale.headers["WWW-Authenticate"]


def test_a_caller_who_is_not_logged_in(app: FunctionApp) -> None:
    answer = app.post("negotiate")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_anonymous_app_takes_no_user_id_from_anywhere(anonymous_app: FunctionApp) -> None:
    spoofed = {PRINCIPAL: "admin", "x-ms-signalr-userid": "admin", "x-ms-client-principal": "e30="}
    answer = anonymous_app.post(
        "negotiate?userId=admin&asrs.s.uid=admin", {"userId": "admin"}, **spoofed
    )
    assert answer.status_code == 200
    claims = jwt.decode(answer.json()["accessToken"], options={"verify_signature": False})
    assert claims.keys() == {"aud", "iat", "nbf", "exp"}


@pytest.mark.parametrize("hub", ["other", "chat2", "ch%61t%2F", "%00"])
def test_an_unknown_hub(anonymous_app: FunctionApp, hub: str) -> None:
    answer = anonymous_app.post(f"{hub}/negotiate")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_the_service_was_asked_once_for_a_token_and_once_for_a_key_by_each_app(
    app: FunctionApp, anonymous_app: FunctionApp, service: Emulator
) -> None:
    app.post("negotiate", **{PRINCIPAL: "ann"})
    anonymous_app.negotiate()
    before = service.state()
    for _ in range(20):
        anonymous_app.negotiate()
        app.post("broadcast", {"target": "t"})
    after = service.state()
    assert after["identityRequests"] == before["identityRequests"] == 2
    assert after["keyRequests"] == before["keyRequests"] == 2
