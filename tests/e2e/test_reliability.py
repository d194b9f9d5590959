"""The promises of docs/reliability.md about the access key, each cell of the table tried."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import (
    ClientAccess,
    CredentialKind,
    CredentialSettings,
    RetryPolicy,
    ServiceUnavailableError,
    Timeouts,
)
from shared.aio import SignalRServiceClient

_DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
_MINUTE = 60.0
_TIMEOUT = 0.5
_ENTRA_TOKEN = 24 * 60 * _MINUTE
"""Seconds that the Entra token of a managed identity lasts."""

IDENTITY, AUTH_API = "identity", "getAccessKey"
FAULTS: Mapping[str, Mapping[str, object]] = {
    "identity endpoint answers 500": {"operation": IDENTITY, "status": 500},
    "identity endpoint answers nonsense": {"operation": IDENTITY, "status": 200, "body": "<html>"},
    "identity endpoint hangs": {"operation": IDENTITY, "action": "freeze"},
    "auth API answers 401": {"operation": AUTH_API, "status": 401},
    "auth API answers 403": {"operation": AUTH_API, "status": 403},
    "auth API answers 404": {"operation": AUTH_API, "status": 404},
    "auth API answers 429, Retry-After 60": {
        "operation": AUTH_API,
        "status": 429,
        "headers": {"Retry-After": "60"},
    },
    "auth API answers 429, Retry-After a day": {
        "operation": AUTH_API,
        "status": 429,
        "headers": {"Retry-After": "86400"},
    },
    "auth API answers 500": {"operation": AUTH_API, "status": 500},
    "auth API answers 503": {"operation": AUTH_API, "status": 503},
    "auth API answers nonsense": {"operation": AUTH_API, "status": 200, "body": '{"AccessKey":'},
    "auth API hangs": {"operation": AUTH_API, "action": "freeze"},
    "auth API resets connections": {"operation": AUTH_API, "action": "reset"},
    "service does not know the new key": {"action": "unknownKey", "operation": "negotiate"},
}
REFUSED = "identity endpoint refuses connections"
AGES = {"no key yet": None, "10 minutes": 10, "61 minutes": 61, "91 minutes": 91}


@dataclass(frozen=True)
class Case:
    fault: str
    age: int | None
    expected: str
    heals: float


def cases() -> Iterator[Case]:
    text = _DOCUMENT.read_text()
    rows = [line for line in text.splitlines() if re.search(r"\| \d+ s \|$", line)]
    for row in rows:
        fault, *cells, heals = [cell.strip(" `") for cell in row.strip("|").split("|")]
        for age, expected in zip(AGES.values(), cells, strict=True):
            yield Case(fault, age, expected, float(heals.removesuffix(" s")))


CASES = list(cases())


@dataclass
class Clock:
    """Moves the emulator and the client through time together."""

    emulator: RunningEmulator
    ahead: float = field(default=0.0)

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.emulator.advance_clock(seconds)
        self.ahead += seconds


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def clock(emulator: RunningEmulator) -> Iterator[Clock]:
    now = emulator.advance_clock(0.0)
    yield Clock(emulator, now - time.time())
    emulator.clear_faults()


def begin(case: Case, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.fault == REFUSED:
        monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    elif case.fault != "none":
        emulator.add_fault(**FAULTS[case.fault])  # type: ignore[arg-type]  # JSON, read as a table


def end(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.clear_faults()
    monkeypatch.setenv("IDENTITY_ENDPOINT", emulator.app_settings["IDENTITY_ENDPOINT"])


def opened(emulator: RunningEmulator, clock: Clock) -> SignalRServiceClient:
    return SignalRServiceClient(
        emulator.service_url,
        CredentialSettings(CredentialKind.MANAGED_IDENTITY, timeout=_TIMEOUT),
        policy=RetryPolicy(attempts=2, first_delay=0.01),
        timeouts=Timeouts(read=_TIMEOUT),
        clock=clock,
    )


async def prepare(client: SignalRServiceClient, clock: Clock) -> None:
    """Give the client a new key, and an Entra token that ends an hour later."""
    await client.get_client_access_token("chat")
    clock.advance(_ENTRA_TOKEN - 60 * _MINUTE)
    await client.get_client_access_token("chat")


def at_once(client: SignalRServiceClient) -> ClientAccess:
    """Negotiate without ever waiting: the coroutine ends before it suspends."""
    negotiation = client.get_client_access_token("chat")
    try:
        negotiation.send(None)
    except StopIteration as stop:
        access: ClientAccess = stop.value
        return access
    negotiation.close()
    pytest.fail("the negotiation waits")


def key_of(client: SignalRServiceClient) -> str | None:
    return client.state[0].key.key_id


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does right after an event that a test can see."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never happened")


async def until_refreshed(client: SignalRServiceClient, old: str | None) -> None:
    """Wait for the refresh in the background: until it has failed, or has brought a new key."""
    await eventually(lambda: client.state[0].key.error is not None or key_of(client) != old)


def admitted(access: ClientAccess) -> bool:
    url = access.url.replace("/client/?", "/client/negotiate?")
    headers = {"Authorization": f"Bearer {access.token}"}
    return requests.post(url, headers=headers, timeout=10).status_code == 200


async def meets(client: SignalRServiceClient, case: Case) -> ClientAccess | None:
    """Negotiate while the fault lasts, and see that it comes to what the table says."""
    if case.expected == "served":
        return at_once(client)
    if case.expected == "waits":
        with pytest.raises(pytest.fail.Exception):
            at_once(client)
        return await client.get_client_access_token("chat")
    with pytest.raises(ServiceUnavailableError) as caught:
        await client.get_client_access_token("chat")
    assert type(caught.value.__cause__).__name__ == case.expected
    return None


def test_the_table_and_the_faults_name_each_other() -> None:
    assert {case.fault for case in CASES} == {*FAULTS, REFUSED, "none"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault}, {case.age} min")
async def test_the_access_key_under_a_fault(
    case: Case, emulator: RunningEmulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.app_settings[name])
    async with opened(emulator, clock) as client:
        if case.age is not None:
            await prepare(client, clock)
        old = key_of(client)
        # Before time passes, since the refresh begins whenever its thread looks at the clock.
        begin(case, emulator, monkeypatch)
        clock.advance((case.age or 0) * _MINUTE)
        access = await meets(client, case)
        if case.age == AGES["61 minutes"]:
            await until_refreshed(client, old)
            if case.fault != "none":
                assert client.degraded
                assert key_of(client) == old
                at_once(client)
        end(emulator, monkeypatch)
        assert access is None or admitted(access)

        clock.advance(case.heals)
        healed = await client.get_client_access_token("chat")
        assert admitted(healed)
        if case.age == AGES["61 minutes"]:
            await eventually(lambda: key_of(client) != old)
        # The thread that has got the key says so a moment after it is used.
        await eventually(lambda: not client.degraded)


@pytest.fixture
async def client(
    emulator: RunningEmulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SignalRServiceClient]:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, emulator.app_settings[name])
    async with opened(emulator, clock) as running:
        yield running


async def test_a_wall_clock_that_is_set_forward_ends_the_key(
    client: SignalRServiceClient, clock: Clock
) -> None:
    await client.get_client_access_token("chat")
    old = key_of(client)
    clock.ahead += 120 * _MINUTE
    with pytest.raises(pytest.fail.Exception):
        at_once(client)
    await client.get_client_access_token("chat")
    assert key_of(client) != old


async def test_a_wall_clock_that_is_set_back_replaces_the_key_and_keeps_nobody_waiting(
    client: SignalRServiceClient, clock: Clock
) -> None:
    clock.ahead += 60 * _MINUTE
    await client.get_client_access_token("chat")
    old = key_of(client)
    clock.ahead -= 60 * _MINUTE
    at_once(client)
    await eventually(lambda: key_of(client) != old)
    assert not client.degraded


async def test_thousands_of_callers_are_served_while_the_refresh_hangs(
    client: SignalRServiceClient, clock: Clock, emulator: RunningEmulator
) -> None:
    await client.get_client_access_token("chat")
    old = key_of(client)
    emulator.add_fault(operation=AUTH_API, action="freeze")
    clock.advance(61 * _MINUTE)
    for _ in range(5000):
        at_once(client)
    await until_refreshed(client, old)
    assert client.degraded


async def test_thousands_of_cold_callers_share_one_refusal_and_one_recovery(
    client: SignalRServiceClient, clock: Clock, emulator: RunningEmulator
) -> None:
    started = time.monotonic()
    emulator.add_fault(operation=AUTH_API, status=403)
    refusals = await asyncio.gather(
        *(client.get_client_access_token("chat") for _ in range(2000)), return_exceptions=True
    )
    assert {type(each) for each in refusals} == {ServiceUnavailableError}
    # A machine that takes longer than a second for so many callers sees the next try as well.
    assert refused_requests(emulator) <= 1 + int(time.monotonic() - started)
    emulator.clear_faults()
    clock.advance(2.0)
    granted = await asyncio.gather(*(client.get_client_access_token("chat") for _ in range(2000)))
    assert len({header_of(each) for each in granted}) == 1


def refused_requests(emulator: RunningEmulator) -> int:
    answer = requests.get(f"{emulator.control_url}/emulator/faults", timeout=5)
    return sum(fault["applied"] for fault in answer.json()["faults"])


def header_of(access: ClientAccess) -> str:
    """Return the token's header, which names its key."""
    return access.token.partition(".")[0]
