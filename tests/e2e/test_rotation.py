"""Hours of rotation in seconds: the clocks of emulator and app are moved together."""

import re
from pathlib import Path

import jwt

from tests.e2e.processes import client, emulator, function_app

MINUTE = 60.0


def test_negotiation_never_fails_and_every_token_is_good_until_it_ends(tmp_path: Path) -> None:
    with (
        emulator(tmp_path / "emulator.log") as service,
        function_app(service.app_settings, tmp_path) as app,
    ):
        start = app.negotiate()
        begin = jwt.decode(start["accessToken"], options={"verify_signature": False})["iat"]
        handed_out = [start]
        key_ids = {jwt.get_unverified_header(start["accessToken"])["kid"]}
        for step in range(1, 37):
            service.advance_clock(5 * MINUTE)
            app.move_clock(step * 5 * MINUTE)
            handed_out.append(app.negotiate())
            key_ids.add(jwt.get_unverified_header(handed_out[-1]["accessToken"])["kid"])
            now = begin + step * 5 * MINUTE
            for each in handed_out:
                claims = jwt.decode(each["accessToken"], options={"verify_signature": False})
                # A few seconds pass while this runs.
                if now < claims["exp"] - MINUTE:
                    assert service.admits(each) == 200, claims
                elif now >= claims["exp"]:
                    assert service.admits(each) == 401, claims
        # Three hours: the first key and a new one about every hour.
        assert 3 <= len(key_ids) <= 4
        # The newest one may have come behind the last negotiation's back.
        assert service.state()["keyRequests"] - len(key_ids) in {0, 1}

        with client(app.url) as late:
            late.connection_id()
            assert app.post("broadcast", {"target": "newMessage", "arguments": [1]}).ok
            assert late.message() == [1]

        # No token, signature or key ever got into a log.
        logs = app.process.output + service.process.output
        assert not re.search(r"eyJ[\w-]+\.[\w-]+", logs)
