"""Sign-ins that are renewed today: by the module for JavaScript, and by the example in Python."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncGenerator, Iterator
from typing import cast

import pytest

from examples.renewed_sign_in import RenewedConnection, Timing
from tests.e2e.bearer_login import SESSION_SECONDS, Login
from tests.e2e.processes import E2E, PATIENCE, Client, Emulator, FunctionApp, function_app
from tests.issuer import TestIssuer


def test_the_module_renews_under_the_real_client() -> None:
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=spec", "authentication_refresh.test.mjs"],
        cwd=E2E,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def app(
    service: Emulator, issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    settings = {
        **service.app_settings,
        **issuer.app_settings,
        "NEGOTIATE_CLOSE_ON_EXPIRATION": "true",
    }
    with function_app(settings, tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture
def login(issuer: TestIssuer, app: FunctionApp, service: Emulator) -> Login:
    return Login(issuer, app, service)


def say(app: FunctionApp, text: str, **recipient: str) -> None:
    message = {"target": "newMessage", "arguments": [text], **recipient}
    assert app.post("broadcast", message).status_code == 202


@contextlib.contextmanager
def javascript(app: FunctionApp, login: Login, transport: str, renews: str) -> Iterator[Client]:
    client = Client("renewing_client.mjs", app.url, transport, renews, login.token())
    try:
        yield client
    finally:
        client.stop()


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
def test_who_renews_stays_connected_where_others_end(
    app: FunctionApp, login: Login, transport: str
) -> None:
    with (
        javascript(app, login, transport, "renews") as ann,
        javascript(app, login, transport, "does not") as bob,
    ):
        _, connection_id = bob.connection_id(), ann.connection_id()
        for renewal in ("first", "second"):
            login.wait(400)
            ann.call("renew", login.token())
            assert ann.next("renewed")["lifetime"] in range(SESSION_SECONDS - 30, SESSION_SECONDS)
            # To her alone: his poll, if he has one, stays open.
            say(app, renewal, connectionId=connection_id)
            assert ann.message() == [renewal]
        assert bob.next("reconnecting")["error"] is None, "the service allows it to come back"


class Listener:
    """The example in Python, whose waits last until the test says that they are over."""

    def __init__(self, app: FunctionApp, login: Login, chance: float = 0) -> None:
        self._login = login
        self._waits: asyncio.Queue[float] = asyncio.Queue()
        self._over: asyncio.Queue[None] = asyncio.Queue()
        self.is_signed_in = True
        self.user = "ann"
        self.waits = 0
        timing = Timing(now=login.now, sleep=self._sleep, chance=lambda: chance)
        self._messages = RenewedConnection(app.url, self._token, timing).messages()
        self._next = asyncio.create_task(anext(self._messages, None))

    async def _token(self) -> str:
        return self._login.token(sub=self.user) if self.is_signed_in else "nonsense"

    async def _sleep(self, seconds: float) -> None:
        self.waits += 1
        self._waits.put_nowait(seconds)
        await self._over.get()

    async def wait(self) -> float:
        """Return how long the example waits."""
        return await asyncio.wait_for(self._waits.get(), PATIENCE)

    def go_on(self) -> None:
        """Let its wait be over."""
        self._over.put_nowait(None)

    async def next(self) -> list[str] | None:
        """Return the arguments of the next message; `None` when the connection has ended."""
        message = await asyncio.wait_for(self._next, PATIENCE)
        self._next = asyncio.create_task(anext(self._messages, None))
        return None if message is None else cast("list[str]", message["arguments"])

    async def stop(self) -> None:
        self._next.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._next
        await self._messages.aclose()


@contextlib.asynccontextmanager
async def listener(app: FunctionApp, login: Login, chance: float = 0) -> AsyncGenerator[Listener]:
    running = Listener(app, login, chance)
    try:
        yield running
    finally:
        await running.stop()


async def test_the_example_outlives_its_first_sign_in(app: FunctionApp, login: Login) -> None:
    async with listener(app, login) as ann:
        for text in ("once", "twice", "three times"):
            seconds = await ann.wait()
            assert seconds == pytest.approx(SESSION_SECONDS / 2, abs=10)
            login.wait(seconds)
            ann.go_on()
            say(app, text)
            assert await ann.next() == [text]
        await ann.wait()


async def test_the_example_tries_again_until_its_sign_in_ends(
    app: FunctionApp, login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    async with listener(app, login, chance=0.5) as ann:
        left = float(SESSION_SECONDS)
        for _ in range(2):
            seconds = await ann.wait()
            ann.is_signed_in = False
            assert seconds == pytest.approx(left / 2 * 0.95, abs=10), "chance keeps clients apart"
            login.wait(seconds)
            left -= seconds
            ann.go_on()
        await ann.wait()
        assert "401" in capsys.readouterr().out
        login.wait(left)
        assert await ann.next() is None, "the service has ended the connection"


async def test_the_example_waits_as_long_as_a_busy_app_asks(
    app: FunctionApp, login: Login, service: Emulator
) -> None:
    async with listener(app, login, chance=0.5) as ann:
        await ann.wait()
        busy = service.add_fault(operation="refreshAuth", status=503, headers={"Retry-After": "40"})
        ann.go_on()
        assert await ann.wait() == 42, "never before, and clients apart"
        service.clear_fault(busy)
        login.wait(42)
        ann.go_on()
        assert await ann.wait() == pytest.approx(SESSION_SECONDS / 2 * 0.95, abs=10), (
            "it is renewed"
        )


async def test_the_example_takes_a_refusal_as_final(
    app: FunctionApp, login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    async with listener(app, login) as ann:
        await ann.wait()
        ann.user = "somebody else"
        ann.go_on()
        async with asyncio.timeout(PATIENCE):
            while "The app answered 403" not in capsys.readouterr().out:  # noqa: ASYNC110  a print
                await asyncio.sleep(0.01)
        say(app, "still here")
        assert await ann.next() == ["still here"]
        assert ann.waits == 1
