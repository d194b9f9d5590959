import json
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import jwt
import pytest
from azure.core.credentials import AccessToken

from shared import (
    Candidate,
    ConnectionOptions,
    CredentialKind,
    CredentialSettings,
    Endpoint,
    SignalRServiceClient,
    Timeouts,
)
from shared.errors import InvalidArgumentError
from shared.settings.token_origin import TokenOrigin
from shared.transport.flow import run
from tests.scripted_service import Received, Reply, scripted_service

EMULATOR = CredentialSettings(CredentialKind.ACCESS_KEY, access_key="k" * 44)


@pytest.mark.parametrize(("minutes", "seconds"), [(0.5, 30), (1, 60), (60 * 24 * 7, 604_800)])
def test_a_client_may_connect_for_so_many_minutes(minutes: float, seconds: int) -> None:
    with SignalRServiceClient("http://127.0.0.1:1", EMULATOR, clock=lambda: 1e6) as client:
        access = client.get_client_access_token("chat", minutes_to_expire=minutes)
    claims = jwt.decode(access.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(minutes: float) -> None:
    with (
        SignalRServiceClient("http://127.0.0.1:1", EMULATOR) as client,
        pytest.raises(InvalidArgumentError, match=r"^minutes_to_expire must be a positive number"),
    ):
        client.get_client_access_token("chat", minutes_to_expire=minutes)


@pytest.mark.parametrize("unique", [False, True])
def test_tokens_of_one_second_are_alike_or_not(*, unique: bool) -> None:
    options = ConnectionOptions(unique_token=unique)
    with SignalRServiceClient("http://127.0.0.1:1", EMULATOR, clock=lambda: 1e6) as client:
        tokens = {
            client.get_client_access_token("chat", user_id="ann", options=options).token
            for _ in range(10)
        }
    assert len(tokens) == (10 if unique else 1)


def test_the_service_makes_no_token_on_demand_that_differs() -> None:
    with (
        SignalRServiceClient(
            "http://127.0.0.1:1", EMULATOR, token_origin=TokenOrigin.SERVICE
        ) as client,
        pytest.raises(InvalidArgumentError, match=r"^claims need an access key"),
    ):
        client.get_client_access_token("chat", options=ConnectionOptions(unique_token=True))


UNREACHABLE = ["", " ", ".", "..", "u" * 1025, "a\0b", "a\nb", "\x85", "\ud800"]
"""User ids that the service takes in a token, and that no path of its REST API can name."""


@pytest.mark.parametrize("origin", TokenOrigin)
@pytest.mark.parametrize("user_id", UNREACHABLE)
def test_no_token_for_a_user_whom_nothing_reaches(user_id: str, origin: TokenOrigin) -> None:
    several = [Endpoint("http://127.0.0.1:1"), Endpoint("http://127.0.0.1:2")]
    with SignalRServiceClient(several, EMULATOR, token_origin=origin) as client:
        for use in (
            lambda: client.get_client_access_token("chat", user_id=user_id),
            lambda: client.send_to_user("chat", user_id, "t"),
            lambda: run(
                client.rest_apis[0].generate_client_token("chat", user_id=user_id),
                client.driver.perform,
            ),
        ):
            with pytest.raises(InvalidArgumentError) as caught:
                use()
            assert caught.value.argument == "user_id"


@pytest.mark.parametrize("user_id", ["a/b", "a%2Fb", "u" * 1024, "...", " a ", "a?b#c", "👩‍🚀"])
def test_a_user_with_a_token_is_reached(user_id: str) -> None:
    with scripted_service(lambda _: Reply(202)) as service:
        local = CredentialSettings(CredentialKind.ACCESS_KEY, access_key="k" * 44)
        with SignalRServiceClient(service.url, local) as client:
            token = client.get_client_access_token("chat", user_id=user_id).token
            client.send_to_user("chat", user_id, "t")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["asrs.s.uid"] == user_id
    step = service.received[0].path.split("/")[5]
    assert unquote(step) == user_id


KEY = json.dumps({"AccessKey": "s" * 44, "KeyId": "key-1"}).encode()


class Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:  # noqa: ANN401  the protocol's own
        return AccessToken("e30.e30.sig", 2**40)


def as_they_stand(
    candidates: Sequence[Candidate],
    hub: str,  # noqa: ARG001  a router's own
    user_id: str | None,  # noqa: ARG001  the same
) -> Sequence[Endpoint]:
    """Send everybody to the first endpoint, and to a healthy one before others."""
    return [each.endpoint for each in sorted(candidates, key=lambda each: not each.healthy)]


def test_while_one_auth_api_hangs_clients_go_to_the_endpoint_that_has_a_key() -> None:
    """Nobody waits for the timeouts, which are longer than a test may take."""
    released = threading.Event()

    def hang(received: Received) -> Reply:
        if "accessKey" in received.path:
            released.wait(60)
        return Reply(200, body=KEY)

    with (
        scripted_service(hang) as silent,
        scripted_service(lambda _: Reply(200, body=KEY)) as answering,
    ):
        endpoints = [Endpoint(silent.url, name="silent"), Endpoint(answering.url, name="answering")]
        with SignalRServiceClient(
            endpoints, Credential(), timeouts=Timeouts(read=1_000.0, key=1_000.0),
            router=as_they_stand,
        ) as client:  # fmt: skip
            client.warm_up()
            while client.state[1].key.key_id is None:
                threading.Event().wait(0.01)
            for _ in range(5):
                access = client.get_client_access_token("chat", user_id="ann")
                assert access.url.startswith(answering.url)
            released.set()
