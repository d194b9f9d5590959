"""Users who log in at an issuer of bearer tokens, again and again, by a clock that is moved."""

import time
from typing import Any

from tests.e2e.processes import Emulator, FunctionApp
from tests.issuer import TestIssuer

__all__ = ["SESSION_SECONDS", "Login"]

SESSION_SECONDS = 600


class Login:
    """Logs users in for ten minutes, with one clock for issuer, app and service."""

    def __init__(self, issuer: TestIssuer, app: FunctionApp, service: Emulator) -> None:
        self._issuer = issuer
        self._app = app
        self._service = service
        self._ahead = service.advance_clock(0) - time.time()
        app.move_clock(self._ahead)

    def now(self) -> float:
        """Return what the clock says, in epoch seconds."""
        return time.time() + self._ahead

    def token(self, seconds: float = SESSION_SECONDS, **claims: Any) -> str:  # noqa: ANN401  JSON
        """Return a bearer token that is good for so long."""
        return self._issuer.token(exp=self.now() + seconds, nbf=self.now() - 1, **claims)

    def wait(self, seconds: float) -> None:
        """Let time pass for all of them."""
        self._ahead += seconds
        self._app.move_clock(self._ahead)
        self._service.advance_clock(seconds)
