"""When an issuer is asked for its keys, and what becomes of callers whose issuer has a fault."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import jwt
import pytest

from shared.functions.issuers.bearer import BearerVerifier, InvalidTokenError, Issuer
from shared.functions.problems import ProblemError
from shared.transport.http import Timeouts
from tests.issuer import AUDIENCE, DESCRIPTION, KEYS, TestIssuer, running_issuer
from tests.scripted_service import HANG_UP, Received, Reply, ScriptedService, scripted_service

PATIENCE = 10.0
CALLERS = 1000


@dataclass
class Steady:
    """A clock that is moved."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer() -> Iterator[TestIssuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def verifier(issuer: TestIssuer, steady: Steady) -> BearerVerifier:
    return BearerVerifier([Issuer(issuer.url, (AUDIENCE,))], steady)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    """A proxy that the environment names, and that gets nowhere."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with scripted_service(lambda _: Reply(502)) as running:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, running.url)
        yield running


def answer(document: object) -> Reply:
    return Reply(200, body=json.dumps(document).encode())


async def unavailable(verifier: BearerVerifier, token: str) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        await verifier.verify(token)
    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"] == "5"
    return caught.value


async def refused(verifier: BearerVerifier, token: str) -> None:
    with pytest.raises(InvalidTokenError):
        await verifier.verify(token)


async def test_keys_are_asked_for_once_in_five_minutes(
    issuer: TestIssuer, verifier: BearerVerifier, steady: Steady
) -> None:
    for _ in range(3):
        await verifier.verify(issuer.token())
        steady.seconds += 149
    assert issuer.requests == [DESCRIPTION, KEYS]
    await verifier.verify(issuer.token())
    assert issuer.requests == [DESCRIPTION, KEYS] * 2


async def test_keys_can_have_an_address_of_their_own(issuer: TestIssuer) -> None:
    elsewhere = Issuer("https://issuer.example", (AUDIENCE,), f"{issuer.url}/keys")
    token = issuer.token(iss="https://issuer.example")
    assert (await BearerVerifier([elsewhere]).verify(token))["sub"] == "ann"
    assert issuer.requests == [KEYS]


async def test_unknown_keys_do_not_flood_the_issuer(
    issuer: TestIssuer, verifier: BearerVerifier, steady: Steady
) -> None:
    for seconds in range(29):
        steady.seconds = seconds
        await refused(verifier, issuer.token(headers={"kid": f"made-up-{seconds}"}))
    assert issuer.requests.count(KEYS) == 1


async def test_a_new_key_of_the_issuer_is_fetched_after_half_a_minute(
    issuer: TestIssuer, verifier: BearerVerifier, steady: Steady
) -> None:
    await verifier.verify(issuer.token())
    issuer.rotate()
    steady.seconds = 29
    await refused(verifier, issuer.token())
    steady.seconds = 30
    await verifier.verify(issuer.token())


async def test_keys_that_cannot_be_used_are_passed_over(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    good = issuer.public_jwk()
    odd: list[object] = [
        5,
        None,
        [],
        {},
        {"kid": "a"},
        good | {"kid": "b", "kty": "?"},
        good | {"kid": "c", "alg": ["RS256"]},
        good | {"kid": "d", "n": 5},
        good | {"kid": ["e"]},
        good | {"kid": issuer.key_id, "use": "enc", "n": "AQAB"},
    ]
    issuer.replies[KEYS] = answer({"keys": [*odd, good]})
    await verifier.verify(issuer.token())


RUBBISH = [
    pytest.param(HANG_UP, id="hangs up"),
    pytest.param(Reply(503), id="is down"),
    pytest.param(Reply(404, body=b'{"keys": []}'), id="has nothing there"),
    pytest.param(Reply(200, body=b"<html>Sign in</html>"), id="a page"),
    pytest.param(Reply(200), id="nothing"),
    pytest.param(Reply(200, body=b'{"keys": [{"kty": "RS'), id="cut"),
    pytest.param(Reply(200, body=b'{"keys": "\xff"}'), id="no text"),
    pytest.param(Reply(200, body=b"[" * 100_000), id="nested too deep"),
    pytest.param(answer(None), id="null"),
    pytest.param(answer([]), id="an array"),
    pytest.param(answer("keys"), id="a text"),
    pytest.param(answer({}), id="an empty object"),
]


@pytest.mark.parametrize("reply", RUBBISH)
@pytest.mark.parametrize("path", [DESCRIPTION, KEYS])
async def test_an_answer_that_is_none_is_no_fault_of_the_caller(
    issuer: TestIssuer, verifier: BearerVerifier, steady: Steady, path: str, reply: Reply
) -> None:
    issuer.replies[path] = reply
    problem = await unavailable(verifier, issuer.token())
    assert issuer.url in problem.detail
    del issuer.replies[path]
    steady.seconds = 5
    await verifier.verify(issuer.token())


async def test_a_key_whose_private_part_is_published_proves_nothing(
    issuer: TestIssuer, verifier: BearerVerifier
) -> None:
    private = jwt.algorithms.RSAAlgorithm.to_jwk(issuer.key, as_dict=True)
    issuer.replies[KEYS] = answer({"keys": [private | {"kid": issuer.key_id}]})
    await unavailable(verifier, issuer.token())


@pytest.mark.parametrize("keys", [None, 5, "keys", {}, [], [5], [{}], [{"kty": "RSA", "kid": "a"}]])
async def test_a_set_without_keys_is_no_fault_of_the_caller(
    issuer: TestIssuer, verifier: BearerVerifier, keys: object
) -> None:
    issuer.replies[KEYS] = answer({"keys": keys})
    await unavailable(verifier, issuer.token())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": None}, "another issuer, None"),
        ({"issuer": "https://other.example\nERROR"}, "another issuer, "),
        ({"jwks_uri": None}, "jwks_uri None"),
        ({"jwks_uri": 5}, "jwks_uri 5"),
        ({"jwks_uri": "/keys"}, "no https address"),
        ({"jwks_uri": "http://issuer.invalid/keys"}, "no https address"),
        ({"jwks_uri": "http://127.0.0.1.issuer.invalid/keys"}, "no https address"),
        ({"jwks_uri": "https://[issuer/keys"}, "no https address"),
        ({"jwks_uri": "https:///keys"}, "no https address"),
        ({"jwks_uri": "file:///etc/passwd"}, "no https address"),
        ({"jwks_uri": "https://issuer invalid/keys"}, "does not answer"),
        ({"jwks_uri": "https://\ud800.invalid/keys"}, "does not answer"),
    ],
)
async def test_a_description_that_leads_astray_is_not_followed(
    issuer: TestIssuer,
    verifier: BearerVerifier,
    proxy: ScriptedService,
    *,
    changed: dict[str, object],
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    right = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}{KEYS}"}
    issuer.replies[DESCRIPTION] = answer(right | changed)
    await unavailable(verifier, issuer.token())
    (record,) = caplog.records
    assert said in record.getMessage()
    assert "\n" not in record.getMessage()
    assert issuer.requests == [DESCRIPTION]
    assert proxy.received == []


@pytest.mark.parametrize("path", [DESCRIPTION, KEYS])
async def test_redirects_are_not_followed(
    issuer: TestIssuer, verifier: BearerVerifier, path: str
) -> None:
    with running_issuer() as other:
        issuer.replies[path] = Reply(302, {"Location": f"{other.url}{path}"})
        await unavailable(verifier, issuer.token())
        assert other.requests == []


async def test_an_answer_of_many_megabytes_is_given_up(
    issuer: TestIssuer, verifier: BearerVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    keys = json.dumps({"keys": [issuer.public_jwk()]}).encode()
    issuer.replies[KEYS] = Reply(200, body=keys.ljust(2**21))
    await unavailable(verifier, issuer.token())
    assert "too large" in caplog.text


async def test_a_silent_issuer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("shared.functions.issuers.keys._TIMEOUTS", Timeouts(read=0.1))
    over = threading.Event()

    def silent(_: Received) -> Reply:
        over.wait(PATIENCE)
        return HANG_UP

    with scripted_service(silent) as service:
        verifier = BearerVerifier([Issuer(service.url, (AUDIENCE,))])
        await unavailable(verifier, TestIssuer(url=service.url).token())
        over.set()
    assert "timed out" in caplog.text


@dataclass
class Gate:
    """Holds up an issuer's answers."""

    asked: threading.Event
    opened: threading.Event
    issuer: TestIssuer

    def answer(self, request: Received) -> Reply:
        self.asked.set()
        assert self.opened.wait(PATIENCE)
        return self.issuer.answer(request)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate(threading.Event(), threading.Event(), TestIssuer())
    with scripted_service(gate.answer) as service:
        gate.issuer.url = service.url
        yield gate
        gate.opened.set()


async def test_however_many_callers_wait_for_one_request_and_take_one_thread(gate: Gate) -> None:
    verifier = BearerVerifier([Issuer(gate.issuer.url, (AUDIENCE,))])
    token = gate.issuer.token()
    callers = [asyncio.create_task(verifier.verify(token)) for _ in range(CALLERS)]
    assert await asyncio.to_thread(gate.asked.wait, PATIENCE)
    waiting = [each for each in threading.enumerate() if "issuer-keys" in each.name]
    assert len(waiting) == 1
    gate.opened.set()
    assert {claims["sub"] for claims in await asyncio.gather(*callers)} == {"ann"}
    assert gate.issuer.requests == [DESCRIPTION, KEYS]
    await asyncio.to_thread(waiting[0].join, PATIENCE)
    assert not waiting[0].is_alive()


async def test_callers_of_an_issuer_that_is_down_ask_it_once_in_five_seconds(
    gate: Gate, steady: Steady, caplog: pytest.LogCaptureFixture
) -> None:
    gate.issuer.replies[DESCRIPTION] = HANG_UP
    verifier = BearerVerifier([Issuer(gate.issuer.url, (AUDIENCE,))], steady)
    token = gate.issuer.token()
    callers = [asyncio.create_task(unavailable(verifier, token)) for _ in range(CALLERS)]
    assert await asyncio.to_thread(gate.asked.wait, PATIENCE)
    # It takes its time, and what counts is when it has failed.
    steady.seconds = 100
    gate.opened.set()
    await asyncio.gather(*callers)
    steady.seconds = 104.9
    await unavailable(verifier, token)
    assert gate.issuer.requests == [DESCRIPTION]
    assert caplog.text.count("No keys of") == 1
    steady.seconds = 105
    await unavailable(verifier, token)
    assert gate.issuer.requests == [DESCRIPTION] * 2


async def test_who_gives_up_takes_nothing_from_the_others(gate: Gate) -> None:
    verifier = BearerVerifier([Issuer(gate.issuer.url, (AUDIENCE,))])
    first, second = (asyncio.create_task(verifier.verify(gate.issuer.token())) for _ in range(2))
    assert await asyncio.to_thread(gate.asked.wait, PATIENCE)
    first.cancel()
    gate.opened.set()
    assert (await second)["sub"] == "ann"
    assert first.cancelled()


async def test_keys_serve_while_the_issuer_is_down_until_they_are_old(
    issuer: TestIssuer, verifier: BearerVerifier, steady: Steady
) -> None:
    await verifier.verify(issuer.token())
    issuer.replies[DESCRIPTION] = HANG_UP
    steady.seconds = 299
    await unavailable(verifier, issuer.token(headers={"kid": "perhaps new"}))
    await verifier.verify(issuer.token())
    steady.seconds = 304
    await unavailable(verifier, issuer.token())


async def test_a_system_without_threads_is_no_fault_of_the_caller(
    issuer: TestIssuer,
    verifier: BearerVerifier,
    steady: Steady,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without_threads:
        without_threads.setattr(threading.Thread, "start", start)
        await unavailable(verifier, issuer.token())
    steady.seconds = 5
    await verifier.verify(issuer.token())


async def test_an_issuer_on_this_machine_is_not_asked_through_a_proxy(
    issuer: TestIssuer, verifier: BearerVerifier, proxy: ScriptedService
) -> None:
    await verifier.verify(issuer.token())
    assert proxy.received == []


async def test_any_other_issuer_is_asked_through_the_proxy(proxy: ScriptedService) -> None:
    verifier = BearerVerifier([Issuer("https://issuer.invalid", (AUDIENCE,))])
    await unavailable(verifier, TestIssuer(url="https://issuer.invalid").token())
    assert [(each.method, each.path) for each in proxy.received] == [
        ("CONNECT", "issuer.invalid:443")
    ]
