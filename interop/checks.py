"""What every client has to do, written once for all of them."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import requests

from .agent import PATIENCE, Agent, AgentError, expect, running_agent
from .app import App
from .library import Combination, Library

__all__ = ["CANNOT", "CHECKS", "FAILED", "NEEDS", "Client", "Outcome", "outcomes"]

CANNOT: Final = "cannot"
FAILED: Final = "failed"

_LARGE: Final = "é".ljust(200_000, "x")
_NEWS: Final = "news"
_VARIED: Final = "varied"
_VALUES: Final = ["é", None, 1.5, {"deep": [True, []]}]
_RESULTS: Final = "results"
"""The capability to return something to the app."""

_ASK: Final = "ask"
_ANSWER: Final = {"answer": 42}
_numbers: Final = itertools.count(1)


class Client(NamedTuple):
    """A library that is to be tried in one way.

    Args:
        library: The library.
        combination: Transport and protocol.
        command: Its agent's command, without options.
        log: Where the agent's standard error goes.
    """

    library: Library
    combination: Combination
    command: Sequence[str]
    log: Path


class Outcome(NamedTuple):
    """What became of a check.

    Args:
        word: `CANNOT`, `FAILED`, or what the client did.
        detail: Why, or what was seen instead.
    """

    word: str
    detail: str = ""


@dataclass(slots=True)
class Session:
    """A client that is connected.

    Args:
        app: Emulator and app.
        agent: The client.
        user: Its user id.
    """

    app: App
    agent: Agent
    user: str

    @property
    def group(self) -> str:
        """A group that nobody else is in."""
        return f"group of {self.user}"

    def join(self) -> str:
        """Add the client to its group, and return the id of its connection.

        Raises:
            AgentError: The service does not have it.
        """
        found = self.app.join(self.group, self.user)
        expect(len(found) == 1, f"the service has {len(found)} connections of the client")
        return found[0]

    def receive(self, arguments: list[Any], target: str = _NEWS, **recipient: str) -> None:
        """Send the client a message and wait for it.

        Args:
            arguments: The arguments.
            target: A method that the client has, of as many parameters.
            recipient: As `App.send` takes it.

        Raises:
            AgentError: It did not come.
        """
        self.app.send(target, arguments, **recipient)
        self.agent.wait_for("message", target=target, arguments=arguments)

    def connect(self) -> None:
        """Start the client and wait until it is connected.

        Raises:
            AgentError: It does not connect.
        """
        # Before the start, since nothing says when an agent has heeded it.
        self.agent.tell("on", target=_NEWS, parameters=1)
        self.agent.tell("on", target=_VARIED, parameters=len(_VALUES))
        self.agent.tell("on", target="newMessage", parameters=2)
        self.agent.tell("start")
        self.agent.wait_for("connected")


class Check(NamedTuple):
    """Something that a client has to do.

    Args:
        name: Its name in the table.
        run: Does it, and returns a word for it; raises what `_attempt` catches.
        needs: The capability without which an agent cannot do it.
    """

    name: str
    run: Callable[[Session], str]
    needs: str | None = None


def _everyone(session: Session) -> str:
    session.receive(_VALUES, target=_VARIED)
    return "yes"


def _user(session: Session) -> str:
    session.receive(["user"], userId=session.user)
    return "yes"


def _connection(session: Session) -> str:
    session.receive(["connection"], connectionId=session.join())
    return "yes"


def _group(session: Session) -> str:
    session.join()
    session.receive(["group"], groupName=session.group)
    return "yes"


def _large_in(session: Session) -> str:
    session.receive([_LARGE], userId=session.user)
    return "yes"


def _large_out(session: Session) -> str:
    session.agent.tell("send", target="sendMessage", arguments=[_LARGE])
    session.agent.wait_for("sent")
    # The app's handler sends it to everyone, with who said it.
    session.agent.wait_for("message", target="newMessage", arguments=[session.user, _LARGE])
    return "yes"


def _invoke(session: Session) -> str:
    session.agent.tell("invoke", id="1", target="enter", arguments=[])
    result = session.agent.wait_for("result", id="1")
    expect(result.get("value") == session.user, f"the result was {result}")
    session.agent.tell("invoke", id="2", target="absent", arguments=[])
    result = session.agent.wait_for("result", id="2")
    expect("absent" in str(result.get("error")), f"the error was {result}")
    return "yes"


def _results(session: Session) -> str:
    result = session.app.call(session.join(), _ASK, "why")
    expect(result == _ANSWER, f"the client's result was {result!r}")
    return "yes"


def _reconnect(session: Session) -> str:
    before = session.app.sign_in.negotiations[session.user]
    session.app.cut(session.user)
    session.agent.wait_for("reconnected")
    session.receive(["again"], userId=session.user)
    again = session.app.sign_in.negotiations[session.user] > before
    return "negotiates" if again else "same token"


def _expired(session: Session) -> str:
    session.app.outlive_tokens()
    session.app.cut(session.user)
    try:
        seen = session.agent.wait_for("reconnected", "closed")
    except AgentError:
        if session.agent.has_ended or session.app.is_connected(session.user):
            raise
        return "says nothing"
    if seen["event"] == "closed":
        return "ends"
    session.receive(["again"], userId=session.user)
    return "comes back"


def _close(session: Session) -> str:
    session.agent.tell("stop")
    session.agent.wait_for("closed")
    deadline = time.monotonic() + PATIENCE
    while session.app.is_connected(session.user):
        expect(time.monotonic() < deadline, "the service still has the connection")
        time.sleep(0.05)
    return "yes"


def _closed(session: Session) -> str:
    session.app.close(session.join(), "closing time")
    seen = session.agent.wait_for("closed", "reconnecting", "reconnected")
    if seen["event"] == "closed":
        return "ends"
    if seen["event"] == "reconnecting":
        session.agent.wait_for("reconnected")
    session.receive(["still here"], userId=session.user)
    return "comes back"


_CONNECTED: Final = (
    Check("everyone", _everyone),
    Check("user", _user),
    Check("connection", _connection),
    Check("group", _group),
    Check("200 KB in", _large_in),
    Check("200 KB out", _large_out, "send"),
    Check("invoke", _invoke, "invoke"),
    Check("client results", _results, _RESULTS),
)
"""What leaves the connection as it was, so that one serves for all of them."""

_ENDING: Final = (
    Check("reconnect", _reconnect, "reconnect"),
    Check("reconnect after the token's end", _expired, "reconnect"),
    Check("close", _close),
    Check("closed by the app", _closed),
)
"""What takes a connection of its own."""

_CONNECT: Final = "connect"
CHECKS: Final = (_CONNECT, *(each.name for each in (*_CONNECTED, *_ENDING)))
"""The names of all checks, in the order of the table."""

NEEDS: Final = {each.name: each.needs for each in (*_CONNECTED, *_ENDING) if each.needs}
"""The capabilities that checks need, by their names."""


def outcomes(app: App, client: Client) -> Mapping[str, Outcome]:
    """Do all checks with one client.

    Args:
        app: Emulator and app.
        client: The client.

    Returns:
        What became of each check, by its name. Without a connection there is nothing but `connect`.
    """
    found: dict[str, Outcome] = {}
    for checks in (_CONNECTED, *((each,) for each in _ENDING)):
        found |= _with_one_connection(app, client, checks)
        if found[_CONNECT].word == FAILED:
            break
    return found


def _with_one_connection(app: App, client: Client, checks: Sequence[Check]) -> dict[str, Outcome]:
    user = f"user-{next(_numbers)}"
    transport, protocol = client.combination
    options = ("--url", app.sign_in.client_url(user), "--transport", transport)
    command = [*client.command, *options, "--protocol", protocol]
    with running_agent(command, client.log) as agent:
        return dict(_done(Session(app, agent, user), client.library, checks))


def _done(
    session: Session, library: Library, checks: Sequence[Check]
) -> Iterator[tuple[str, Outcome]]:
    capabilities: set[str] = set()

    def connect(session: Session) -> str:
        ready = session.agent.wait_for("ready", within=2 * PATIENCE)
        said = f"{ready['library']} {ready['version']}"
        expect(said == str(library), f"the agent is one of {said}")
        capabilities.update(ready["capabilities"])
        if _RESULTS in capabilities:
            session.agent.tell("answer", target=_ASK, value=_ANSWER)
        session.connect()
        return "yes"

    connected = _attempt(connect, session)
    yield _CONNECT, connected
    if connected.word == FAILED:
        return
    for check in checks:
        if check.needs is None or check.needs in capabilities:
            yield check.name, _attempt(check.run, session)
        elif check.needs in library.cannot:
            yield check.name, Outcome(CANNOT, library.cannot[check.needs])
        else:
            yield check.name, Outcome(FAILED, f"its agent lacks {check.needs!r}, and why is unsaid")


def _attempt(run: Callable[[Session], str], session: Session) -> Outcome:
    try:
        return Outcome(run(session))
    except (AgentError, requests.RequestException) as error:
        return Outcome(FAILED, str(error))
