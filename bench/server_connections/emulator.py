"""The emulator, whose clients an app server answers: `python -m bench.server_connections.emulator`.

It has the mode Default, and knows no silence: clients that wait for their turn say nothing.
"""

import asyncio
from time import time
from typing import Final

import jwt
from signalr_emulator import Config, running
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.transports.timing import Timing

from ..meter import answer_readings

_NEVER: Final = 3600.0
_VALID: Final = 600
_HUB: Final = "echo"


async def main() -> None:
    """Serve until the input ends."""
    config = Config(
        service_port=0,
        control_port=0,
        service_mode=ServiceMode.DEFAULT,
        timing=Timing(keep_alive=_NEVER, client_timeout=_NEVER),
    )
    async with running(config) as emulator:
        key = emulator.service.resources[0].access_keys.issue()

        def token(path: str) -> str:
            claims = {"aud": f"http://localhost{path}", "exp": int(time()) + _VALID}
            return jwt.encode(claims, key.secret, "HS256", headers={"kid": key.key_id})

        client, peer = f"/client/?hub={_HUB}", f"/server/?hub={_HUB}"
        await answer_readings(
            {
                "port": int(emulator.service_url.rpartition(":")[2]),
                "client": f"{client}&access_token={token(client)}",
                "peer": peer,
                "token": token(peer),
            }
        )


if __name__ == "__main__":
    asyncio.run(main())
