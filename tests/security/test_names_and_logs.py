"""What a caller cannot do: leave the app's hubs, bend a path, forge a header or the log."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
import requests

from tests.e2e.processes import PATIENCE, FunctionApp, function_app
from tests.scripted_service import Received, Reply, ScriptedService, scripted_service

FORGED = "[2026-01-01T00:00:00.000Z] WARNING forged"
BREAKS = ["\r\n", "\n", "\r", "\x00", "\x85", "\x1b[2K"]
FOREIGN_HUBS = ["other", "../chat", "chat/../news", "chat%2F..", "chat\0", "😀"]
TRICKS = ["..", ".", "a\0b", "n" * 1025, "\r\nX-Forged: 1"]
ODD_NAMES = {
    "../users/admin": "..%2Fusers%2Fadmin",
    "a/b": "a%2Fb",
    "a%2Fb": "a%252Fb",
    "a?hub=news#x": "a%3Fhub%3Dnews%23x",
    "a;b\\c": "a%3Bb%5Cc",
    "👩‍🚀": quote("👩‍🚀"),
    "n" * 1024: "n" * 1024,
}
"""Names that are allowed, and how they stand in the service's path."""

RECIPIENTS = {"userId": "users", "groupName": "groups", "connectionId": "connections"}


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedService]:
    """An identity endpoint and a service that says that there is nothing."""

    def answer(request: Received) -> Reply:
        if request.path.startswith("/msi/token"):
            return Reply(200, body=b'{"access_token": "e30.e30.sig", "expires_on": "99999999999"}')
        return Reply(400)

    with scripted_service(answer) as service:
        yield service


@pytest.fixture(scope="module")
def refusing_app(
    scripted: ScriptedService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    settings = {
        "AzureSignalRConnectionString__serviceUri": scripted.url,
        "IDENTITY_ENDPOINT": f"{scripted.url}/msi/token",
        "IDENTITY_HEADER": "secret",
    }
    with function_app(settings, tmp_path_factory.mktemp("refusing")) as running:
        yield running


def paths_of(scripted: ScriptedService) -> list[str]:
    return [each.path for each in scripted.received if each.path.startswith("/api/hubs")]


def assert_nothing_is_sent(
    app: FunctionApp, scripted: ScriptedService, path: str, body: Mapping[str, object]
) -> None:
    before = len(paths_of(scripted))
    answer = app.post(path, body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert len(paths_of(scripted)) == before


@pytest.mark.parametrize("hub", [*FOREIGN_HUBS, ""])
@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("broadcast", {"target": "t"}),
        ("groups", {"action": "add", "groupName": "g", "userId": "u"}),
    ],
)
def test_a_hub_outside_the_list_is_not_reached_by_a_body(
    refusing_app: FunctionApp,
    scripted: ScriptedService,
    path: str,
    item: Mapping[str, str],
    hub: str,
) -> None:
    assert_nothing_is_sent(refusing_app, scripted, path, {**item, "hub": hub})


@pytest.mark.parametrize("hub", FOREIGN_HUBS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "connections/c"),
        ("DELETE", "connections/c"),
        ("HEAD", "users/u"),
        ("HEAD", "groups/g"),
        ("GET", "groups/g/connections"),
    ],
)
def test_a_hub_outside_the_list_is_not_reached_by_a_query(
    refusing_app: FunctionApp, scripted: ScriptedService, method: str, path: str, hub: str
) -> None:
    before = len(paths_of(scripted))
    answer = requests.request(
        method, f"{refusing_app.url}/{path}", params={"hub": hub}, timeout=PATIENCE
    )
    assert answer.status_code == 400
    assert len(paths_of(scripted)) == before


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("field", RECIPIENTS)
def test_a_name_that_bends_a_path_is_refused_in_a_body(
    refusing_app: FunctionApp, scripted: ScriptedService, field: str, name: str
) -> None:
    assert_nothing_is_sent(refusing_app, scripted, "broadcast", {"target": "t", field: name})
    if field != "groupName":
        action = {"action": "removeAll", field: name}
        assert_nothing_is_sent(refusing_app, scripted, "groups", action)


@pytest.mark.parametrize("name", TRICKS)
def test_a_name_that_bends_a_path_is_refused_in_a_path(
    refusing_app: FunctionApp, scripted: ScriptedService, name: str
) -> None:
    before = len(paths_of(scripted))
    for folder in RECIPIENTS.values():
        # Sent as written: a client's library would take the steps away itself.
        url = f"{refusing_app.url}/{folder}/{quote(name, safe='').replace('.', '%2E')}"
        prepared = requests.Request("HEAD", url).prepare()
        prepared.url = url
        with requests.Session() as session:
            answer = session.send(prepared, timeout=PATIENCE)
        assert answer.status_code in {400, 404}
        assert answer.content == b""
    assert len(paths_of(scripted)) == before


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("field", RECIPIENTS)
def test_an_odd_name_stays_one_step_of_the_path(
    refusing_app: FunctionApp, scripted: ScriptedService, field: str, name: str
) -> None:
    refusing_app.post("broadcast", {"target": "t", field: name})
    expected = f"/api/hubs/chat/{RECIPIENTS[field]}/{ODD_NAMES[name]}/:send?api-version=2022-06-01"
    assert paths_of(scripted)[-1] == expected


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_name_in_a_path_stays_one_step_of_the_path(
    refusing_app: FunctionApp, scripted: ScriptedService, name: str
) -> None:
    url = f"{refusing_app.url}/groups/{quote(name, safe='')}"
    requests.head(url, params={"groupName": name}, timeout=PATIENCE)
    expected = f"/api/hubs/chat/groups/{ODD_NAMES[name]}?api-version=2022-06-01"
    assert paths_of(scripted)[-1] == expected


@pytest.mark.parametrize("name", ["a/b", "a%2Fb", "a%2fb"])
@pytest.mark.parametrize("other", [None, "", "a", "a/c", "a%2Fb/"])
def test_a_name_that_the_host_may_have_changed_asks_about_nobody(
    refusing_app: FunctionApp, scripted: ScriptedService, name: str, other: str | None
) -> None:
    before = len(paths_of(scripted))
    for field, folder in RECIPIENTS.items():
        url = f"{refusing_app.url}/{folder}/{quote(name, safe='')}"
        query = {} if other is None else {field: other}
        assert requests.head(url, params=query, timeout=PATIENCE).status_code == 400
    assert len(paths_of(scripted)) == before


@pytest.mark.parametrize("line_break", BREAKS)
def test_a_line_break_forges_no_line_of_the_log(refusing_app: FunctionApp, line_break: str) -> None:
    forged = f"x{line_break}{FORGED}"
    for field in (*RECIPIENTS, "hub", "target", forged):
        refusing_app.post("broadcast", {"target": "t", field: forged})
        refusing_app.post("groups", {"action": "removeAll", "userId": "u", field: forged})
    for folder in RECIPIENTS.values():
        path = f"{refusing_app.url}/{folder}/{quote(forged, safe='')}"
        requests.delete(path, params={"reason": forged, "hub": forged}, timeout=PATIENCE)
        requests.delete(path, params={"reason": forged}, timeout=PATIENCE)
    assert_log_is_whole(refusing_app.process.output)


@pytest.mark.parametrize("line_break", BREAKS)
def test_a_reason_forges_no_header_and_no_line_of_the_log(
    refusing_app: FunctionApp, scripted: ScriptedService, line_break: str
) -> None:
    reason = f"x{line_break}X-Forged: 1"
    url = f"{refusing_app.url}/connections/c"
    answer = requests.delete(url, params={"reason": reason}, timeout=PATIENCE)
    assert answer.status_code == 502
    assert "X-Forged" not in answer.headers
    assert not [each for each in scripted.received if "X-Forged" in each.headers]
    assert f"reason={quote(reason, safe='').replace('%20', '+')}" in paths_of(scripted)[-1]
    assert_log_is_whole(refusing_app.process.output)


def test_a_caller_and_the_log_see_no_secret(refusing_app: FunctionApp) -> None:
    answer = refusing_app.post("broadcast", {"target": "t", "arguments": ["confidential"]})
    assert answer.status_code == 502
    assert answer.json()["detail"] == "The SignalR service refused the request."
    assert "127.0.0.1" not in answer.text
    output = refusing_app.process.wait_for("Not sent to everyone").string
    for secret in ("e30.e30.sig", "confidential", "IDENTITY_HEADER"):
        assert secret not in output


def assert_log_is_whole(output: str) -> None:
    assert not [line for line in output.splitlines() if line.lstrip().startswith(FORGED)]
    assert "\x00" not in output
    assert "\x1b" not in output
