"""One endpoint in use: how it fetches and tries access keys, in virtual time."""

import json

from azure.core.credentials import AccessToken

from shared.endpoints.endpoint import ServiceEndpoint, TokenRequest
from shared.identity.entra_tokens import EntraTokens
from shared.keys.thread import RotationThread
from shared.settings.endpoint import Endpoint
from shared.transport.flow import Effect, EffectResult, GetToken, Request, Response

HOUR = 3_600.0


class Credential:
    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken("e30.e30.sig", 2**40)


class Service:
    """Gives keys, and knows none of them; a trial takes as long as a test says."""

    def __init__(self, trial: float) -> None:
        self.now = 1_000_000.0
        self.given = 0
        self._trial = trial

    def perform(self, effect: Effect) -> EffectResult:
        match effect:
            case GetToken(source, url, rejected):
                return source.get(url, rejected)
            case Request(operation="access_key"):
                self.given += 1
                key = {"AccessKey": "s" * 44, "KeyId": f"key-{self.given}"}
                return Response(200, {}, json.dumps(key).encode())
            case _:
                self.now += self._trial
                return Response(401, {})


def key_after_a_trial(trial: float) -> str | None:
    """Return the key in use after a trial of the second one, an hour after the first one came."""
    service = Service(trial)
    endpoint = ServiceEndpoint(
        Endpoint("https://a.bc"),
        EntraTokens(Credential, clock=lambda: service.now, spawn=lambda work: work()),
        service.perform,
        clock=lambda: service.now,
        steady=lambda: service.now,
        jitter=lambda: 0.0,
        spawn=lambda _: None,
    )
    keys = endpoint.keys
    assert isinstance(keys, RotationThread)
    keys.ask()
    keys.run_once()
    key = keys.current()
    assert key is not None
    endpoint.sign(key, TokenRequest("chat", None, None, 3600.0))
    service.now += HOUR
    for _ in ("fetch", "trial"):
        keys.run_once()
    assert service.given == 2
    in_use = keys.current()
    return in_use.key_id if in_use else None


def test_a_key_that_the_service_does_not_know_yet_is_not_used_while_the_old_one_is_good() -> None:
    assert key_after_a_trial(0.1) == "key-1"


def test_a_refusal_that_comes_when_the_token_of_the_trial_has_ended_holds_no_key_back() -> None:
    assert key_after_a_trial(3_660.0) == "key-2"
