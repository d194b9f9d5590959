import jwt
import pytest

from shared import CredentialKind, CredentialSettings, SignalRServiceClient
from shared.errors import InvalidArgumentError

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
