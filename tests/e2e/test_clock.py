"""The emulator's clock is moved ahead and back, and the app's stays where it is."""

from pathlib import Path

import requests

from tests.e2e.processes import PATIENCE, Emulator, FunctionApp, client, emulator, function_app

HOUR = 3600


def works(service: Emulator, app: FunctionApp) -> None:
    assert service.admits(app.negotiate()) == 200
    assert app.post("broadcast", {"target": "t"}).status_code == 202
    assert requests.get(f"{app.url}/health", timeout=PATIENCE).json() == {"status": "ok"}


def test_an_app_goes_on_by_itself_once_the_clock_is_back(tmp_path: Path) -> None:
    with (
        emulator(tmp_path / "emulator.log") as service,
        function_app(service.app_settings, tmp_path) as app,
    ):
        works(service, app)
        service.advance_clock(HOUR)
        # The key is good for half an hour more, and the tokens are too old when they are made.
        assert app.post("broadcast", {"target": "t"}).status_code == 202
        assert service.admits(app.negotiate()) == 401
        # Neither the key nor the app's Entra token outlives this.
        service.advance_clock(25 * HOUR)
        assert service.admits(app.negotiate()) == 401
        service.reset_clock()
        works(service, app)
        with client(app.url) as connected:
            connected.connection_id()


def test_what_an_app_got_while_the_clock_was_ahead_is_good_when_it_is_back(tmp_path: Path) -> None:
    with emulator(tmp_path / "emulator.log") as service:
        service.advance_clock(25 * HOUR)
        with function_app(service.app_settings, tmp_path) as app:
            assert service.admits(app.negotiate()) == 401
            service.reset_clock()
            works(service, app)
