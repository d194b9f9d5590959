"""What stands beside an app server: an app that negotiates in its place, and a sender."""

from typing import Any

from shared.persistent import PersistentSender

from ..agent import expect
from .stage import ANSWER, HUB, Stage

__all__ = ["negotiation", "sender"]

_GROUP = "blue"
_ASK = ["why"]


def negotiation(stage: Stage) -> None:
    """The function app negotiates: the user is the hub's, signed in where there is a claim."""
    stage.app_server()
    bare = _seen(stage, {})
    expect(bare["isAuthenticated"] == "False", f"without a claim the hub sees {bare}")
    named = _seen(stage, {"NEGOTIATE_CLAIMS": "name"})
    expect(named["isAuthenticated"] == "True", f"with a claim the hub sees {named}")
    expect("name of bob" in named.values(), f"the hub sees {named}")


def sender(stage: Stage) -> None:
    """`PersistentSender` reaches the clients of an app server, and asks them."""
    server = stage.app_server()
    client, other = stage.client(server.hub_url), stage.client(server.hub_url)
    user, id_ = client.invoke("WhoAmI")["userId"], client.connection_id
    environment = {"AzureSignalRConnectionString": stage.connection_string}
    with PersistentSender.from_environment(environment) as sends:
        sends.send_to_all(HUB, "message", ["", "to all"])
        sends.send_to_user(HUB, user, "message", ["", "to the user"])
        sends.send_to_connection(HUB, id_, "message", ["", "to the connection"])
        sends.add_connection_to_group(HUB, _GROUP, id_)
        sends.send_to_group(HUB, _GROUP, "message", ["", "to the group"])
        for text in ("to all", "to the user", "to the connection", "to the group"):
            client.receive(text)
        # The hub's own groups are the same.
        other.invoke("SendToGroup", _GROUP, "from the hub")
        client.receive("from the hub")
        expect(sends.connection_exists(HUB, id_), "the connection is not there")
        expect(sends.user_exists(HUB, user), "the user is not there")
        expect(not sends.user_exists(HUB, "nobody"), "nobody is there")
        members = [each.connection_id for each in sends.list_connections_in_group(HUB, _GROUP)]
        expect(members == [id_], f"in the group are {members}")
        answer = sends.invoke_connection(HUB, id_, "ask", _ASK)
        expect(answer == ANSWER, f"the answer was {answer!r}")
        sends.close_connection(HUB, other.connection_id)
        other.agent.wait_for("reconnecting")
    other.receive("to all")
    expect(other.heard == ["to all"], f"the other client has heard {other.heard}")


def _seen(stage: Stage, settings: dict[str, str]) -> dict[str, Any]:
    door = stage.negotiating_app(**settings)
    seen: dict[str, Any] = stage.client(door.client_url("bob")).invoke("WhoAmI")
    expect(seen["userId"] == "bob", f"the hub sees {seen}")
    return seen
