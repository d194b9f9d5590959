import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from signalr_emulator import Config
from signalr_emulator.access_control.roles import APP_SERVER, BUILT_IN_ROLES
from signalr_emulator.cli import main
from signalr_emulator.configuration.document import Choices
from signalr_emulator.configuration.file import read_config_file
from signalr_emulator.configuration.options import read_options
from signalr_emulator.configuration.schema import schema_text
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.configuration.settings import APP_REGISTRATION, FurtherService
from signalr_emulator.configuration.state_dir import default_state_dir
from signalr_emulator.entra.applications import Application
from signalr_emulator.entra.certificates import ClientCertificate
from signalr_emulator.entra.federation import FederatedCredential
from signalr_emulator.entra.identities import Identity, IdentityKind
from signalr_emulator.errors import ConfigFileError
from signalr_emulator.server_connections.timing import ServerTiming
from signalr_emulator.testing import ControlError, running_emulator
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import UpstreamConfig, parse_template

SCHEMA: dict[str, Any] = json.loads(schema_text())
README = Path(__file__).parents[2] / "README.md"

ONE, TWO = "1b6e0c52-9a3f-4d71-8c24-5f90ab37de18", "e40f7a93-26d8-4b1c-b5e7-0c89f1d2a364"
SUBSCRIPTION = f"/subscriptions/{ONE}"
GROUP = "/providers/Microsoft.Management/managementGroups/contoso"
TEMPLATE = "http://localhost/{hub} event=say managed-identity=api://app"
CERTIFICATE = ClientCertificate.generate().certificate

EVERYTHING: dict[str, Any] = {
    "$schema": "config.schema.json",
    "host": "::1",
    "services": [{"name": "orders", "port": 1}, {"name": "other", "port": 2}, {"port": 3}],
    "controlPort": 4,
    "authorityPort": 5,
    "tls": True,
    "caFile": "ca.pem",
    "federatedTokenFile": "token",
    "stateDir": "state",
    "role": "SignalR App Server",
    "serviceMode": "Default",
    "authenticationRefresh": False,
    "hostNames": ["Signalr.Local."],
    "allowedOrigins": ["https://Contoso.com"],
    "identityHeader": "header",
    "identities": [{"kind": "user", "principalId": ONE, "clientId": TWO, "resourceId": "/id"}],
    "applications": [
        {
            "clientId": ONE,
            "principalId": TWO,
            "secret": "s",
            "certificateFile": "certificate.pem",
            "federatedCredentials": [{"issuer": "i", "subject": "s", "audience": "a"}],
        }
    ],
    "operators": [TWO],
    "tenantId": ONE,
    "tenantDomain": "contoso.example",
    "managementGroup": GROUP,
    "subscription": SUBSCRIPTION,
    "resourceGroup": "dev",
    "serviceNames": ["Signalr.Example"],
    "disableLocalAuth": True,
    "primaryKey": "p" * 32,
    "secondaryKey": "s" * 32,
    "invocationTimeout": 1.5,
    "serverTiming": {"handshake": 1, "keepAlive": 2, "timeout": 3, "invocation": 4},
    "timing": {
        "connect": 1,
        "handshake": 2,
        "keepAlive": 3,
        "clientTimeout": 4,
        "poll": 5,
        "pollIdle": 6,
        "reconnect": 7,
        "linger": 8,
        "expiryScan": 9,
    },
    "upstream": {
        "templates": [TEMPLATE],
        "settingsFile": "settings.json",
        "timeout": 1,
        "concurrency": 2,
        "maxWaitingClients": 3,
        "retryDelays": [0.5, 1],
        "wholeQuery": True,
    },
    "maxWriteBuffer": 4096.0,
}

OPTIONS = {
    "--host": "host",
    "--service-port": "services",
    "--service": "services",
    "--control-port": "controlPort",
    "--authority-port": "authorityPort",
    "--tls": "tls",
    "--no-tls": "tls",
    "--ca-file": "caFile",
    "--federated-token-file": "federatedTokenFile",
    "--state-dir": "stateDir",
    "--fresh": "stateDir",
    "--role": "role",
    "--service-mode": "serviceMode",
    "--authentication-refresh": "authenticationRefresh",
    "--no-authentication-refresh": "authenticationRefresh",
    "--host-name": "hostNames",
    "--allowed-origin": "allowedOrigins",
    "--upstream": "upstream",
    "--upstream-settings": "upstream",
    "--upstream-retries": "upstream",
    "--upstream-whole-query": "upstream",
    "--no-upstream-whole-query": "upstream",
    "--access-key": "primaryKey",
    "--secondary-access-key": "secondaryKey",
    "--disable-local-auth": "disableLocalAuth",
    "--no-disable-local-auth": "disableLocalAuth",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "certificate.pem").write_text(CERTIFICATE)
    (tmp_path / "settings.json").write_text('{"UpstreamSettings": {"Templates": []}}')
    return tmp_path


def written(folder: Path, document: object, name: str = "emulator.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a schema and every one in it."""
    yield schema
    for each in [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]:
        yield from objects(each)


def everything(schema: dict[str, Any], value: Any) -> None:  # noqa: ANN401 - JSON
    """Check that a value has every property of its schema, at every depth."""
    if "properties" in schema:
        assert value.keys() == schema["properties"].keys()
        for name, each in schema["properties"].items():
            everything(each, value[name])
    if "items" in schema:
        everything(schema["items"], value[0])


def test_every_property_is_explained() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for schema in objects(SCHEMA):
        assert schema["title"]
        assert schema["description"].endswith(".")
        assert ("properties" in schema) is (schema.get("additionalProperties") is False)
        for example in [*schema["examples"], *filter(None, [schema.get("default")])]:
            Draft202012Validator(schema).validate(example)


def test_every_property_has_its_field(folder: Path) -> None:
    everything(SCHEMA, EVERYTHING)
    choices = read_config_file(written(folder, EVERYTHING))
    assert choices == Choices(
        config=Config(
            host="::1",
            service_port=1,
            further_services=(FurtherService(2, "other"), FurtherService(3)),
            control_port=4,
            authority_port=5,
            tls=True,
            role=APP_SERVER,
            service_mode=ServiceMode.DEFAULT,
            authentication_refresh=False,
            host_names=frozenset(["signalr.local"]),
            allowed_origins=frozenset(["https://contoso.com"]),
            identity_header="header",
            identities=(Identity(IdentityKind.USER_ASSIGNED, ONE, TWO, "/id"),),
            applications=(
                APP_REGISTRATION,
                Application(ONE, TWO, "s", CERTIFICATE, (FederatedCredential("i", "s", "a"),)),
            ),
            operators=(TWO,),
            tenant_id=ONE,
            tenant_domain="contoso.example",
            management_group=GROUP,
            subscription=SUBSCRIPTION,
            resource_id=f"{SUBSCRIPTION}/resourceGroups/dev/providers/Microsoft.SignalRService"
            "/SignalR/orders",
            service_names=frozenset(["signalr.example"]),
            local_auth=False,
            primary_key="p" * 32,
            secondary_key="s" * 32,
            invocation_timeout=1.5,
            server_timing=ServerTiming(1, 2, 3, 4),
            timing=Timing(1, 2, 3, 4, 5, 6, 7, 8, 9),
            upstream=UpstreamConfig(
                (parse_template(TEMPLATE),), folder / "settings.json", 1, 2, 3, (0.5, 1), True
            ),
            max_write_buffer=4096,
        ),
        ca_file=folder / "ca.pem",
        federated_token_file=folder / "token",
        state_dir=folder / "state",
    )
    assert type(choices.config.max_write_buffer) is int
    names = [resource.name for resource in choices.config.resources]
    assert names == ["orders", "other", "orders-3"]
    default = Choices()
    for chosen, other in (
        (choices, default),
        (choices.config, default.config),
        (choices.config.server_timing, default.config.server_timing),
        (choices.config.timing, default.config.timing),
        (choices.config.upstream, default.config.upstream),
    ):
        same = {f.name for f in fields(chosen) if getattr(chosen, f.name) == getattr(other, f.name)}
        assert same <= {"verbose"}, "what only an option chooses"


@pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"$schema"}))
def test_every_property_counts_on_its_own(folder: Path, name: str) -> None:
    assert read_config_file(written(folder, {name: EVERYTHING[name]})) != Choices()


def test_defaults_of_the_schema_are_those_of_the_emulator(folder: Path) -> None:
    defaults = {
        name: each["default"] for name, each in SCHEMA["properties"].items() if "default" in each
    }
    assert SCHEMA["properties"].keys() - defaults.keys() == {
        *("$schema", "caFile", "federatedTokenFile", "stateDir")
    }
    for name in ("serverTiming", "timing", "upstream"):
        properties = SCHEMA["properties"][name]["properties"]
        defaults[name] = {n: each["default"] for n, each in properties.items() if "default" in each}
    assert read_config_file(written(folder, defaults)) == Choices()
    assert read_config_file(written(folder, {})) == Choices()


def test_every_option_has_its_property(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    usage, _, text = capsys.readouterr().out.partition("options:")
    listed = re.findall(r"^  (-\S.*?)(?:  |$)", text, re.MULTILINE)
    options = set(re.findall(r"--[a-z-]+", " ".join(listed)))
    assert "--config FILE" in usage
    assert options == {
        *(*OPTIONS, "--config"),
        *("--print-config-schema", "--help", "--verbose", "--version"),
    }
    assert set(OPTIONS.values()) <= SCHEMA["properties"].keys()
    assert "an option wins over the file, and the file over the defaults" in " ".join(text.split())


def test_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--print-config-schema"])
    assert caught.value.code == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_example_of_the_readme(tmp_path: Path) -> None:
    (text,) = re.findall(
        r'^```json\n(\{\n  "\$schema".*?)^```$', README.read_text(), re.MULTILINE | re.DOTALL
    )
    config = read_config_file(written(tmp_path, text)).config
    assert [each.name for each in config.resources] == ["orders", "orders-backup"]
    assert config.upstream.templates[0].matches("chat", "messages", "say")


def test_several_identities_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, {"identities": EVERYTHING["identities"] * 2})
    assert len(read_config_file(path).config.identities) == 2


def test_toml(tmp_path: Path) -> None:
    text = 'controlPort = 4\n[[services]]\nport = 1\nname = "orders"\n'
    config = read_config_file(written(tmp_path, text, "emulator.TOML")).config
    assert (config.control_port, config.resources[0].name) == (4, "orders")


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "emulator.json"
    path.write_bytes(b'\xef\xbb\xbf{"controlPort": 4}')
    assert read_config_file(path).config.control_port == 4


async def test_starts_with_the_file(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    first, second, control, authority = (unused_tcp_port_factory() for _ in range(4))
    document = {
        "services": [{"name": "orders", "port": first}, {"name": "other", "port": second}],
        "controlPort": control,
        "authorityPort": authority,
        "caFile": "ca.pem",
        "identityHeader": "mine",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signalr_emulator"),
        *("--fresh", "--config", str(written(tmp_path, document))),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = (await process.stdout.readuntil(b"Emulator ready.\n")).decode()
    async with aiohttp.ClientSession() as session:
        for port in (first, second):
            async with session.get(f"http://127.0.0.1:{port}/api/health") as response:
                assert response.status == 200
        async with session.get(f"http://127.0.0.1:{control}/emulator/state") as response:
            assert (await response.json())["resources"].keys() == {"orders", "other"}
    process.terminate()
    assert await process.wait() == 0
    lines = said.splitlines()
    assert f"Azure__SignalR__Endpoints__other__serviceUri=http://127.0.0.1:{second}" in lines
    assert "IDENTITY_HEADER=mine" in lines
    assert f"  # AZURE_AUTHORITY_HOST=https://127.0.0.1:{authority}" in lines
    assert f"  # REQUESTS_CA_BUNDLE={tmp_path / 'ca.pem'}" in lines


def test_names_in_the_schema_are_those_of_the_emulator() -> None:
    choices = {name: each["enum"] for name, each in SCHEMA["properties"].items() if "enum" in each}
    assert choices == {
        "role": [*BUILT_IN_ROLES, "none"],
        "serviceMode": [mode.value for mode in ServiceMode],
    }


@pytest.mark.parametrize("mode", ServiceMode)
def test_every_service_mode_from_a_file(folder: Path, mode: ServiceMode) -> None:
    choices = read_config_file(written(folder, {"serviceMode": mode.value}))
    assert choices.config.service_mode is mode


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--host", "localhost"], {"host": "localhost"}),
        (["--control-port", "9"], {"control_port": 9}),
        (["--authority-port", "9"], {"authority_port": 9}),
        (["--no-tls"], {"tls": False}),
        (["--role", "none"], {"role": None}),
        (
            ["--host-name", "A.bc.", "--host-name", "[::2]"],
            {"host_names": frozenset(["a.bc", "[::2]"])},
        ),
        (["--allowed-origin", "http://A.bc/"], {"allowed_origins": frozenset(["http://a.bc"])}),
        (["--authentication-refresh"], {"authentication_refresh": True}),
        (["--service-mode", "Serverless"], {"service_mode": ServiceMode.SERVERLESS}),
        (["--access-key", "a" * 32], {"primary_key": "a" * 32}),
        (["--secondary-access-key", "a" * 32], {"secondary_key": "a" * 32}),
        (["--no-disable-local-auth"], {"local_auth": True}),
        (["--service", "9"], {"service_port": 9, "further_services": ()}),
        (
            [*("--service", "8", "--service", "9")],
            {"service_port": 8, "further_services": (FurtherService(9, "other"),)},
        ),
        (
            [part for port in "6789" for part in ("--service", port)],
            {
                "service_port": 6,
                "further_services": (FurtherService(7, "other"), *map(FurtherService, (8, 9))),
            },
        ),
    ],
)
def test_option_wins_over_the_file(
    folder: Path, arguments: list[str], expected: dict[str, Any]
) -> None:
    path = written(folder, EVERYTHING)
    config = read_config_file(path).config
    assert read_options(["--config", str(path)]).config == config
    chosen = read_options([*arguments, "--config", str(path)]).config
    assert chosen == replace(config, **expected)
    assert chosen != config


def test_option_that_names_a_file_wins(folder: Path) -> None:
    path = written(folder, EVERYTHING)
    own = written(folder, '{"UpstreamSettings": {"Templates": []}}', "own.json")
    choices = read_options(
        [
            *("--ca-file", "a", "--federated-token-file", "b", "--upstream", "http://x"),
            *("--upstream-settings", str(own), "--config", str(path)),
            *("--upstream-retries", "--no-upstream-whole-query"),
        ]
    )
    assert (choices.ca_file, choices.federated_token_file) == (Path("a"), Path("b"))
    assert choices.config.upstream == replace(
        read_config_file(path).config.upstream,
        templates=(parse_template("http://x"),),
        settings_file=own,
        retry_delays=(1.0, 3.0, 5.0),
        whole_query=False,
    )


def test_the_last_word_on_the_state_folder_counts(folder: Path) -> None:
    path = written(folder, EVERYTHING)
    for options, expected in (
        ([], folder / "state"),
        (["--fresh"], None),
        (["--state-dir", "a"], Path("a")),
        (["--fresh", "--state-dir", "a"], Path("a")),
        (["--state-dir", "a", "--fresh"], None),
    ):
        assert read_options(["--config", str(path), *options]).state_dir == expected


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"XDG_STATE_HOME": "/state"}, "linux", "/state/signalr-emulator"),
        ({"XDG_STATE_HOME": "/state"}, "darwin", "/state/signalr-emulator"),
        ({"XDG_STATE_HOME": "state"}, "linux", "/home/ann/.local/state/signalr-emulator"),
        ({}, "linux", "/home/ann/.local/state/signalr-emulator"),
        ({}, "darwin", "/home/ann/Library/Application Support/signalr-emulator"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/signalr-emulator"),
        ({}, "win32", "/home/ann/AppData/Local/signalr-emulator"),
    ],
)
def test_state_folder_of_a_user(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], platform: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert default_state_dir(environment, platform) == Path(expected)


def errors(path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Start with a wrong file, and give what is told."""
    with pytest.raises(SystemExit) as caught:
        main(["--config", str(path)])
    captured = capsys.readouterr()
    assert caught.value.code == 2
    assert captured.out == ""
    return captured.err.splitlines()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "# has to be an object. Example: {"),
        ({"hots": ""}, "#/hots is unknown. Known here: host"),
        ({"~/": 1}, "#/~0~1 is unknown. Known here: $schema, host, services, "),
        ({"host": 1}, '#/host has to be a string. Example: "127.0.0.1"'),
        ({"hostNames": ["a:1"]}, "#/hostNames/0 does not fit its description: Host name without"),
        ({"controlPort": "1"}, "#/controlPort has to be an integer. Example: 8889"),
        ({"controlPort": True}, "#/controlPort has to be an integer. Example: 8889"),
        ({"controlPort": 1.5}, "#/controlPort has to be an integer. Example: 8889"),
        ({"controlPort": -1}, "#/controlPort has to be at least 0. Example: 8889"),
        ({"services": []}, "#/services has to have at least 1 item. Example: ["),
        ({"services": [{"port": 0}] * 101}, "#/services has to have at most 100 items. Example: ["),
        ({"services": [{"port": 65536}]}, "#/services/0/port has to be at most 65535. Example: "),
        ({"services": [{"name": "abc"}]}, "#/services/0/port is missing. Example: 8888"),
        ({"services": [{"port": 1, "name": "a-"}]}, "#/services/0/name does not fit its descript"),
        ({"services": [{"port": 1, "nam": ""}]}, "#/services/0/nam is unknown. Known here: name"),
        (
            {"services": [{"port": 1}, {"port": 2, "name": "LOCAL"}]},
            '#/services/1/name is that of an earlier service. Example: "LOCAL-2"',
        ),
        ({"disableLocalAuth": 1}, "#/disableLocalAuth has to be true or false. Example: true"),
        ({"primaryKey": "short"}, "#/primaryKey does not fit its description: 32 or more "),
        ({"secondaryKey": "x" * 32 + "\n"}, "#/secondaryKey does not fit its description: 32 or "),
        ({"tenantId": "x"}, "#/tenantId does not fit its description: Id of the Entra tenant. A "),
        ({"role": "Owner"}, '#/role has to be one of "SignalR Service Owner", '),
        (
            {"identities": [{**EVERYTHING["identities"][0], "kind": "system"}] * 2},
            "#/identities does not fit its description: Managed identities of the app, at most",
        ),
        (
            {"applications": [{**EVERYTHING["applications"][0], "certificateFile": "wrong"}]},
            "#/applications/0/certificateFile does not fit its description: File with the cert",
        ),
        (
            {"applications": [{**EVERYTHING["applications"][0], "certificateFile": "none"}]},
            "#/applications/0/certificateFile names a file that cannot be read: No such file",
        ),
        ({"invocationTimeout": 0}, "#/invocationTimeout has to be more than 0. Example: 5"),
        ({"timing": {"poll": "1"}}, "#/timing/poll has to be a number. Example: 10"),
        (
            {"upstream": {"templates": ["http://x", "x"]}},
            "#/upstream/templates/1 has to be a URL that begins with http:// or https://. Exam",
        ),
        (
            {"upstream": {"settingsFile": "none"}},
            "#/upstream/settingsFile names a file that cannot be read: No such file or directory.",
        ),
        (
            {"upstream": {"settingsFile": "wrong"}},
            "#/upstream/settingsFile names a file with a fault: # is not valid JSON in UTF-8: Exp",
        ),
    ],
)
def test_wrong_value(folder: Path, document: object, expected: str) -> None:
    written(folder, "no certificate, no JSON", "wrong")
    path = written(folder, document)
    with pytest.raises(ConfigFileError) as caught:
        read_config_file(path)
    title, line = str(caught.value).split("\n  ")
    assert title == f"{path} is not acceptable:"
    assert line.startswith(expected)


def test_tells_everything_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "topsecret"
    document = {
        "primaryKey": secret,
        "identities": [{}],
        "contolPort": 1,
        "timing": {"poll": 0},
    }
    title, *lines = errors(written(tmp_path, document), capsys)
    assert title == f"signalr-emulator: {tmp_path / 'emulator.json'} is not acceptable:"
    assert [line.split()[0] for line in lines] == [
        "#/contolPort",
        *(f"#/identities/0/{name}" for name in ("clientId", "kind", "principalId", "resourceId")),
        "#/primaryKey",
        "#/timing/poll",
    ]
    assert secret not in "".join(lines)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("c.json", b'{\n  "host": }', "{} is not valid JSON in UTF-8: Expecting value at line 2, "),
        ("c.json", b"\xff", "{} is not valid JSON in UTF-8"),
        ("c.json", b'{"host": "a", "host": "b"}', '{} has "host" twice in one object'),
        ("c.json", b'\xef\xbb\xbf{"host": 1', "{} is not valid JSON in UTF-8: Expecting ',' "),
        ("c.json", b'{"timing": {"poll": NaN}}', "{} is not valid JSON in UTF-8"),
        ("c.json", b"[" * 100_000, "{} is nested too deep"),
        ("c.toml", b"host = \n", "{} is not valid TOML in UTF-8: Invalid value (at line 1, colum"),
        ("c.toml", b"a = " + b"[" * 100_000, "{} is not valid TOML in UTF-8: "),
        ("c.toml", b"\xff", "{} is not valid TOML in UTF-8: "),
        ("c.toml", b"invocationTimeout = nan", "{} is not valid TOML in UTF-8: number out of "),
        ("c.json", None, "cannot read {}: No such file or directory"),
    ],
)
def test_file_that_is_none(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: bytes | None,
    expected: str,
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text)
    (line,) = errors(path, capsys)
    assert line.startswith(f"signalr-emulator: {expected.format(path)}")


def test_wrong_file_ends_the_command(tmp_path: Path) -> None:
    path = written(tmp_path, {"controlPort": -1})
    with pytest.raises(ControlError) as caught, running_emulator("--config", str(path)):
        pass
    assert str(caught.value) == (
        f"signalr-emulator: {path} is not acceptable:\n"
        "  #/controlPort has to be at least 0. Example: 8889"
    )
