"""The emulator that grows: `python -m bench.growth.server`, told by lines what to do.

It prints one line of JSON when it listens, and one for each line of JSON that comes: `["read"]`
asks how it is, `["send", hub, group, times]` sends to a group, or to everyone for "",
`["join", hub, users, groups, ttl]` puts users into groups, and `["advance", seconds]` sets its
clock forward.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from time import process_time
from typing import Final

from signalr_emulator import Config, running
from signalr_emulator.clients.hubs import deliver
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.open_files import raise_open_file_limit
from signalr_emulator.protocols.messages import Invocation
from signalr_emulator.protocols.supported import encoded
from signalr_emulator.state.resource import Resource
from signalr_emulator.transports.outgoing import Outgoing
from signalr_emulator.transports.timing import Timing
from signalr_emulator.websocket.frames import text_frame

__all__: list[str] = []

_LONGEST_LINE: Final = 1 << 24
"""Of what is asked, in bytes: names of many users or groups."""

_NEVER: Final = 3600.0
_MESSAGE: Final = encoded(Invocation("say", JsonText(json.dumps(["x" * 1024]).encode())))


@dataclass(slots=True)
class _Collections:
    """How long the garbage collector has held up everything at most, in seconds."""

    longest: float = 0.0
    began: float = 0.0

    def __call__(self, phase: str, _details: Mapping[str, int]) -> None:
        # Processor time, since others may have the core meanwhile.
        now = process_time()
        if phase == "start":
            self.began = now
        else:
            self.longest = max(self.longest, now - self.began)


class _Emulator:
    """Does what lines ask for, in the emulator's own process."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._hubs = resource.hubs
        self._collections = _Collections()
        gc.callbacks.append(self._collections)

    def read(self) -> Mapping[str, float]:
        """Tell the seconds of processor time and of the longest collection, and the clients."""
        return {
            "cpu": process_time(),
            "longest": self._collections.longest,
            "clients": sum(self._hubs.connection_counts().values()),
        }

    def send(self, hub: str, group: str, times: int) -> float:
        """Send messages, and give the seconds of processor time."""
        began = process_time()
        for _ in range(times):
            recipients = self._hubs.group(hub, group) if group else self._hubs.everyone(hub)
            deliver(Outgoing(_MESSAGE), recipients)
        return process_time() - began

    def join(self, hub: str, users: list[str], groups: list[str], ttl: int | None) -> float:
        """Put users into groups as its REST API does, and give the seconds of processor time."""
        began = process_time()
        for user, group in product(users, groups):
            self._resource.user_groups.add(hub, user, group, ttl)
        return process_time() - began


async def main() -> None:
    """Serve until the input ends."""
    timing = Timing(keep_alive=_NEVER, client_timeout=_NEVER, connect=_NEVER)
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async with running(Config(service_port=0, control_port=0, timing=timing)) as running_emulator:
        service = running_emulator.service
        resource = service.resources[0]
        key = resource.access_keys.issue()
        identity = service.identities.named_by({})
        ready = {
            "port": int(running_emulator.service_url.rpartition(":")[2]),
            "key_id": key.key_id,
            "secret": key.secret,
            "token": service.tenant.issue(identity, "https://signalr.azure.com").text,
            "frame_bytes": len(text_frame(Outgoing(_MESSAGE).json)),
        }
        print(json.dumps(ready), flush=True)
        emulator = _Emulator(resource)
        does: Mapping[str, Callable[..., object]] = {
            "read": emulator.read,
            "send": emulator.send,
            "join": emulator.join,
            "advance": service.clock.advance,
        }
        while line := await reader.readline():
            what, *arguments = json.loads(line)
            print(json.dumps(does[what](*arguments)), flush=True)


if __name__ == "__main__":
    raise_open_file_limit()
    asyncio.run(main())
