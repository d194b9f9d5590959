"""Real clients meet the rules of an app: hubs by pattern, chosen by its policy, and groups."""

from collections.abc import Iterator

import pytest
import requests

from tests.e2e.processes import E2E, PATIENCE, Emulator, FunctionApp, client, emulator, free_ports
from tests.e2e.processes import function_app as running_app

TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
AUDIENCE = "api://rules-test"
PRINCIPAL = "x-ms-client-principal-id"
ANN, BOB = {PRINCIPAL: "ann"}, {PRINCIPAL: "bob"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    folder = tmp_path_factory.mktemp("rules")
    (port,) = free_ports(1)
    template = f"http://127.0.0.1:{port}/api/upstream/{{hub}}/{{category}}/{{event}}"
    upstream = ("--upstream", f"{template} managed-identity={AUDIENCE}")
    with emulator(folder / "emulator.log", *upstream) as service:
        settings = {
            **service.app_settings,
            **verification(service),
            "WEBSITE_AUTH_ENABLED": "True",
            "NEGOTIATE_IDENTITY": "app-service",
            "SIGNALR_HUBS": "tenant_*",
            "SIGNALR_APPLICATION": "alice",
        }
        with running_app(settings, folder, E2E / "rules_app", "--port", str(port)) as running:
            yield running


def verification(service: Emulator) -> dict[str, str]:
    return {
        "UPSTREAM_TENANT_ID": TENANT,
        "UPSTREAM_AUDIENCE": AUDIENCE,
        "UPSTREAM_KEYS_URL": f"{service.control_url}/{TENANT}/discovery/v2.0/keys",
    }


def test_the_policy_chooses_the_hub_and_the_connected_event_joins_groups(app: FunctionApp) -> None:
    with client(f"{app.url}?tenant=7", **ANN) as ann, client(f"{app.url}?tenant=8", **BOB) as bob:
        for each in (ann, bob):
            each.connection_id()
        # Each hears of itself, since it is in the group already, and of nobody at another tenant.
        assert ann.message() == ["tenant_7", "ann"]
        assert bob.message() == ["tenant_8", "bob"]
        with client(f"{app.url}/tenant_7", **BOB) as other:
            other.connection_id()
            assert other.message() == ["tenant_7", "bob"]
            assert ann.message() == ["tenant_7", "bob"]
            message = {"target": "newMessage", "arguments": ["hi"], "groupName": "only/ann"}
            sent = requests.post(
                f"{app.url}/broadcast?hub=TENANT_7", json=message, timeout=PATIENCE
            )
            assert sent.status_code == 202, sent.text
            assert ann.message() == ["hi"]


def test_the_policy_asks_the_service(app: FunctionApp) -> None:
    with client(f"{app.url}?tenant=9", **ANN) as ann:
        ann.connection_id()
        assert ann.message() == ["tenant_9", "ann"]
        refused = negotiate(app, "negotiate?tenant=9")
        assert (refused.status_code, refused.json()["detail"]) == (403, "You are here already.")
        assert negotiate(app, "negotiate?tenant=10").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("negotiate", 400, "hub is missing, and this app has no default one: name it in the path"),
        ("tenant_1/negotiate", 200, ""),
        ("TENANT_1/negotiate", 200, ""),
        ("negotiate?hub=tenant_1", 200, ""),
        ("negotiate?hub=chat", 404, "This app serves no such hub."),
        ("tenant_a%2Fb/negotiate", 404, "This app serves no such hub."),
        (f"tenant_{'x' * 120}/negotiate", 404, "This app serves no such hub."),
    ],
)
def test_the_pattern_says_which_hubs_there_are(
    app: FunctionApp, path: str, status: int, detail: str
) -> None:
    answer = negotiate(app, path)
    assert answer.status_code == status
    assert answer.json().get("detail", "").startswith(detail)
    if status == 200:
        assert answer.json()["url"].endswith("/client/?hub=alice_tenant_1")


def test_another_route_stays_free(app: FunctionApp) -> None:
    answer = negotiate(app, "orders/negotiate")
    assert (answer.status_code, answer.content) == (404, b"")


def negotiate(app: FunctionApp, path: str) -> requests.Response:
    return requests.post(f"{app.url}/{path}", headers=ANN, timeout=PATIENCE)
