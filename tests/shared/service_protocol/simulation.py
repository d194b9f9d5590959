"""Drives weak server connections through every fault of a service, in virtual time and by chance.

    python -m tests.shared.service_protocol.simulation --schedules 10000 --seed 1

The library's own code runs: connection, acks, invocations, delays between attempts. The service is
made up, and so are clock, network and callers. The same seed gives the same trace.
"""

import argparse
import heapq
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from shared.errors import ServiceError as ServiceFailure
from shared.errors import ServiceUnavailableError
from shared.service_protocol import connection as library
from shared.service_protocol.acks import Acks, Answer
from shared.service_protocol.actions import (
    Abandoned,
    Action,
    Close,
    InstanceOffline,
    Opened,
    Received,
    RenewToken,
    Told,
    Write,
)
from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.connection import ServerConnection
from shared.service_protocol.invocations import Completion, Invocations
from shared.service_protocol.messages import (
    AccessKeyRequest,
    Ack,
    ClientCompletion,
    ClientInvocation,
    ErrorCompletion,
    HandshakeRequest,
    HandshakeResponse,
    Message,
    Ping,
    ServiceError,
    ServiceMapping,
)
from shared.service_protocol.pending import Outcome
from shared.service_protocol.requests import CheckUserExistenceWithAck, JoinGroupWithAck

__all__ = ["Violation", "World", "simulate"]

_TROUBLE: Final = 1800.0
"""Seconds for which faults happen."""
_CALM: Final = 120.0
_HEALED_WITHIN: Final = 62.0
"""Seconds after all faults within which a connection is open: the longest delay and its spread."""
_ACK_WITHIN: Final = 13.0
_MUTE: Final = 15.0
_SILENCE: Final = 30.0
_SOON: Final = 1e-6


class Violation(BaseException):  # what is looked for: no code may catch it as an error
    """A promise is broken; the message names the promise, the seed and the last events."""


@dataclass
class Caller:
    """Who waits for an ack or for a client's result.

    Args:
        line: The connection that was written to.
        until: When an answer must have come at last.
        expects: What the service has said, if it has said something.
    """

    line: "Line"
    until: float
    expects: object = None


@dataclass(eq=False)
class Line:
    """One attempt to connect, and what the service sees of it.

    Args:
        opened: When the WebSocket was opened.
        connection: The server's end.
    """

    opened: float
    connection: ServerConnection
    frames: Frames = field(default_factory=Frames)
    welcomed: float | None = None
    heard: list[Message | None] = field(default_factory=list)
    last_said: float = 0.0
    last_status: float = 0.0
    last_key: float | None = None
    echoes: list[Ping] = field(default_factory=list)
    is_told_off: bool = False
    is_mute: bool = False
    is_over: bool = False


@dataclass
class World:
    """A server with one connection, and the service that it speaks to.

    Args:
        seed: What chance goes by.
    """

    seed: int
    now: float = 1_000.0
    is_calm: bool = False
    line: Line | None = None
    failures: int = 0
    attempts: int = 0
    told: int = 0
    lines: int = 0
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.acks = Acks[int]()
        self.invocations = Invocations[int]("server")
        self.callers: dict[int, Caller] = {}
        self.numbers = itertools.count()
        self.events: list[tuple[float, int, Callable[[], None]]] = []

    # Time.

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something happen later."""
        heapq.heappush(self.events, (self.now + seconds, next(self.numbers), do))

    def live(self, seconds: float) -> None:
        """Let everything happen that is due, in its order."""
        until = self.now + seconds
        while True:
            due = min(self.acks.due, self.invocations.due)
            if self.line is not None:
                due = min(due, self.line.connection.due)
            event = self.events[0][0] if self.events else until
            if min(due, event) >= until:
                self.now = until
                return
            if event <= due:
                self.now, _, do = heapq.heappop(self.events)
                do()
            else:
                self.now = max(self.now, due)
                self.time_passed()
            self.look()

    def time_passed(self) -> None:
        """Call whoever has asked to be called now."""
        self.tell(*self.acks.overdue(self.now))
        self.tell(*self.invocations.overdue(self.now))
        if self.line is not None:
            self.perform(self.line, self.line.connection.elapsed(self.now))

    # The server: what whoever holds the socket does.

    def connect(self) -> None:
        """Try to connect, which the network may refuse."""
        self.attempts += 1
        started = self.now
        if not self.is_calm and self.chance.random() < 0.3:
            self.note("refused")
            self.after(self.chance.uniform(0, 3), lambda: self.failed(started))
            return
        token = "token" if self.chance.random() < 0.7 else None
        line = Line(self.now, ServerConnection(token, self.now))
        line.last_said = line.last_status = self.now
        self.line = line
        self.lines += 1
        self.note("opened")
        self.perform(line, [line.connection.start()])
        self.welcome(line, has_token=token is not None)

    def failed(self, started: float) -> None:
        """Try again, when it is time."""
        self.failures += 1
        jitter = self.chance.random()
        at = library.next_attempt(self.failures, started, self.now, jitter)
        least = min(2.0 ** (self.failures - 1), 60.0)
        self.promise(at >= self.now, "no attempt in the past")
        self.promise(at >= started + least, "attempts come 1, 2, 4 … 60 s after each other")
        self.promise(
            at <= max(self.now, started + least + 1),
            "attempts come 1, 2, 4 … 60 s after each other",
        )
        self.after(at - self.now, self.connect)

    def over(self, line: Line) -> None:
        """Take note that a WebSocket has ended."""
        if line.is_over:
            return
        line.is_over = True
        self.line = None
        line.connection.closed()
        self.tell(*self.acks.lost(line))
        self.tell(*self.invocations.lost(line))
        self.promise(
            not any(each.line is line for each in self.callers.values()),
            "whoever waits on a connection that is lost is told at once",
        )
        if line.welcomed is None:
            self.failed(line.opened)
            return
        self.failures = 0
        self.after(0.0, self.connect)

    def perform(self, line: Line, actions: list[Action]) -> None:
        """Do what the connection says."""
        for action in actions:
            self.promise(not line.is_over, "nothing is done after the end")
            match action:
                case Write(data):
                    self.hear(line, data)
                case Close(error):
                    self.note(f"closed: {error}")
                    self.closed_by_server(line)
                case RenewToken():
                    token = f"token at {self.now:.0f}"
                    self.perform(line, line.connection.prove(token))
                case Received(message):
                    self.take(message)
                case InstanceOffline(instance_id):
                    self.tell(*self.invocations.instance_offline(instance_id))
                case Opened() | Abandoned():
                    self.note(type(action).__name__)
                case _:
                    pass

    def take(self, message: Told) -> None:
        """Give what has come to whoever waits for it."""
        match message:
            case Ack():
                self.tell(self.acks.answered(message))
            case ClientCompletion() | ErrorCompletion():
                self.tell(self.invocations.completed(message))
            case ServiceMapping():
                self.invocations.mapped(message)
            case _:
                pass

    def closed_by_server(self, line: Line) -> None:
        """Look why the server closes, and end the connection."""
        is_early = line.welcomed is None and self.now < line.opened + _MUTE - _SOON
        is_heard = self.now < line.last_said + _SILENCE - _SOON
        if line.is_mute:
            self.promise(not is_early, "a mute service has 15 s")
        elif line.welcomed is not None and not line.is_told_off:
            self.promise(not is_heard, "a connection that is not silent is kept")
        self.over(line)

    def tell(self, *ended: Outcome[int, Answer] | Outcome[int, Completion] | None) -> None:
        """Tell callers what came of it."""
        for each in ended:
            if each is not None:
                result = each.result
                self.tell_one(each.waiter, result)

    def tell_one(self, waiter: int, result: object) -> None:
        """Tell a caller what came of it, and look whether that is right."""
        caller = self.callers.pop(waiter, None)
        self.promise(caller is not None, "a caller is told once")
        self.told += 1
        if caller is None or caller.expects is None or caller.line.is_over:
            return
        is_right = (
            isinstance(result, caller.expects)
            if isinstance(caller.expects, type)
            else result == caller.expects
        )
        is_late = self.now >= caller.until - 3.0 and isinstance(result, ServiceFailure)
        self.promise(is_right or is_late, "a caller is told what the service has said")

    def caller_comes(self) -> None:
        """Let somebody send a request, at any time."""
        self.after(self.chance.expovariate(0.3), self.caller_comes)
        if self.line is None:
            return
        line, waiter = self.line, next(self.numbers)
        message: ClientInvocation | JoinGroupWithAck | CheckUserExistenceWithAck
        if self.chance.random() < 0.3:
            message = self.invocations.ask(
                "c", _nothing, waiter, seconds=10.0, line=line, now=self.now
            )
        else:
            request = self.chance.choice(_REQUESTS)
            message = self.acks.ask(request, waiter, line=line, now=self.now)
        try:
            data = line.connection.write(message)
        except ServiceUnavailableError:
            if isinstance(message, ClientInvocation):
                self.invocations.forget(message)
            else:
                self.acks.forget(message)
            return
        self.callers[waiter] = Caller(line, self.now + _ACK_WITHIN)
        self.hear(line, data, waiter)

    # The service.

    def welcome(self, line: Line, *, has_token: bool) -> None:
        """Answer the handshake, well or badly."""
        kind = "good" if self.is_calm else self.chance.choice(_HANDSHAKES)
        self.note(f"handshake {kind}")
        line.is_mute = kind == "mute"
        match kind:
            case "good" | "late":
                delay = self.chance.uniform(0, 14.9 if kind == "late" else 0.1)
                self.after(delay, lambda: self.say_welcome(line, has_token=has_token))
            case "refused":
                self.say(line, HandshakeResponse(error="no"))
            case "ping":
                self.say(line, Ping())
            case "nonsense":
                self.send(line, b"\x01\xc0")
            case "cut":
                self.after(self.chance.uniform(0, 5), lambda: self.over(line))
        if kind in ("refused", "ping", "nonsense"):
            self.promise(line.is_over, "a bad answer to the handshake ends the connection")

    def say_welcome(self, line: Line, *, has_token: bool) -> None:
        """Answer the handshake well, and begin the life of a connection."""
        if line.is_over:
            return
        line.welcomed = line.last_status = self.now
        line.last_key = self.now - 600.0 if has_token else None
        self.say(line, HandshakeResponse(error="", connection_id="id"))
        self.promise(
            (AccessKeyRequest in map(type, line.heard)) == has_token,
            "under Entra a key is asked for right after the handshake",
        )
        self.after(5.0, lambda: self.ping(line))
        self.after(self.chance.expovariate(1 / 300), lambda: self.trouble(line))

    def ping(self, line: Line) -> None:
        """Ping every 5 s, now and then with an echo."""
        if line.is_over or line.is_mute:
            return
        self.after(5.0, lambda: self.ping(line))
        if self.chance.random() < 0.2 and not line.is_told_off:
            echo = Ping(texts=("echo", str(self.now)))
            line.echoes.append(echo)
            self.say(line, echo)
            self.promise(line.echoes == [], "an echo is sent back as it came")
        else:
            self.say(line, Ping())

    def trouble(self, line: Line) -> None:
        """Have something go wrong."""
        if line.is_over or self.is_calm:
            return
        kind = self.chance.choice(_TROUBLES)
        self.note(kind)
        match kind:
            case "cut":
                self.over(line)
            case "silence":
                line.is_mute = True
            case "error":
                self.tell_off(line)
                if self.chance.random() < 0.5:
                    self.after(1.0, lambda: self.over(line))
            case "nonsense":
                self.send(line, b"\x03\x92\x14\xc0")
                self.promise(not line.is_over, "a message that cannot be read is skipped")
            case "offline":
                self.say(line, Ping(texts=("offline", "instance")))
        self.after(self.chance.expovariate(1 / 300), lambda: self.trouble(line))

    def tell_off(self, line: Line) -> None:
        """Say in one piece that something is wrong, from when on nothing must come."""
        line.is_told_off = True
        line.last_said = self.now
        data = write(ServiceError(error="out of order"))
        self.perform(line, line.connection.received(data, self.now))

    def hear(self, line: Line, data: bytes, waiter: int | None = None) -> None:
        """Take what the server writes."""
        self.promise(not line.is_over, "nothing is written after the end")
        self.promise(not line.is_told_off, "nothing is written after an error of the service")
        for body in line.frames.feed(data):
            message = read(body)
            if line.welcomed is None:
                is_first = not line.heard and isinstance(message, HandshakeRequest)
                self.promise(is_first, "nothing is written before the answer to the handshake")
            line.heard.append(message)
            match message:
                case Ping(texts=("status", "1")):
                    self.promise_every(line.last_status, 10.0, "the status is asked for every 10 s")
                    line.last_status = self.now
                case Ping(texts=("echo", _)):
                    line.echoes.remove(message)
                case AccessKeyRequest():
                    last = line.last_key
                    self.promise(last is not None, "without Entra no key is asked for")
                    self.promise_every(last or 0.0, 600.0, "a key is asked for every 10 min")
                    line.last_key = self.now
                case ClientInvocation() if waiter is not None:
                    self.answer_invocation(line, message, waiter)
                case JoinGroupWithAck() | CheckUserExistenceWithAck() if waiter is not None:
                    self.answer_request(line, message, waiter)
                case _:
                    pass

    def answer_request(
        self, line: Line, request: JoinGroupWithAck | CheckUserExistenceWithAck, waiter: int
    ) -> None:
        """Answer with a status, at some time, once, twice, or not at all."""
        status = self.chance.choice([1, 1, 2, 3, 4, 5, 99])
        is_join = isinstance(request, JoinGroupWithAck)
        expects: object = {1: Answer(True), 2: Answer(is_join)}.get(status, ServiceFailure)
        ack = Ack(ack_id=request.ack_id, status=status)
        for _ in range(self.chance.choice([0, 1, 1, 1, 2])):
            delay = self.chance.choice([0.01, 0.01, 1.0, 9.0, 20.0])
            self.after(delay, lambda: self.answer(line, ack, waiter, expects))

    def answer_invocation(self, line: Line, message: ClientInvocation, waiter: int) -> None:
        """Answer for a client, or say which instance has it."""
        names = message.invocation_id, message.connection_id, message.caller_server_id
        kind = self.chance.choice(["result", "error", "mapped", "never"])
        match kind:
            case "result":
                completion = ClientCompletion(*names, protocol="json", payload=b"42")
                expects = Completion("json", b"42")
                self.after(0.5, lambda: self.answer(line, completion, waiter, expects))
            case "error":
                failed = ErrorCompletion(*names, error="no")
                self.after(0.5, lambda: self.answer(line, failed, waiter, Completion(error="no")))
            case "mapped":
                self.say(line, ServiceMapping(*names[:2], instance_id="instance"))
            case _:
                pass

    def answer(self, line: Line, message: Message, waiter: int, expects: object) -> None:
        """Say what somebody waits for."""
        if line.is_over or line.is_mute:
            return
        caller = self.callers.get(waiter)
        if caller is not None:
            caller.expects = expects
        self.say(line, message)
        self.promise(waiter not in self.callers, "an answer is told when it comes")

    def say(self, line: Line, message: Message) -> None:
        """Say something, cut into WebSocket messages by chance."""
        self.send(line, write(message))

    def send(self, line: Line, data: bytes) -> None:
        """Send bytes in pieces."""
        while data and not line.is_over:
            size = self.chance.randint(1, len(data))
            piece, data = data[:size], data[size:]
            line.last_said = self.now
            self.perform(line, line.connection.received(piece, self.now))

    # Promises.

    def look(self) -> None:
        """Look whether what is promised of time holds."""
        late = [each for each in self.callers.values() if self.now > each.until + _SOON]
        self.promise(not late, "a caller is told within 13 s")
        line = self.line
        if line is None:
            return
        if line.welcomed is None:
            self.promise(
                self.now <= line.opened + _MUTE + _SOON, "a mute service is left after 15 s"
            )
            return
        self.promise(
            self.now <= line.last_said + _SILENCE + _SOON, "a silent connection ends after 30 s"
        )
        if not line.is_told_off:
            self.promise(
                self.now <= line.last_status + 10.0 + _SOON, "the status is asked for every 10 s"
            )
            if line.last_key is not None:
                self.promise(
                    self.now <= line.last_key + 600.0 + _SOON, "a key is asked for every 10 min"
                )

    def promise_every(self, last: float, seconds: float, what: str) -> None:
        """Look whether something happens no sooner than it shall."""
        self.promise(self.now >= last + seconds - _SOON, what)

    def promise(self, holds: bool, what: str) -> None:
        """Raise a `Violation` if a promise does not hold."""
        if not holds:
            last = "\n".join(self.trace[-20:])
            raise Violation(f"{what} (seed {self.seed}, {self.now:.3f} s)\n{last}")

    def note(self, what: str) -> None:
        """Write an event into the trace."""
        self.trace.append(f"{self.now:.3f} {what}")


_HANDSHAKES: Final = ("good", "good", "good", "late", "mute", "refused", "ping", "nonsense", "cut")
_TROUBLES: Final = ("cut", "silence", "error", "nonsense", "offline")


_REQUESTS: Final[tuple[JoinGroupWithAck | CheckUserExistenceWithAck, ...]] = (
    JoinGroupWithAck(connection_id="c", group="g"),
    CheckUserExistenceWithAck(user_id="u"),
)


def _nothing(_: str) -> tuple[tuple[str, bytes], ...]:
    return ()


def simulate(seed: int) -> World:
    """Run one schedule.

    Args:
        seed: Which one.

    Returns:
        The world at its end.

    Raises:
        Violation: A promise is broken.
    """
    world = World(seed)
    world.connect()
    world.caller_comes()
    world.live(_TROUBLE)
    world.is_calm = True
    # What was wrong before may take as long as silence is borne.
    world.live(_SILENCE + _HEALED_WITHIN)
    is_open = world.line is not None and world.line.connection.is_open
    world.promise(is_open, "a connection is open within a minute after the faults")
    world.live(_CALM)
    world.promise(world.line is not None, "a connection stays open without faults")
    return world


def main() -> int:
    """Run schedules from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    told = 0
    try:
        for seed in range(arguments.seed, arguments.seed + arguments.schedules):
            told += simulate(seed).told
    except Violation as broken:
        print(broken, file=sys.stderr)
        return 1
    print(f"{arguments.schedules} schedules, {told} callers were told, no promise is broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
