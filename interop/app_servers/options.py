"""What an app server can choose."""

from ..agent import expect
from .stage import ANSWER, Stage

__all__ = ["application", "connections", "stateful", "sticky"]

_CONNECTIONS = 5


def application(stage: Stage) -> None:
    """The hubs of two applications share a service, and nothing else."""
    named, plain = stage.app_server("--application", "App1"), stage.app_server()
    one, other = stage.client(named.hub_url), stage.client(plain.hub_url)
    named.wait_for(one.connection_id)
    plain.wait_for(other.connection_id)
    named.call("say", text="for App1")
    one.receive("for App1")
    plain.call("say", text="for others")
    other.receive("for others")
    expect(other.heard == ["for others"], f"the other client has heard {other.heard}")


def sticky(stage: Stage) -> None:
    """Clients go to the server that has negotiated, however few the other one has."""
    first, second = stage.app_server("--sticky"), stage.app_server("--sticky")
    for server in (first, first, first, second):
        server.wait_for(stage.client(server.hub_url).connection_id)


def connections(stage: Stage) -> None:
    """A server with several connections has clients on all of them, and is one server."""
    server = stage.app_server("--connections", str(_CONNECTIONS))
    clients = [stage.client(server.hub_url) for _ in range(_CONNECTIONS)]
    opened = server.process.output.count("Starting transport")
    expect(opened == _CONNECTIONS, f"it has opened {opened} connections")
    server.call("say", text="to all")
    for client in clients:
        client.receive("to all")
        client.invoke("SendToConnections", [each.connection_id for each in clients], "to each")
        answer = clients[0].invoke("AskConnection", client.connection_id, "why")
        expect(answer == ANSWER, f"the answer was {answer!r}")


def stateful(stage: Stage) -> None:
    """A client goes on after a break where it was, and its hub notices nothing."""
    server = stage.app_server("--stateful")
    client = stage.renewing_client(server.hub_url, "--bearer", "ann.-.user", "--stateful")
    stage.cut(client.connection_id)
    stage.send(client.connection_id, "still here")
    client.wait_for("message")
    expect(not client.has_reported("closed"), "the client was closed")
    expect(
        f"disconnected {client.connection_id}" not in server.process.output, "the hub has noticed"
    )
