"""Holds the table of operations against the service's own OpenAPI files."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.rest import operations
from shared.rest.operations import Operation

FOLDER = Path(
    os.environ.get("SIGNALR_SWAGGER_DIR")
    or Path(__file__).parents[4] / "shared" / "reference" / "swagger"
)
FILES = {"2022-06-01": ("V20220601.json", 19), "2023-07-01": ("V20230701.json", 22)}
"""The file of each version, and how many operations it has."""

TABLE: Mapping[tuple[str, str], Operation] = {
    (each.method, re.sub(r"\{\w+\}", "{}", each.path)): each
    for each in vars(operations).values()
    if isinstance(each, Operation)
}
"""The rows of the table, by method and by path without the names in its braces."""

ACCESS_KEY = ("GET", "/api/auth/accessKey")
"""The one operation that has another path in the table: the SDK for .NET's own."""

NEWER = {
    "invoke_connection", "send_stream_item", "complete_stream", "list_connections_in_group",
}  # fmt: skip
"""Operations of version 2024-12-01, of which there is no file."""

NEWEST = {"refresh_connection_authentication", "connection_claims"}
"""Operations of version 2026-07-01, of which there is none either."""

needs_files = pytest.mark.skipif(
    not FOLDER.is_dir() and "SIGNALR_SWAGGER_DIR" not in os.environ,
    reason="the OpenAPI files of the service are not part of this repository;"
    " SIGNALR_SWAGGER_DIR names their folder",
)


def described(version: str) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    file, count = FILES[version]
    paths = json.loads((FOLDER / file).read_text())["paths"]
    found = [
        ((method.upper(), re.sub(r"\{\w+\}", "{}", path)), operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
    assert len(found) == count
    yield from (each for each in found if each[0] != ACCESS_KEY)


def parameters(operation: Mapping[str, Any], place: str) -> list[str]:
    return [each["name"] for each in operation["parameters"] if each["in"] == place]


@needs_files
@pytest.mark.parametrize("version", FILES)
def test_every_operation_of_a_file_is_in_the_table_as_the_file_has_it(version: str) -> None:
    for key, operation in described(version):
        row = TABLE[key]
        query = set(parameters(operation, "query")) - {"api-version"}
        success = [status for status in operation["responses"] if status.startswith("2")]
        assert set(row.parameters) == query, key
        assert row.body == bool(parameters(operation, "body")), key
        assert [str(int(row.success))] == success, key
        assert row.api_version <= version, key


@needs_files
def test_every_row_of_the_table_is_in_the_file_of_its_version() -> None:
    old = dict(described("2022-06-01"))
    new = dict(described("2023-07-01"))
    assert old.keys() <= new.keys()
    for key, row in TABLE.items():
        if row is operations.ACCESS_KEY or row.name in NEWER | NEWEST:
            continue
        assert (row.api_version == "2022-06-01") == (key in old), key
        # An operation's id tells the version that it came with, if that is not the first.
        since = re.search(r"V(\d{4})(\d\d)(\d\d)_", new[key]["operationId"])
        assert row.api_version == ("-".join(since.groups()) if since else "2022-06-01"), key


def test_what_no_file_tells() -> None:
    access_key = operations.ACCESS_KEY
    assert (access_key.method, access_key.path) == ("GET", "/api/v1/auth/accessKey")
    assert (access_key.success, access_key.api_version, access_key.parameters) == (200, "", ())
    newer = {
        (each.method, each.path): (each.success, each.query, each.body)
        for each in TABLE.values()
        if each.name in NEWER
    }
    connection = "/api/hubs/{hub}/connections/{connection}"
    assert newer == {
        ("POST", f"{connection}/:invoke"): (200, (), True),
        ("POST", f"{connection}/streams/{{stream}}/:send"): (202, ("completed",), True),
        ("POST", f"{connection}/streams/{{stream}}/:complete"): (202, ("reason",), False),
        ("GET", "/api/hubs/{hub}/groups/{group}/connections"): (
            200,
            ("maxpagesize", "top", "continuationToken"),
            False,
        ),
    }
    assert {each.api_version for each in TABLE.values() if each.name in NEWER} == {"2024-12-01"}
    newest = {
        (each.method, each.path): (each.success, each.query, each.body, each.api_version)
        for each in TABLE.values()
        if each.name in NEWEST
    }
    connections = "/api/hubs/{hub}/connections"
    assert newest == {
        ("POST", f"{connections}/:refreshAuth"): (200, (), True, "2026-07-01"),
        ("QUERY", f"{connections}/claims"): (200, (), True, "2026-07-01"),
    }


def test_each_row_has_a_name_of_its_own() -> None:
    assert len(TABLE) == 28
    assert len({each.name for each in TABLE.values()}) == 28


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("access_key", "auth/accessKey/action"),
        ("generate_client_token", "auth/clientToken/action"),
        ("refresh_connection_authentication", "clientConnection/write"),
        ("connection_claims", "clientConnection/read"),
        ("service_is_healthy", ""),
        ("send_to_all", "hub/send/action"),
        ("send_to_user", "user/send/action"),
        ("send_to_group", "group/send/action"),
        ("send_to_connection", "clientConnection/send/action"),
        ("close_connection", "clientConnection/write"),
        ("connection_exists", "clientConnection/read"),
        ("group_exists", "group/read"),
        ("user_exists", "user/read"),
        ("user_in_group", "group/read"),
    ],
)
def test_data_actions_that_the_permissions_reference_tells(name: str, action: str) -> None:
    (row,) = (each for each in TABLE.values() if each.name == name)
    assert row.permission == action
