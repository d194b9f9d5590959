import asyncio
from collections.abc import Mapping

import pytest

from shared import SignalRServiceClient, aio
from shared.endpoints.fan_out import FanOut, combine
from shared.errors import (
    ConnectionNotFoundError,
    EndpointsError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
)
from shared.settings.credential import CredentialKind, CredentialSettings
from shared.settings.endpoint import Endpoint
from tests.scripted_service import Reply, scripted_service

ALL: FanOut = "all"
ANY: FanOut = "any"
ONE: FanOut = "one"
DOWN = ServiceUnavailableError("down", retry_after=7.0)
DENIED = PermissionDeniedError("denied", retry_after=3.0)
MISSING = ConnectionNotFoundError("no connection")


@pytest.mark.parametrize(
    ("fan_out", "outcomes", "result"),
    [
        (ALL, {"a": None, "b": None}, None),
        (ALL, {"a": 1, "b": 2}, 1),
        (ANY, {"a": True, "b": True}, True),
        (ANY, {"a": False, "b": True}, True),
        (ANY, {"a": False, "b": False}, False),
        (ANY, {"a": DOWN, "b": True}, True),
        (ONE, {"a": None, "b": MISSING}, None),
        (ONE, {"a": MISSING, "b": "result"}, "result"),
        (ONE, {"a": DOWN, "b": None}, None),
        (ONE, {"a": DOWN, "b": MISSING, "c": "result"}, "result"),
    ],
)
def test_results(fan_out: FanOut, outcomes: Mapping[str, object], result: object) -> None:
    assert combine(fan_out, outcomes) is result


@pytest.mark.parametrize(
    ("fan_out", "outcomes", "failures", "succeeded"),
    [
        (ALL, {"a": None, "b": DOWN}, {"b": DOWN}, ("a",)),
        (ALL, {"a": DOWN, "b": DENIED}, {"a": DOWN, "b": DENIED}, ()),
        (ALL, {"a": MISSING, "b": None}, {"a": MISSING}, ("b",)),
        (ANY, {"a": False, "b": DOWN}, {"b": DOWN}, ("a",)),
        (ANY, {"a": DOWN, "b": DENIED}, {"a": DOWN, "b": DENIED}, ()),
        (ONE, {"a": MISSING, "b": DOWN}, {"b": DOWN}, ()),
        (ONE, {"a": MISSING, "b": DOWN, "c": DENIED}, {"b": DOWN, "c": DENIED}, ()),
        (ONE, {"a": DOWN, "b": DENIED}, {"a": DOWN, "b": DENIED}, ()),
    ],
)
def test_failures_are_told_by_endpoint(
    fan_out: FanOut,
    outcomes: Mapping[str, object],
    failures: Mapping[str, ServiceError],
    succeeded: tuple[str, ...],
) -> None:
    with pytest.raises(EndpointsError) as caught:
        combine(fan_out, outcomes)
    assert caught.value.failures == failures
    assert caught.value.succeeded == succeeded


def test_the_error_says_which_endpoints_failed_which_did_it_and_when_to_come_back() -> None:
    with pytest.raises(EndpointsError) as caught:
        combine(ALL, {"a": None, "b": DOWN, "c": DENIED, "d": None})
    assert str(caught.value) == "Failed at b: down; c: denied; done at a, d"
    assert caught.value.retry_after == 3.0
    with pytest.raises(EndpointsError) as caught:
        combine(ALL, {"a": ServiceError("broken")})
    assert str(caught.value) == "Failed at a: broken"
    assert caught.value.retry_after is None


def test_a_connection_that_no_endpoint_has_is_not_found() -> None:
    with pytest.raises(ConnectionNotFoundError, match="no connection"):
        combine(ONE, {"a": MISSING, "b": MISSING})


async def test_both_clients_refuse_a_wrong_argument_with_several_endpoints() -> None:
    with scripted_service(lambda _: Reply(202)) as service:
        endpoints = [Endpoint(f"{service.url}/{name}", name=name) for name in ("a", "b")]
        key = CredentialSettings(CredentialKind.ACCESS_KEY, access_key="k" * 44)
        with (
            SignalRServiceClient(endpoints, key) as client,
            pytest.raises(InvalidArgumentError, match=r"^hub '1 chat' is not a hub name"),
        ):
            await asyncio.to_thread(client.send_to_all, "1 chat", "t")
        async with aio.SignalRServiceClient(endpoints, key) as awaitable:
            with pytest.raises(InvalidArgumentError, match=r"^target must not be empty"):
                await awaitable.send_to_all("chat", "")
    assert not [each for each in service.received if each.method != "HEAD"]
