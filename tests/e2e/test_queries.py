"""What the query of a request chooses, and that nothing in it is read over."""

import pytest

from tests.e2e.processes import FunctionApp, client


def test_the_query_chooses_the_hub(anonymous_app: FunctionApp) -> None:
    with client(f"{anonymous_app.url}?hub=NEWS&room=42") as news, client(anonymous_app.url) as chat:
        news_id, chat_id = news.connection_id(), chat.connection_id()
        messages = [
            {"target": "newMessage", "arguments": ["by the query"]},
            {"target": "newMessage", "arguments": ["by its own hub"], "hub": "chat"},
        ]
        assert anonymous_app.post("broadcast?hub=News", messages).status_code == 202
        assert news.message() == ["by the query"]
        assert chat.message() == ["by its own hub"]
        joining = {"action": "add", "groupName": "g"}
        actions = [
            joining | {"connectionId": news_id},
            joining | {"connectionId": chat_id, "hub": "chat"},
        ]
        assert anonymous_app.post("groups?HUB=news", actions).status_code == 202


@pytest.mark.parametrize(
    "path", ["negotiate?hub=news", "news/negotiate?hub=NEWS", "news/negotiate"]
)
def test_a_token_is_for_the_hub_that_is_named(anonymous_app: FunctionApp, path: str) -> None:
    answer = anonymous_app.post(path)
    assert answer.status_code == 200
    assert answer.json()["url"].endswith("/client/?hub=news")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("negotiate?hub=other", 404),
        ("negotiate?hub=", 404),
        ("negotiate?h%75b=other", 404),
        ("negotiate?hub=chat&hub=news", 400),
        ("negotiate?hub=chat&HUB=news", 400),
        ("news/negotiate?hub=chat", 400),
        ("news/negotiate?hub=", 400),
    ],
)
def test_no_token_for_another_hub_than_the_one_that_is_named(
    anonymous_app: FunctionApp, path: str, status: int
) -> None:
    answer = anonymous_app.post(path)
    assert answer.status_code == status
    assert "hub" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("hub=other", "hub is not a hub of this app."),
        ("hub=", "hub is not a hub of this app."),
        ("hub=chat&hub=chat", "hub stands in the query twice."),
        ("hub=chat&Hub=news", "hub stands in the query twice."),
        ("userId=ann", "'userId' is no parameter of this request: userId belongs in the body."),
        ("userId=", "'userId' is no parameter of this request: userId belongs in the body."),
        ("userid=ann", "'userid' is no parameter of this request: userId belongs in the body."),
        (
            "goupName=g",
            "'goupName' is no parameter of this request: groupName belongs in the body.",
        ),
        ("hubb=chat", "'hubb' is no parameter of this request; did you mean 'hub'?"),
        ("verbose", "'verbose' is no parameter of this request, which may have hub."),
    ],
)
@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("broadcast", {"target": "t"}),
        ("groups", {"action": "removeAll", "userId": "ann"}),
    ],
)
def test_a_parameter_that_would_be_read_over_is_named(
    anonymous_app: FunctionApp, path: str, item: dict[str, str], query: str, detail: str
) -> None:
    answer = anonymous_app.post(f"{path}?{query}", item)
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)


@pytest.mark.parametrize("query", ["code=k", "code=k&clientId=default", "CODE=k&hub=chat", ""])
def test_the_hosts_own_parameters_are_let_through(anonymous_app: FunctionApp, query: str) -> None:
    assert anonymous_app.post(f"broadcast?{query}", {"target": "t"}).status_code == 202
