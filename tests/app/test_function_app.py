"""The app as the Functions worker finds it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "AzureSignalRConnectionString__serviceUri": "https://contoso.service.signalr.net",
    "SIGNALR_HUBS": "chat",
    "NEGOTIATE_IDENTITY": "anonymous",
}


def run_python(code: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_functions_with_their_routes_and_auth_levels() -> None:
    code = (
        "import json, function_app\n"
        "triggers = {}\n"
        "for each in function_app.app.get_functions():\n"
        "    trigger = json.loads(each.get_raw_bindings()[0])\n"
        "    route, level = trigger['route'], trigger['authLevel']\n"
        "    triggers[each.get_function_name()] = [route, level.lower()]\n"
        "print(json.dumps(triggers))"
    )
    ended = run_python(code, SETTINGS)
    # A route of one's own is no fault.
    assert (
        json.loads(ended.stdout).items()
        >= {
            "negotiate": ["negotiate", "anonymous"],
            "negotiate_hub": ["{hub}/negotiate", "anonymous"],
            "broadcast": ["broadcast", "function"],
            "groups": ["groups", "function"],
            "connection": ["connections/{connectionId}", "function"],
            "connected_user": ["users/{userId}", "function"],
            "group": ["groups/{groupName}", "function"],
            "group_connections": ["groups/{groupName}/connections", "function"],
            "upstream": ["upstream/{hub}/{category}/{event}", "anonymous"],
            "health": ["health", "anonymous"],
        }.items()
    )


def test_the_description_has_every_function_and_says_who_needs_a_key() -> None:
    code = (
        "import json, function_app\n"
        "from shared.functions.openapi.document import document\n"
        "for each in function_app.app.get_functions():\n"
        "    print(each.get_raw_bindings()[0])\n"
        "print(json.dumps(document(function_app.signalr.registered, 'openapi.json')['paths']))"
    )
    ended = run_python(code, SETTINGS | {"SIGNALR_OPENAPI": "true"})
    *lines, paths = ended.stdout.splitlines()
    triggers = [json.loads(line) for line in lines]
    keyed = {f"/{each['route']}": each["authLevel"] == "FUNCTION" for each in triggers}
    # The service calls it, and nobody else.
    assert keyed.pop("/upstream/{hub}/{category}/{event}") is False
    described = {
        path: bool(operation["security"])
        for path, operations in json.loads(paths).items()
        for operation in operations.values()
    }
    assert described.items() <= keyed.items()
    assert len(described) == 12


@pytest.mark.parametrize(
    "module",
    [
        "azure.identity",
        "jwt",
        "msgspec",
        "shared.functions.openapi.document",
        "shared.persistent",
        "websockets",
        "shared.identity.failures",
    ],
)
def test_a_cold_start_leaves_what_takes_long_for_later(module: str) -> None:
    code = f"import function_app, sys; print('{module}' in sys.modules)"
    # Without a key to get there is no thread that imports meanwhile.
    settings = {**SETTINGS, "SIGNALR_OPENAPI": "true", "SIGNALR_CLIENT_TOKENS": "service"}
    ended = run_python(code, settings)
    assert ended.stdout == "False\n", ended.stderr


def test_the_service_client_needs_no_functions() -> None:
    code = "import shared, shared.aio, sys; print('azure.functions' in sys.modules)"
    assert run_python(code, {}).stdout == "False\n"


def test_a_policy_may_import_the_service_client_and_what_else_the_library_has(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "negotiate"
    folder.mkdir()
    for file in (ROOT / "negotiate").glob("*.py"):
        text = file.read_text()
        if file.name == "policy.py":
            text = (
                "from shared import SignalRServiceClient as Blocking\n"
                "from shared.aio import SignalRServiceClient\n"
                "from shared.functions import NegotiateRequest, SignalRFunctions\n" + text
            )
        (folder / file.name).write_text(text)
    for first in ("function_app", "negotiate.policy"):
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {first}, function_app"
        code += "; print(sys.modules['negotiate.policy'].SignalRServiceClient.__module__)"
        ended = run_python(code, SETTINGS)
        assert ended.stdout == "shared.aio\n", ended.stderr


def test_a_handler_of_a_hub_that_is_not_served_is_told_with_its_place() -> None:
    ended = run_python("import function_app", {**SETTINGS, "SIGNALR_HUBS": "news"})
    assert ended.returncode == 1
    lines = (ROOT / "events.py").read_text().splitlines()
    line = lines.index('@events.on_message("chat", "enter")') + 1
    assert ended.stderr.splitlines()[-1] == (
        f"shared.errors.InvalidArgumentError: events has the handler enter (events.py, line {line})"
        " for the hub 'chat', which the app does not serve. Add the hub, for example"
        " SIGNALR_HUBS=news,chat, or take the handler away"
    )


@pytest.mark.parametrize("missing", SETTINGS)
def test_a_missing_setting_ends_the_import_with_its_name(missing: str) -> None:
    ended = run_python("import function_app", {**SETTINGS, missing: ""})
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert re.search(rf"SettingsError: {missing} is not set.* Example: {missing}=\S+", last)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("NEGOTIATE_CLAIMS", "name"),
        ("NEGOTIATE_CLOSE_ON_EXPIRATION", "true"),
        ("NEGOTIATE_UNIQUE_TOKENS", "true"),
    ],
)
def test_so_does_one_that_the_services_own_tokens_cannot_meet(setting: str, value: str) -> None:
    origin = {"SIGNALR_CLIENT_TOKENS": "service"}
    ended = run_python("import function_app", SETTINGS | origin | {setting: value})
    assert ended.returncode == 1
    assert f"{setting} needs claims in client tokens" in ended.stderr
    assert "Example: SIGNALR_CLIENT_TOKENS=access-key" in ended.stderr


def test_a_transport_type_that_is_none_ends_the_import_with_those_that_are() -> None:
    ended = run_python(
        "import function_app", SETTINGS | {"AzureSignalRServiceTransportType": "WebSockets"}
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "shared.errors.SettingsError: AzureSignalRServiceTransportType is 'WebSockets', and can be"
        " 'Transient' or 'Persistent'. Example: AzureSignalRServiceTransportType=Persistent"
    )


@pytest.mark.parametrize("missing", ["websockets", "msgspec"])
def test_server_connections_without_their_packages_end_the_import(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import function_app"
    ended = run_python(code, SETTINGS | {"AzureSignalRServiceTransportType": "Persistent"})
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert "AzureSignalRServiceTransportType is 'Persistent'" in last
    assert "websockets>=15" in last
    assert "keyless-signalr[persistent]" in last


def test_the_example_of_local_settings_is_right() -> None:
    example = json.loads((ROOT / "local.settings.json.example").read_text())
    values = example["Values"]
    assert run_python("import function_app", values).returncode == 0
    assert "AccessKey" not in json.dumps(example)
