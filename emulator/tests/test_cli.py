import asyncio
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from importlib import metadata
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    WorkloadIdentityCredential,
)
from signalr_emulator.cli import main

KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"


async def start(*options: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "signalr_emulator", "--fresh", *options, stdout=PIPE, stderr=PIPE
    )


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-m", "signalr_emulator"),
        (str(Path(sys.executable).with_name("signalr-emulator")),),
    ],
    ids=["module", "script"],
)
async def test_version(command: tuple[str, ...]) -> None:
    process = await asyncio.create_subprocess_exec(*command, "--version", stdout=PIPE)
    output, _ = await process.communicate()
    assert output.decode() == f"signalr-emulator {metadata.version('signalr-emulator')}\n"
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_runs_until_a_signal(number: signal.Signals) -> None:
    process = await start("--service-port", "0", "--control-port", "0", "--role", "none")
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    while not lines or lines[-1] != "Emulator ready.":
        lines.append((await process.stdout.readline()).decode().rstrip("\n"))
    settings = dict(re.findall(r"^(\w+)=(\S+)$", "\n".join(lines), re.MULTILINE))
    service_url = settings.pop("AzureSignalRConnectionString__serviceUri")
    endpoint = settings.pop("IDENTITY_ENDPOINT")
    assert settings == {"IDENTITY_HEADER": "local-emulator"}
    port = service_url.rpartition(":")[2]
    assert lines.count(f"  Endpoint=http://127.0.0.1;Port={port};AccessKey={KEY};Version=1.0;") == 1
    assert any(line.endswith(f" {service_url}") for line in lines)
    assert any(line.endswith(f" {endpoint.removesuffix('/msi/token')}") for line in lines)

    async with aiohttp.ClientSession() as session:
        async with session.head(f"{service_url}/api/health") as response:
            assert response.status == 200
        query = {"api-version": "2019-08-01", "resource": "https://signalr.azure.com"}
        headers = {"X-IDENTITY-HEADER": "local-emulator"}
        async with session.get(endpoint, params=query, headers=headers) as response:
            token = (await response.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{service_url}/api/v1/auth/accessKey"
        async with session.get(url, headers=headers) as response:
            assert response.status == 403

    process.send_signal(number)
    assert await process.wait() == 0
    assert await process.stdout.read() == b""
    assert await process.stderr.read() == b""


async def test_verbose_tells_requests_without_their_query() -> None:
    process = await start("--service-port", "0", "--control-port", "0", "--verbose")
    assert process.stdout is not None
    assert process.stderr is not None
    said = (await process.stdout.readuntil(b"Emulator ready.\n")).decode()
    service_url = re.search(r"^SignalR service: +(\S+)$", said, re.MULTILINE)
    assert service_url is not None
    async with aiohttp.ClientSession() as session:
        url = f"{service_url[1]}/client/negotiate?hub=chat&access_token=secret"
        await session.post(url)
        await session.get(f"{service_url[1]}/%1b[2J")
    process.send_signal(signal.SIGTERM)
    refused, unknown = (await process.stderr.read()).decode().splitlines()
    assert await process.wait() == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d emulator: POST /client/negotiate 401 \d+ ms", refused)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d emulator: GET /%1b%5B2J 404 \d+ ms", unknown, re.IGNORECASE
    )


def modes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_files_of_the_app_registration(tmp_path: Path) -> None:
    ca_file, token_file = tmp_path / "ca.pem", tmp_path / "token"
    ca_file.write_text("old")
    ca_file.chmod(0o644)
    process = await start(
        *("--service-port", "0", "--control-port", "0"),
        *("--ca-file", str(ca_file), "--federated-token-file", str(token_file)),
    )
    assert process.stdout is not None
    lines = (await process.stdout.readuntil(b"Emulator ready.\n")).decode().splitlines()
    variables = dict(
        line.removeprefix("  # ").split("=") for line in lines if line.startswith("  # AZURE_")
    )
    assert f"  # REQUESTS_CA_BUNDLE={ca_file}" in lines
    assert variables["AZURE_FEDERATED_TOKEN_FILE"] == str(token_file)
    client_file = Path(variables["AZURE_CLIENT_CERTIFICATE_PATH"])
    assert modes(tmp_path) == dict.fromkeys((ca_file, client_file, token_file), 0o600)

    arguments = (variables["AZURE_TENANT_ID"], variables["AZURE_CLIENT_ID"])
    options: dict[str, Any] = {
        "authority": variables["AZURE_AUTHORITY_HOST"],
        "connection_verify": str(ca_file),
        "disable_instance_discovery": True,
    }
    for credential in (
        ClientSecretCredential(*arguments, variables["AZURE_CLIENT_SECRET"], **options),
        CertificateCredential(*arguments, str(client_file), **options),
        WorkloadIdentityCredential(
            tenant_id=arguments[0],
            client_id=arguments[1],
            token_file_path=str(token_file),
            **options,
        ),
    ):
        with credential:
            token = await asyncio.to_thread(
                credential.get_token, "https://signalr.azure.com/.default"
            )
        assert token.token.count(".") == 2

    process.terminate()
    assert await process.wait() == 0
    assert modes(tmp_path) == {}


def test_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "missing" / "ca.pem"
    code = main(["--fresh", "--service-port", "0", "--control-port", "0", "--ca-file", str(path)])
    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert captured.err == f"signalr-emulator: cannot write {path}: No such file or directory.\n"


async def test_several_services() -> None:
    process = await start(
        *("--service", "0", "--service", "0", "--control-port", "0", "--disable-local-auth")
    )
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != "Emulator ready.":
        lines.append((await process.stdout.readline()).decode().rstrip("\n"))
    process.terminate()
    assert await process.wait() == 0
    urls = [line.removeprefix("SignalR service: ") for line in lines[:2]]
    assert lines[2].startswith("Control plane:   http://")
    for name, url in zip(("local", "local_2"), urls, strict=True):
        assert f"Azure__SignalR__Endpoints__{name}__serviceUri={url}" in lines
    assert f"AzureSignalRConnectionString__serviceUri={urls[0]}" in lines
    assert not [line for line in lines if "AccessKey" in line]


@pytest.mark.parametrize("plane", ["service", "control", "authority"])
def test_taken_port(plane: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"service": 0, "control": 0, "authority": 0, plane: port}
        code = main(["--fresh", *(f"--{name}-port={number}" for name, number in ports.items())])
    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert captured.err == (
        f"signalr-emulator: cannot listen on port {port}: Address already in use."
        f" Choose another port with --{plane}-port.\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--role", "Owner"],
        ["--service-port", "70000"],
        ["--service", "-1"],
        ["--control-port", "x"],
        ["--access-key", "short"],
        ["--secondary-access-key", "x" * 40 + ";"],
        ["--upstream", "localhost"],
        ["--upstream-settings", "missing.json"],
        ["--upstream-settings", __file__],
        ["--unknown"],
    ],
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in (
        "--host",
        "--service-port",
        "--control-port",
        "--authority-port",
        "--ca-file",
        "--federated-token-file",
        "--role",
        "8888",
        "8889",
    ):
        assert part in text
    assert "SignalR Service Owner, SignalR App Server" in text
