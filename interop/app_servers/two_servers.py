"""Two app servers share a hub, and one of them goes."""

import time

from ..agent import PATIENCE, expect
from .actors import AppServer, HubClient
from .stage import ANSWER, Stage

__all__ = ["killed", "migrated", "results", "sends", "stopped"]

_GROUP = "red"


def sends(stage: Stage) -> None:
    """What one server sends, to everyone or to a group, reaches the clients of the other."""
    first, second, clients = _crowd(stage)
    for server in (first, second):
        server.call("say", text=f"from {server.url}")
        for client in clients:
            client.receive(f"from {server.url}")
            # The one that has the client is asked as well as the one that has not.
            server.call("join", connection=client.connection_id, group=_GROUP)
    for client in clients:
        client.invoke("SendToGroup", _GROUP, f"from {client.connection_id}")
        for each in clients:
            each.receive(f"from {client.connection_id}")


def results(stage: Stage) -> None:
    """Either server gets the answers of all clients, and so does a hub of another client's."""
    first, second, clients = _crowd(stage)
    for client in clients:
        for server in (first, second):
            answer = server.call("ask", connection=client.connection_id, question="why").json()
            expect(answer == ANSWER, f"the answer was {answer!r}")
        for other in clients:
            answer = other.invoke("AskConnection", client.connection_id, "why")
            expect(answer == ANSWER, f"the answer was {answer!r}")


def killed(stage: Stage) -> None:
    """The clients of a server that dies come back to the other, and those of the other stay."""
    first, second, clients = _crowd(stage)
    lost, kept = _of(first, clients), _of(second, clients)
    first.kill()
    _come_back(lost, kept, second)


def stopped(stage: Stage) -> None:
    """The same with a server that ends in order."""
    first, second, clients = _crowd(stage)
    lost, kept = _of(first, clients), _of(second, clients)
    first.stop()
    _come_back(lost, kept, second)


def migrated(stage: Stage) -> None:
    """A server that ends in order hands its clients over: they stay connected, in their groups."""
    first, second, clients = _crowd(stage, "--migrate")
    moved = _of(first, clients)
    for client in clients:
        client.invoke("JoinGroup", _GROUP)
    before = {client.connection_id for client in moved}
    first.stop()
    for client in moved:
        client.wait_for_welcome()
    expect({client.connection_id for client in moved} == before, "connections have other ids")
    for client in moved:
        second.wait_for(client.connection_id)
    for client in clients:
        client.invoke("SendToGroup", _GROUP, f"from {client.connection_id}")
        for each in clients:
            each.receive(f"from {client.connection_id}")
        expect(not client.agent.has_seen("reconnecting", "closed"), "a client has reconnected")


def _crowd(stage: Stage, *options: str) -> tuple[AppServer, AppServer, list[HubClient]]:
    """Return two servers, and clients that are spread over both."""
    first, second = stage.app_server(*options), stage.app_server(*options)
    url = stage.proxy(first, second)
    clients = [stage.client(f"{url}/chat") for _ in range(4)]
    for client in clients:
        _until_one_has(client, first, second)
    expect(len(_of(first, clients)) == 2, "the clients are not spread over both servers")  # noqa: PLR2004  half of them
    expect(len(_of(second, clients)) == 2, "the clients are not spread over both servers")  # noqa: PLR2004  as above
    return first, second, clients


def _until_one_has(client: HubClient, *servers: AppServer) -> None:
    """Wait until a server has said that it has a client, which it says after its welcome."""
    deadline = time.monotonic() + PATIENCE
    while not any(each.has(client.connection_id) for each in servers):
        expect(time.monotonic() < deadline, "no server has the client")
        time.sleep(0.05)


def _of(server: AppServer, clients: list[HubClient]) -> list[HubClient]:
    return [client for client in clients if server.has(client.connection_id)]


def _come_back(lost: list[HubClient], kept: list[HubClient], server: AppServer) -> None:
    for client in lost:
        client.agent.wait_for("reconnected")
        client.wait_for_welcome()
        server.wait_for(client.connection_id)
    server.call("say", text="still here")
    for client in (*lost, *kept):
        client.receive("still here")
    for client in kept:
        expect(not client.agent.has_seen("reconnecting", "closed"), "a client has reconnected")
