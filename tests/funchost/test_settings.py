import json
from pathlib import Path

import pytest

from funchost.settings import (
    LocalSettings,
    SettingsError,
    apply_values,
    choose_body_limit,
    choose_port,
    choose_worker_count,
    load_host_settings,
    load_local_settings,
    parse_host_settings,
    parse_local_settings,
)


@pytest.mark.parametrize(
    ("extensions", "prefix", "path"),
    [
        ({}, "api", "/api"),
        ({"extensions": {}}, "api", "/api"),
        ({"extensions": {"http": {}}}, "api", "/api"),
        ({"extensions": {"http": {"routePrefix": ""}}}, "", ""),
        ({"extensions": {"http": {"routePrefix": "rt/v1"}}}, "rt/v1", "/rt/v1"),
        ({"extensions": {"http": {"routePrefix": "/rt/v1"}}}, "rt/v1", "/rt/v1"),
    ],
)
def test_route_prefix(extensions: dict[str, object], prefix: str, path: str) -> None:
    settings = parse_host_settings(json.dumps({"version": "2.0", **extensions}))
    assert (settings.route_prefix, settings.base_path) == (prefix, path)


@pytest.mark.parametrize(
    ("prefix", "right"),
    [("rt/", "rt"), ("/", ""), ("//rt", "rt"), ("rt//v1", "rt/v1"), ("/rt/v1//", "rt/v1")],
)
def test_refuses_a_route_prefix_with_which_azure_makes_no_routes(prefix: str, right: str) -> None:
    text = json.dumps({"version": "2.0", "extensions": {"http": {"routePrefix": prefix}}})
    with pytest.raises(SettingsError) as error:
        parse_host_settings(text, "app/host.json")
    place = "app/host.json:1:59: extensions.http.routePrefix"
    assert str(error.value).startswith(f'{place} is "{prefix}"')
    assert str(error.value).endswith(f'"{right}"')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", 'host.json:1:1: "version" must be "2.0"'),
        ('{\n  "version": 2\n}', 'host.json:2:14: "version" must be "2.0"'),
        ("[]", "host.json:1:1: the file must hold a JSON object"),
        ('{\n  "version": "2.0",\n}', "host.json:2:19: this comma is one too many"),
        ('{"version": "2.0", "extensions": 1}', "host.json:1:34: extensions must be an object"),
        (
            '{"version": "2.0", "extensions": {"http": []}}',
            "host.json:1:43: extensions.http must be an object",
        ),
        (
            '{"version": "2.0", "extensions": {"http": {"routePrefix": 1}}}',
            "host.json:1:59: extensions.http.routePrefix must be a string",
        ),
    ],
)
def test_refuses_a_host_file(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_host_settings(text)
    assert str(error.value).startswith(message)


def test_reads_local_settings() -> None:
    local = parse_local_settings(
        json.dumps(
            {
                "IsEncrypted": False,
                "Values": {"A": "a", "B": True, "C": 1, "D": None},
                "Host": {"LocalHttpPort": 7075, "CORS": "http://a"},
            }
        )
    )
    assert local.values == {"A": "a", "B": "true", "C": "1"}
    assert local.port == 7075
    assert local.cors.origins == {"http://a"}
    assert not local.cors.credentials
    assert parse_local_settings("{}") == LocalSettings()


@pytest.mark.parametrize(
    ("host", "cookies"),
    [
        ({}, True),
        ({"CORS": None}, True),
        ({"CORS": ""}, True),
        ({"CORSCredentials": True}, True),
        ({"CORSCredentials": False}, False),
    ],
)
def test_pages_of_this_machine_may_call_where_nothing_is_said(
    host: dict[str, object], *, cookies: bool
) -> None:
    cors = parse_local_settings(json.dumps({"Host": host})).cors
    assert cors.allows("http://localhost:5173")
    assert not cors.allows("http://foreign.example")
    assert cors.credentials is cookies


def test_what_is_said_of_pages_wins() -> None:
    cors = parse_local_settings('{"Host": {"CORS": "http://localhost:3000"}}').cors
    assert cors.allows("http://localhost:3000")
    assert not cors.allows("http://localhost:5173")
    assert not cors.credentials


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"IsEncrypted": True}, "IsEncrypted is true"),
        ({"Values": {"A": {}}}, "Values.A must be a string"),
        ({"Values": []}, "Values must be an object"),
        ({"Host": {"LocalHttpPort": "x"}}, "Host.LocalHttpPort must be a number"),
        ({"Host": {"LocalHttpPort": 65536}}, "from 0 to 65535"),
        ({"Host": {"CORS": ["http://a"]}}, "Host.CORS must be a string"),
        ({"Host": {"CORS": []}}, "Host.CORS must be a string"),
        ({"Host": {"CORSCredentials": "yes"}}, "must be true or false"),
        ({"Host": {"CORS": "http://a", "CORSCredentials": "yes"}}, "must be true or false"),
        ({"Host": {"CORS": "*", "CORSCredentials": True}}, "list the origins"),
    ],
)
def test_refuses_a_local_file(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=rf"^local\.settings\.json:1:\d+: .*{message}"):
        parse_local_settings(json.dumps(settings))


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5_000])
def test_a_file_that_is_no_settings_at_all(text: str) -> None:
    for parse in (parse_host_settings, parse_local_settings):
        with pytest.raises(SettingsError, match=r"settings\.json|host\.json"):
            parse(text)


def test_the_environment_wins_over_the_file() -> None:
    environ = {"A": "environment"}
    assert apply_values({"A": "file", "B": "file"}, environ) == ["A"]
    assert environ == {"A": "environment", "B": "file"}


@pytest.mark.parametrize(
    ("option", "environ", "local", "port"),
    [
        (1, {"PORT": "2"}, 3, 1),
        (0, {"PORT": "2"}, 3, 0),
        (None, {"PORT": "2"}, 3, 2),
        (None, {"PORT": ""}, 3, 3),
        (None, {}, None, 7071),
    ],
)
def test_port(option: int | None, environ: dict[str, str], local: int | None, port: int) -> None:
    assert choose_port(option, environ, LocalSettings(port=local)) == port


@pytest.mark.parametrize(("option", "environ"), [(70000, {}), (-1, {}), (None, {"PORT": "x"})])
def test_refuses_what_is_no_port(option: int | None, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="from 0 to 65535"):
        choose_port(option, environ, LocalSettings())


def test_the_body_limit() -> None:
    name = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
    assert choose_body_limit({}) == choose_body_limit({name: " "}) == 104_857_600
    assert choose_body_limit({name: "8388608"}) == 8_388_608
    for wrong in ("0", "-1", "1e6", "1_000", "٣", "9" * 5000):
        with pytest.raises(SettingsError, match=f"{name} must be a number from 1 to"):
            choose_body_limit({name: wrong})


def test_the_worker_count() -> None:
    name = "FUNCTIONS_WORKER_PROCESS_COUNT"
    assert choose_worker_count({}) == 1
    assert [choose_worker_count({name: each}) for each in ("1", "10")] == [1, 10]


def test_files(tmp_path: Path) -> None:
    local = tmp_path / "local.settings.json"
    assert load_local_settings(local) == LocalSettings()
    with pytest.raises(SettingsError, match="--settings"):
        load_local_settings(local, required=True)
    with pytest.raises(SettingsError, match=r"host\.json"):
        load_host_settings(tmp_path)
    (tmp_path / "host.json").write_text('{"version": "2.0"}', encoding="utf-8-sig")
    assert load_host_settings(tmp_path).route_prefix == "api"
    local.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"json:1:1: this is no UTF-8"):
        load_local_settings(local)
