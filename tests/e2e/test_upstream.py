"""Real clients call the hub, and handlers of the app answer."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from tests.e2e.processes import E2E, PATIENCE, Client, Emulator, FunctionApp, client, emulator
from tests.e2e.processes import function_app as running_app

PRINCIPAL = "x-ms-client-principal-id"
TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
AUDIENCE = "api://upstream-test"
APP_ID = "0c8d9f12-3456-4789-8abc-def012345678"
TEMPLATE = "api/upstream/{hub}/{category}/{event}"
ANN = {PRINCIPAL: "ann"}
BOB = {PRINCIPAL: "bob"}
USERS = {"WEBSITE_AUTH_ENABLED": "True", "NEGOTIATE_IDENTITY": "app-service"}


@pytest.fixture(params=["json", "messagepack"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Upstreams:
    """The emulator's settings.json, which it reads again at each event."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.point_to(None)

    def point_to(
        self, app: FunctionApp | None, *, token: bool = True, audience: str = AUDIENCE
    ) -> None:
        auth = {"Type": "ManagedIdentity", "ManagedIdentity": {"Resource": audience}}
        template = {
            "UrlTemplate": f"{app.url.removesuffix('/api')}/{TEMPLATE}" if app else "",
            "Auth": auth if token else None,
        }
        settings = {"UpstreamSettings": {"Templates": [template] if app else []}}
        replacement = self.file.with_suffix(".new")
        replacement.write_text(json.dumps(settings))
        replacement.replace(self.file)


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Upstreams:
    return Upstreams(tmp_path_factory.mktemp("upstreams") / "settings.json")


@pytest.fixture(scope="module")
def service(upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("emulator") / "emulator.log"
    with emulator(log, "--upstream-settings", str(upstreams.file)) as running:
        yield running


def verification(service: Emulator) -> dict[str, str]:
    return {
        "UPSTREAM_TENANT_ID": TENANT,
        "UPSTREAM_AUDIENCE": f"{AUDIENCE},{APP_ID}",
        "UPSTREAM_KEYS_URL": f"{service.control_url}/{TENANT}/discovery/v2.0/keys",
    }


@pytest.fixture(scope="module")
def handlers(
    service: Emulator, upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FunctionApp]:
    """An app with handlers for the tests."""
    settings = {**service.app_settings, **verification(service), **USERS}
    with running_app(settings, tmp_path_factory.mktemp("app"), E2E / "upstream_app") as app:
        upstreams.point_to(app)
        yield app


@pytest.fixture(scope="module")
def example(service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    """The app of this repository, with its example handlers."""
    settings = {**service.app_settings, **verification(service), **USERS}
    with running_app(settings, tmp_path_factory.mktemp("example")) as app:
        yield app


@pytest.fixture
def ann(handlers: FunctionApp, upstreams: Upstreams, protocol: str) -> Iterator[Client]:
    upstreams.point_to(handlers)
    with client(handlers.url, protocol=protocol, **ANN) as connected:
        connected.connection_id()
        yield connected


def test_results(ann: Client) -> None:
    assert ann.invoke("add", 20, 22) == 42
    assert ann.invoke("ADD", 20, 22) == 42
    values = ["ä", None, 1.5, {"deep": [True, []]}, "x" * 20_000]
    assert ann.invoke("echo", *values) == {"user": "ann", "claims": {}, "values": values}
    assert ann.invoke("grüße/an", "alle") == "grüße/an alle"


def test_errors(ann: Client, handlers: FunctionApp) -> None:
    assert ann.failure("refuse") == "Not for ann."
    assert ann.failure("none") == "This hub has no method 'none'."
    assert ann.failure("add", 1) == "Argument 2 (other) is missing."
    assert ann.failure("add", 1, "x") == "Argument 2 (other): Expected `int`, got `str`"
    assert ann.failure("echo", "x" * 2**20).endswith(" bytes long; 1048576 are accepted.")
    assert ann.failure("crash") == "The method failed."
    handlers.process.wait_for(r"RuntimeError: secret of ann")


def test_there_are_no_streams(ann: Client) -> None:
    assert "streams" in ann.failure("add", 1, 2, kind="stream")
    assert ann.invoke("add", 1, 2) == 3


def test_a_client_that_does_not_wait(ann: Client) -> None:
    ann.call("send", "watch")
    ann.next("sent")
    ann.call("send", "crash")
    ann.next("sent")
    assert ann.invoke("add", 1, 2) == 3


def test_clients_that_come_and_go_are_seen(
    ann: Client, handlers: FunctionApp, protocol: str
) -> None:
    ann.invoke("watch")
    with client(f"{handlers.url}?room=7", protocol=protocol, **BOB) as bob:
        bob_id = bob.connection_id()
        # The query is that of the service's address: the one of the app's ends at the redirect.
        assert ann.message() == ["connected", bob_id, "bob", {"hub": ["chat"]}]
    assert ann.message() == ["disconnected", bob_id, "bob", None]


def test_a_handler_closes_the_connection(ann: Client) -> None:
    ann.call("send", "close")
    ann.next("sent")
    assert ann.next("closed")


def test_the_example_handlers(example: FunctionApp, upstreams: Upstreams, protocol: str) -> None:
    upstreams.point_to(example)
    with (
        client(example.url, protocol=protocol, **ANN) as ann,
        client(example.url, protocol=protocol, **BOB) as bob,
    ):
        ann.connection_id()
        bob.connection_id()
        ann.invoke("joinGroup", "room")
        bob.call("send", "sendToGroup", "room", "for the room")
        bob.next("sent")
        assert ann.message() == ["bob", "for the room", "room"]
        ann.call("send", "sendMessage", "for all")
        ann.next("sent")
        assert ann.message() == ["ann", "for all"]
        assert bob.message() == ["ann", "for all"]
        assert ann.failure("sendMessage", {}) == ("Argument 1 (text): Expected `str`, got `object`")


def test_tokens_of_version_2(handlers: FunctionApp, upstreams: Upstreams) -> None:
    upstreams.point_to(handlers, audience=APP_ID)
    with client(handlers.url, **ANN) as ann:
        ann.connection_id()
        assert ann.invoke("add", 20, 22) == 42


def test_a_token_for_another_app_is_refused_and_the_log_names_it(
    handlers: FunctionApp, upstreams: Upstreams
) -> None:
    other = "1c8d9f12-3456-4789-8abc-def012345678"
    upstreams.point_to(handlers, audience=other)
    with client(handlers.url, **ANN) as ann:
        ann.connection_id()
        assert ann.failure("add", 1, 2) == "Invocation failed, status code 401"
    handlers.process.wait_for(f"login.microsoftonline.com/{TENANT}/v2.0.*{other}")


def test_what_the_service_cannot_prove_runs_nothing(
    handlers: FunctionApp, upstreams: Upstreams, protocol: str
) -> None:
    upstreams.point_to(handlers, token=False)
    before = handlers.process.output.count("A call was refused")
    with client(handlers.url, protocol=protocol, **ANN) as ann:
        ann.connection_id()
        assert ann.failure("add", 1, 2) == "Invocation failed, status code 401"
    assert handlers.process.output.count("A call was refused") > before


def test_nothing_passes_where_nothing_is_configured(
    service: Emulator, upstreams: Upstreams, tmp_path: Path
) -> None:
    with running_app({**service.app_settings, **USERS}, tmp_path) as unset:
        upstreams.point_to(unset)
        with client(unset.url, **ANN) as ann:
            ann.connection_id()
            assert ann.failure("sendMessage", "x") == "Invocation failed, status code 401"
        unset.process.wait_for("UPSTREAM_TENANT_ID and UPSTREAM_AUDIENCE are not set")


def test_a_signature_of_a_local_key_lets_a_call_pass(
    service: Emulator, upstreams: Upstreams, tmp_path: Path
) -> None:
    connection_string = (
        f"Endpoint={service.service_url};"
        "AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH;Version=1.0;"
    )
    with running_app({"AzureSignalRConnectionString": connection_string, **USERS}, tmp_path) as app:
        upstreams.point_to(app, token=False)
        with client(app.url, **ANN) as ann:
            ann.connection_id()
            ann.call("send", "sendMessage", "signed")
            ann.next("sent")
            assert ann.message() == ["ann", "signed"]


def forged(app: FunctionApp, **headers: str) -> requests.Response:
    named: Mapping[str, str] = {
        "X-ASRS-Hub": "chat",
        "X-ASRS-Category": "messages",
        "X-ASRS-Event": "crash",
        "X-ASRS-Connection-Id": "c1",
        "X-ASRS-User-Id": "mallory",
        "Content-Type": "application/json",
    } | headers
    body = b'{"type":1,"target":"crash","arguments":[]}'
    url = f"{app.url}/upstream/chat/messages/crash"
    return requests.post(url, data=body, headers=named, timeout=PATIENCE)


def test_a_stranger_is_refused(handlers: FunctionApp, service: Emulator) -> None:
    own = requests.get(
        service.app_settings["IDENTITY_ENDPOINT"],
        params={"api-version": "2019-08-01", "resource": "https://signalr.azure.com"},
        headers={"X-IDENTITY-HEADER": service.app_settings["IDENTITY_HEADER"]},
        timeout=PATIENCE,
    ).json()["access_token"]
    for headers in (
        {},
        {"Authorization": f"Bearer {own}"},
        {"X-ASRS-Signature": "sha256=00"},
        {"X-ASRS-User-Claims": "a: b, Authorization: Bearer x"},
    ):
        answer = forged(handlers, **headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="upstream"'
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 401
    assert "mallory" not in handlers.process.output


def test_handlers_serve_the_hubs_of_their_application_alone(
    service: Emulator, upstreams: Upstreams, handlers: FunctionApp, tmp_path: Path
) -> None:
    settings = {**service.app_settings, **verification(service), **USERS}
    settings["SIGNALR_APPLICATION"] = "alice"
    with running_app(settings, tmp_path, E2E / "upstream_app") as app:
        upstreams.point_to(app)
        with client(app.url, **ANN) as ann, client(handlers.url, **BOB) as bob:
            ann.connection_id()
            bob.connection_id()
            assert ann.invoke("add", 20, 22) == 42
            assert "404" in bob.failure("add", 20, 22)
