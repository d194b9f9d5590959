"""Groups, connections and users through the app, with real clients."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.e2e.processes import PATIENCE, Client, FunctionApp, client

PRINCIPAL = "x-ms-client-principal-id"
NO_CONNECTION = {"status": "refused", "detail": "There is no such connection."}


def ask(app: FunctionApp, method: str, path: str, **query: str) -> requests.Response:
    answer = requests.request(
        method, f"{app.url}/{path}", params=query, timeout=PATIENCE, allow_redirects=False
    )
    if method == "HEAD":
        assert answer.content == b""
    return answer


def change(app: FunctionApp, *actions: object) -> None:
    answer = app.post("groups", list(actions))
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"results": [{"status": "accepted"}] * len(actions)}


def say(app: FunctionApp, group: str, text: str) -> None:
    message = {"target": "newMessage", "arguments": [text], "groupName": group}
    assert app.post("broadcast", message).status_code == 202


@pytest.fixture
def ann(app: FunctionApp) -> Iterator[Client]:
    with client(app.url, **{PRINCIPAL: "ann"}) as connected:
        yield connected


@pytest.fixture
def bob(app: FunctionApp) -> Iterator[Client]:
    with client(app.url, **{PRINCIPAL: "bob"}) as connected:
        yield connected


def test_a_group_is_joined_and_left(app: FunctionApp, ann: Client, bob: Client) -> None:
    ann.connection_id()
    connection_id = bob.connection_id()
    change(
        app,
        {"action": "add", "groupName": "rooms/1", "userId": "ann"},
        {"action": "add", "groupName": "rooms/1", "connectionId": connection_id},
        {"action": "add", "groupName": "rooms/2", "userId": "ann", "ttl": 0},
    )
    say(app, "rooms/1", "both")
    assert ann.message() == bob.message() == ["both"]
    change(app, {"action": "remove", "groupName": "rooms/1", "connectionId": connection_id})
    say(app, "rooms/1", "ann alone")
    say(app, "rooms/2", "still ann")
    change(app, {"action": "removeAll", "userId": "ann"})
    say(app, "rooms/1", "nobody")
    app.post("broadcast", {"target": "newMessage", "arguments": ["everyone"]})
    assert [ann.message()[0] for _ in range(3)] == ["ann alone", "still ann", "everyone"]
    assert bob.message() == ["everyone"]


def test_the_members_of_a_group(app: FunctionApp, ann: Client, bob: Client) -> None:
    members = [
        {"connectionId": ann.connection_id(), "userId": "ann"},
        {"connectionId": bob.connection_id(), "userId": "bob"},
    ]
    change(
        app, *({"action": "add", "groupName": "g/ü", "userId": each["userId"]} for each in members)
    )
    path = f"groups/{quote('g/ü', safe='')}/connections"
    listed = ask(app, "GET", path, groupName="g/ü").json()
    assert sorted(listed["connections"], key=lambda each: each["userId"]) == members
    assert listed["hasMore"] is False
    first = ask(app, "GET", path, top="1", groupName="g/ü").json()
    assert len(first["connections"]) == 1
    assert first["hasMore"] is True
    assert ask(app, "GET", "groups/empty/connections").json() == {
        "connections": [], "hasMore": False,
    }  # fmt: skip


def test_who_is_there(app: FunctionApp, ann: Client) -> None:
    connection_id = ann.connection_id()
    change(app, {"action": "add", "groupName": "g1", "userId": "ann"})
    for path in (f"connections/{connection_id}", "users/ann", "groups/g1"):
        assert ask(app, "HEAD", path).status_code == 200
        assert ask(app, "HEAD", path, hub="news").status_code == 404
        assert ask(app, "HEAD", f"{path}-not").status_code == 404


def test_a_connection_is_closed_with_a_reason(app: FunctionApp, ann: Client) -> None:
    path = f"connections/{ann.connection_id()}"
    assert ask(app, "DELETE", path, hub="news").status_code == 204
    assert ask(app, "HEAD", path).status_code == 200
    answer = ask(app, "DELETE", path, reason="gone fishing")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "gone fishing" in str(ann.next("closed"))
    assert ask(app, "HEAD", path).status_code == 404
    assert ask(app, "DELETE", path).status_code == 204


def test_each_action_has_its_own_result(app: FunctionApp, ann: Client) -> None:
    connection_id = ann.connection_id()
    actions = [
        {"action": "add", "groupName": "g", "connectionId": each}
        for each in (connection_id, "nobody")
    ]
    answer = app.post("groups", actions)
    assert answer.status_code == 207
    assert answer.json() == {"results": [{"status": "accepted"}, NO_CONNECTION]}
    alone = app.post("groups", actions[1])
    assert alone.status_code == 404
    assert alone.headers["Content-Type"] == "application/problem+json"
    assert alone.json()["results"] == [NO_CONNECTION]


@pytest.mark.parametrize(
    ("path", "query", "detail"),
    [
        ("groups/g/connections", {"top": "0"}, "top must be at least 1."),
        ("groups/g/connections", {"top": "1001"}, "top must be at most 1000."),
        ("groups/g/connections", {"top": "many"}, "top must be a whole number."),
        ("groups/g/connections", {"hub": "other"}, "hub is not a hub of this app."),
        ("groups/g/connections", {"hub": ""}, "hub is not a hub of this app."),
        (
            "groups/g/connections",
            {"hubs": "news"},
            "'hubs' is no parameter of this request; did you mean 'hub'?",
        ),
        (
            "groups/g/connections",
            {"TOPP": "1"},
            "'TOPP' is no parameter of this request; did you mean 'top'?",
        ),
        (
            "groups/g/connections",
            {"userId": "ann"},
            "'userId' is no parameter of this request, which may have hub, groupName, top.",
        ),
        (
            "groups/g/connections",
            {"groupName": "h"},
            "groupName is one in the path and another in the query.",
        ),
        ("groups/%20/connections", {}, "groupName must not be empty."),
    ],
)
def test_wrong_parameters_are_named(
    app: FunctionApp, path: str, query: dict[str, str], detail: str
) -> None:
    answer = ask(app, "GET", path, **query)
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "groups", "POST"),
        ("GET", "connections/c", "HEAD, DELETE"),
        ("PUT", "users/u", "HEAD"),
        ("DELETE", "groups/g", "HEAD"),
        ("POST", "groups/g/connections", "GET"),
    ],
)
def test_wrong_methods(app: FunctionApp, method: str, path: str, allowed: str) -> None:
    answer = ask(app, method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_a_hub_may_have_the_name_of_a_route(app: FunctionApp) -> None:
    # Not one of this app's, and so refused by negotiate rather than by the function of a group.
    answer = app.post("groups/negotiate")
    assert (answer.status_code, answer.json()["detail"]) == (404, "This app serves no such hub.")
