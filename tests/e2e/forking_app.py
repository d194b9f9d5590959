"""An app that forks after it has used the service client, as a pre-forking server does.

CONTROL_URL, SERVICE_URLS (comma between them) and the identity come from the environment.
"""

import asyncio
import os
import signal
import time
import traceback

import jwt
from signalr_emulator.testing import RunningEmulator

from shared import CredentialKind, CredentialSettings, Endpoint, SignalRServiceClient, aio
from tests.e2e.service_clients import eventually

IDENTITY = CredentialSettings(CredentialKind.MANAGED_IDENTITY)
HOUR = 60 * 60


class App:
    def __init__(self) -> None:
        self.ahead = 0.0
        endpoints = [Endpoint(url) for url in os.environ["SERVICE_URLS"].split(",")]
        self.blocking = SignalRServiceClient(endpoints, IDENTITY, clock=self.now)
        self.awaitable = aio.SignalRServiceClient(endpoints, IDENTITY, clock=self.now)

    def now(self) -> float:
        return time.time() + self.ahead

    def key_id(self) -> str:
        access = self.blocking.get_client_access_token("chat", user_id="ann")
        return str(jwt.get_unverified_header(access.token)["kid"])

    def use(self, who: str) -> None:
        assert self.key_id()
        self.blocking.send_to_all("chat", "newMessage", [who])
        asyncio.run(self.use_awaitable(who))

    async def use_awaitable(self, who: str) -> None:
        await self.awaitable.get_client_access_token("chat", user_id="ann")
        await self.awaitable.send_to_all("chat", "newMessage", [who])

    def rotate(self) -> None:
        """Let an hour pass, after which a new key comes behind the callers' backs."""
        RunningEmulator("", os.environ["CONTROL_URL"], {}).advance_clock(HOUR)
        self.ahead = HOUR
        before = self.key_id()
        eventually(lambda: self.key_id() != before)


def main() -> None:
    app = App()
    app.use("parent")
    child = os.fork()
    if child == 0:
        # One that hangs must not outlive the test.
        signal.alarm(20)
        status = 1
        try:
            app.use("child")
            app.rotate()
            app.use("child")
            status = 0
        except BaseException:  # noqa: BLE001  the parent's copy of the program must not go on here
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    app.use("parent")
    app.blocking.close()
    asyncio.run(app.awaitable.close())


if __name__ == "__main__":
    main()
