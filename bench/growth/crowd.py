"""Clients of the growing emulator: `python -m bench.growth.crowd`, told by lines what to do.

The first line of JSON has where the emulator listens, its key, the crowd's name, and from which
address it connects. Then `["connect", hubs]` connects a user to each of them, whose names begin
with that of the crowd and end with their number, `["drain"]` reads what has come, and
`["close", count]` closes those that came last. Each is answered by a line when it is done, that of
`["drain"]` with the number of bytes.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import jwt
from signalr_emulator.open_files import raise_open_file_limit

from ..fanout.clients import Clients

__all__: list[str] = []

_LIFETIME: Final = 3600


def main() -> None:
    """Do what comes until the input ends."""
    raise_open_file_limit()
    where = json.loads(sys.stdin.readline())
    with Clients() as clients:
        does: Mapping[str, Callable[..., object]] = {
            "connect": partial(_connect, clients, where),
            "drain": clients.drain,
            "close": clients.close,
        }
        for line in sys.stdin:
            what, *arguments = json.loads(line)
            print(json.dumps(does[what](*arguments)), flush=True)


def _connect(clients: Clients, where: Mapping[str, str], hubs: Sequence[str]) -> None:
    # All of them first, so that the emulator does not wait for a signature.
    paths = [
        f"/client/?hub={hub}&access_token={_token(where, hub, number)}"
        for number, hub in enumerate(hubs, start=len(clients))
    ]
    clients.connect(int(where["port"]), paths, is_signalr=True, source=where["source"])


def _token(where: Mapping[str, str], hub: str, number: int) -> str:
    claims = {
        "aud": f"http://localhost/client/?hub={hub}",
        "exp": int(time.time()) + _LIFETIME,
        "asrs.s.uid": f"{where['name']}{number}",
    }
    return jwt.encode(claims, where["secret"], "HS256", headers={"kid": where["key_id"]})


if __name__ == "__main__":
    main()
