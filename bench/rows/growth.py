"""What costs grow with: `python -m bench.rows.growth`.

Each table holds the largest size against the smallest. Where nothing more is touched, the cost may
not grow; where more is, it may grow as that does. Negotiations are those of the service client with
an access key at hand; sends are the emulator's, up to the point where bytes go to a socket.
"""

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from statistics import median
from typing import Final

from signalr_emulator.clients.hubs import Hubs, Member, deliver
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.protocols.messages import Completion, Invocation, Message
from signalr_emulator.protocols.supported import JSON, HubProtocol, encoded
from signalr_emulator.transports.outgoing import Outgoing
from signalr_emulator.transports.sink import Form, Relay, Sink

from shared import Endpoint, SignalRServiceClient
from shared.settings.credential import CredentialKind, CredentialSettings

from .. import report
from ..pairs import at_most, take_turns

_MESSAGE: Final = Invocation("say", JsonText(b'["' + b"x" * 100 + b'"]'))
_ROUNDS: Final = 15
_CALLS: Final = 200
_FLAT: Final = 1.3
"""How much dearer the largest size may be where it touches no more: memory is farther away."""

_LINEAR: Final = 1.1
"""How much dearer than its size."""

_KEY: Final = CredentialSettings(
    CredentialKind.ACCESS_KEY, access_key="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
)

_FRAME: Final[Form] = attrgetter("websocket_text")
_SINK: Final = Relay(lambda _data: None)
"""Takes everything at once."""

type Side = Callable[[int], object]


def tables() -> Iterator[report.Table]:
    """Measure one after another."""
    with ExitStack() as stack:
        yield _table("Negotiate, hubs", _hubs(stack))
        yield _table("Negotiate, users", _users(stack))
        yield _table("Negotiate, endpoints", _endpoints(stack), linear=True)
        yield _table("Negotiate, claims", _claims(stack), linear=True)
    yield _table("Send to user, connections of others", _connections())
    yield _table("Send to small group, other groups", _groups())
    yield _table("Send to group, members", _members(), linear=True)


def _table(title: str, sides: Mapping[int, Side], *, linear: bool = False) -> report.Table:
    named = {f"{size:,}": side for size, side in sides.items()}
    smallest, largest = min(sides), max(sides)
    limit = _LINEAR * largest / smallest if linear else _FLAT
    taken = take_turns(
        named,
        lambda turns: [at_most(limit, turns, f"{largest:,}", f"{smallest:,}")],
        calls=_CALLS,
        rounds=_ROUNDS,
    )
    curve = [(size, median(taken.turns[f"{size:,}"])) for size in sides]
    return report.table_of(title, taken, curve=curve)


def _client(stack: ExitStack, endpoints: int = 1) -> SignalRServiceClient:
    """Return a client with access keys that are there, so that nothing is sent."""
    addresses = [
        Endpoint(f"http://127.0.0.1:{port}", name=f"endpoint{port}")
        for port in range(20_001, 20_001 + endpoints)
    ]
    client = stack.enter_context(SignalRServiceClient(addresses, _KEY))
    # Nobody listens there, and nobody shall be asked how he is.
    if client.several is not None:
        client.several.monitor.close()
    return client


def _hubs(stack: ExitStack) -> dict[int, Side]:
    client = _client(stack)

    def side(count: int) -> Side:
        names = itertools.cycle([f"hub{number}" for number in range(count)])

        def negotiate(calls: int) -> None:
            for _ in range(calls):
                client.get_client_access_token(next(names), user_id="ann")

        return negotiate

    return {count: side(count) for count in (1, 10, 100)}


def _users(stack: ExitStack) -> dict[int, Side]:
    client = _client(stack, endpoints=2)

    def side(count: int) -> Side:
        names = itertools.cycle([f"user{number}" for number in range(count)])

        def negotiate(calls: int) -> None:
            for _ in range(calls):
                client.get_client_access_token("chat", user_id=next(names))

        return negotiate

    return {count: side(count) for count in (10, 1_000, 100_000)}


def _endpoints(stack: ExitStack) -> dict[int, Side]:
    def side(count: int) -> Side:
        client = _client(stack, endpoints=count)

        def negotiate(calls: int) -> None:
            for _ in range(calls):
                client.get_client_access_token("chat", user_id="ann")

        return negotiate

    return {count: side(count) for count in (2, 4, 8, 16)}


def _claims(stack: ExitStack) -> dict[int, Side]:
    client = _client(stack)

    def side(count: int) -> Side:
        claims = {f"claim{number}": "x" * 20 for number in range(count)}

        def negotiate(calls: int) -> None:
            for _ in range(calls):
                client.get_client_access_token("chat", user_id="ann", claims=claims)

        return negotiate

    return {count: side(count) for count in (4, 8, 16, 32, 64)}


@dataclass(frozen=True, slots=True)
class _Member:
    """A client."""

    connection_id: str
    user_id: str | None
    form: Form = _FRAME
    sink: Sink = _SINK
    hub: str = "chat"
    protocol: HubProtocol = JSON

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        raise NotImplementedError

    def send(self, message: Message) -> None:
        raise NotImplementedError

    async def invoke(self, message: Outgoing, timeout: float) -> Completion:  # noqa: ASYNC109  the protocol's own
        raise NotImplementedError


def _crowd(count: int) -> Hubs:
    hubs = Hubs()
    for number in range(count):
        member: Member = _Member(f"c{number}", f"user{number}")
        hubs.add(member)
    return hubs


def _sending(find: Callable[[], Mapping[str, Member]]) -> Side:
    def send(calls: int) -> None:
        for _ in range(calls):
            deliver(Outgoing(encoded(_MESSAGE)), find())

    return send


def _connections() -> dict[int, Side]:
    def side(count: int) -> Side:
        hubs = _crowd(count)
        return _sending(lambda: hubs.user("chat", "user7"))

    return {count: side(count) for count in (10, 1_000, 100_000)}


def _groups() -> dict[int, Side]:
    def side(count: int) -> Side:
        hubs = _crowd(1_000)
        for number, member in itertools.product(range(count), range(10)):
            hubs.add_to_group("chat", f"group{number}", f"c{(number + member) % 1_000}")
        return _sending(lambda: hubs.group("chat", "group0"))

    return {count: side(count) for count in (1, 100, 10_000)}


def _members() -> dict[int, Side]:
    hubs = _crowd(1_000)

    def side(count: int) -> Side:
        for number in range(count):
            hubs.add_to_group("chat", f"group{count}", f"c{number}")
        return _sending(lambda: hubs.group("chat", f"group{count}"))

    return {count: side(count) for count in (10, 100, 1_000)}


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("growth", __doc__).parse_args().json))
