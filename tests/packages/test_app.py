"""An app that exists, with a `shared` of its own, takes the functions in: the page as it stands."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from load.processes import PATIENCE, ROOT
from tests.e2e.processes import client, free_ports
from tests.e2e.recorded_client import recorded_client
from tests.issuer import running_issuer
from tests.packages.conftest import Environment, clean_environment
from tests.packages.servers import answers, running

PAGE = (ROOT / "docs" / "add-to-your-app.md").read_text()
THREE_LINES, OWN_FUNCTIONS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(OWN_ROUTES,) = re.findall(r"^\| routes of your own \| `(.*?)`", PAGE, re.MULTILINE)
OWN_APP = """
from shared import db


@app.route("orders/negotiate", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def haggle(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(db.offer())


@app.timer_trigger("timer", "0 0 1 1 *")
async def newYear(timer: func.TimerRequest) -> None:
    await signalr.service.send_to_all("chat", "newMessage", ["Happy new year"])
"""
TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
SETTINGS = {"SIGNALR_HUBS": "chat,notifications", "NEGOTIATE_IDENTITY": "anonymous"}


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return free_ports(3)


@pytest.fixture(scope="module")
def emulated(
    environment: Environment, ports: list[int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The settings of an app at the emulator that is installed in the environment."""
    port, service, control = ports
    template = f"http://127.0.0.1:{port}/api/upstream/{{hub}}/{{category}}/{{event}}"
    command = [
        *(str(environment.python), "-m", "signalr_emulator"),
        *("--fresh", "--service-port", str(service), "--control-port", str(control)),
        *("--upstream", f"{template} managed-identity=api://upstream"),
    ]
    folder = tmp_path_factory.mktemp("emulator")
    health = f"http://127.0.0.1:{service}/api/health"
    with running(command, folder, clean_environment(), ready=lambda: answers(health)):
        yield SETTINGS | {
            "AzureSignalRConnectionString__serviceUri": f"http://127.0.0.1:{service}",
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{control}/msi/token",
            "IDENTITY_HEADER": "local-emulator",
            "UPSTREAM_TENANT_ID": TENANT,
            "UPSTREAM_AUDIENCE": "api://upstream",
            "UPSTREAM_KEYS_URL": f"http://127.0.0.1:{control}/{TENANT}/discovery/v2.0/keys",
        }


def write_app(folder: Path, code: str) -> None:
    (folder / "shared").mkdir()
    (folder / "shared" / "__init__.py").write_text("")
    (folder / "shared" / "db.py").write_text("def offer() -> str:\n    return '7 apples'\n")
    (folder / "host.json").write_text(json.dumps({"version": "2.0"}))
    (folder / "function_app.py").write_text(code)


@pytest.fixture(scope="module")
def app(
    environment: Environment,
    emulated: dict[str, str],
    ports: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    write_app(folder, THREE_LINES + OWN_FUNCTIONS + OWN_APP)
    command = [str(environment.python), "-m", "funchost", "--port", str(ports[0])]
    url = f"http://127.0.0.1:{ports[0]}/api"
    settings = clean_environment(**emulated)
    with running(command, folder, settings, ready=lambda: answers(f"{url}/orders/negotiate")):
        yield url


def test_a_client_connects_calls_a_handler_and_gets_what_the_apps_own_function_sends(
    app: str,
) -> None:
    with client(app) as ann:
        ann.connection_id()
        assert ann.invoke("watchOrders") is None
        shipped = requests.post(f"{app}/orders/17/shipped", timeout=PATIENCE)
        assert shipped.status_code == 202
        assert ann.message() == ["17"]
        sent = requests.post(
            f"{app}/broadcast",
            json={"target": "newMessage", "arguments": ["Hello"]},
            timeout=PATIENCE,
        )
        assert sent.status_code == 202
        assert ann.message() == ["Hello"]


def test_a_hub_of_the_app_is_reached_by_its_path(app: str) -> None:
    answer = requests.post(f"{app}/Notifications/negotiate", timeout=PATIENCE)
    assert "?hub=notifications" in answer.json()["url"]


def test_the_apps_own_routes_stay_its_own(app: str) -> None:
    assert requests.post(f"{app}/orders/negotiate", timeout=PATIENCE).text == "7 apples"


def test_with_a_prefix_routes_and_names_have_it(
    environment: Environment, emulated: dict[str, str], tmp_path: Path
) -> None:
    code = THREE_LINES.replace("blueprint()", 'blueprint(prefix="realtime")') + (
        "for each in app.get_functions():\n"
        "    print(each.get_function_name(), each.get_trigger().route)\n"
    )
    write_app(tmp_path, code)
    settings = clean_environment(**emulated)
    ended = subprocess.run(
        [environment.python, "function_app.py"],
        cwd=tmp_path, env=settings, check=True, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    functions = dict(line.split(" ", 1) for line in ended.stdout.splitlines())
    assert functions["realtime_negotiate"] == "realtime/negotiate"
    assert functions["realtime_broadcast"] == "realtime/broadcast"
    assert functions["realtime_negotiate_hub"] == (
        "realtime/{hub:regex(^(chat|notifications)$)}/negotiate"
    )
    assert all(name.startswith("realtime_") for name in functions)


def test_a_sign_in_is_renewed_at_routes_of_the_apps_own(
    environment: Environment, emulated: dict[str, str], tmp_path: Path
) -> None:
    write_app(tmp_path, THREE_LINES.replace("signalr.blueprint()", OWN_ROUTES))
    (port,) = free_ports(1)
    command = [str(environment.python), "-m", "funchost", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/api"
    with running_issuer() as issuer:
        settings = clean_environment(**(emulated | issuer.app_settings))
        with (
            running(command, tmp_path, settings, lambda: answers(url)),
            recorded_client(f"{url}/sockets", "LongPolling", issuer.token()) as ann,
        ):
            ann.token = ""  # so that what is sent shows the next one
            assert ann.refresh().status == 200
            ping = ann.send({"type": 6})
            assert ping is not None
            assert ping.status == 200
            for default in ("negotiate", "refresh"):
                assert requests.post(f"{url}/{default}", timeout=PATIENCE).status_code == 404
