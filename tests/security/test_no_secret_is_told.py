"""A run with everything at DEBUG: its real secrets are in no log, no problem body and no span.

Proxies before the service, the identity endpoint and the app's upstream tell what the secrets are.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import requests

from tests.e2e.processes import (
    PATIENCE,
    Emulator,
    FunctionApp,
    client,
    emulator,
    function_app,
)
from tests.issuer import TestIssuer
from tests.scripted_service import Reply
from tests.security.recording import Recorder, recording

TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
TEMPLATE = "api/upstream/{hub}/{category}/{event}"
APP = Path(__file__).parent / "debug_app"
VERBOSE_EMULATOR = (
    "import logging, runpy, sys; logging.basicConfig(level=logging.DEBUG);"
    "runpy.run_module('signalr_emulator', run_name='__main__', alter_sys=True)"
)
HOUR = 3600.0


@dataclass
class Run:
    """Everything that was said, and every secret that was used."""

    outputs: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: dict[str, set[str]] = field(default_factory=dict, repr=False)


@pytest.fixture(scope="module")
def run(issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Do all that an app does, and let everything fail once."""
    told = Run()
    keys = {name: secrets.token_urlsafe(30) for name in ("FUNCTION", "MASTER")}
    folder = tmp_path_factory.mktemp("told")
    config = folder / "emulator.json"
    config.write_text(json.dumps({"identityHeader": secrets.token_urlsafe(30)}))
    upstreams = folder / "upstreams.json"
    upstreams.write_text('{"UpstreamSettings": {"Templates": []}}')
    with ExitStack() as stack:
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
        service = stack.enter_context(
            emulator(
                folder / "emulator.log",
                *("--config", str(config), "--upstream-settings", str(upstreams)),
                "--upstream-whole-query",
                program=("-c", VERBOSE_EMULATOR),
            )
        )
        rest = stack.enter_context(recording(lambda: service.service_url))
        identity = stack.enter_context(recording(lambda: service.control_url))
        settings = {
            "AzureSignalRConnectionString__serviceUri": rest.url,
            "AzureSignalRConnectionString__clientEndpoint": service.service_url,
            "IDENTITY_ENDPOINT": f"{identity.url}/msi/token",
            "IDENTITY_HEADER": service.app_settings["IDENTITY_HEADER"],
            **issuer.app_settings,
            "NEGOTIATE_IDENTITY": "oidc,anonymous",
            "UPSTREAM_TENANT_ID": TENANT,
            "UPSTREAM_AUDIENCE": "api://upstream",
            "UPSTREAM_KEYS_URL": f"{identity.url}/{TENANT}/discovery/v2.0/keys",
            "PYTHON_ENABLE_DEBUG_LOGGING": "1",
            "PYTHON_ENABLE_OPENTELEMETRY": "true",
            **{f"FUNCHOST_{name}_KEY": key for name, key in keys.items()},
        }
        app = stack.enter_context(function_app(settings, folder, APP, "--verbose", "--keys"))
        upstream = stack.enter_context(recording(lambda: app.url.removesuffix("/api")))
        point_to(upstreams, upstream.url)

        bearer = issuer.token(sub="ann")
        forged = [issuer.token(sub="ann", aud="api://other"), TestIssuer(issuer.url).token()]
        client_tokens = use(app, service, bearer, keys["FUNCTION"])
        problems = fail(app, rest, [bearer, *forged], keys)
        client_tokens |= rotate(app, service)
        recorded = requests.get(f"{app.url}/recorded", timeout=PATIENCE)
        assert recorded.json()["spans"]
    told.outputs = {
        "app": app.process.output,
        # It prints the settings of an app once, of which this is a part.
        "emulator": service.process.output.replace(
            f"IDENTITY_HEADER={settings['IDENTITY_HEADER']}", "", 1
        ),
        "problems": "\n".join(problems),
        "telemetry": recorded.text,
    }
    told.secrets = {
        "Entra tokens": tokens(rest) | found(identity, "access_token"),
        "access keys": found(rest, "AccessKey"),
        "client tokens": client_tokens,
        "callers' tokens": {bearer, *forged},
        "tokens of the service": tokens(upstream),
        "signatures of the service": {
            each.strip()
            for header in upstream.headers("X-ASRS-Signature")
            for each in header.split(",")
        },
        "connection tokens": {
            token
            for header in upstream.headers("X-ASRS-Client-Query")
            for token in parse_qs(header.removeprefix("?"))["id"]
        },
        "function keys": set(keys.values()),
        "identity header": {settings["IDENTITY_HEADER"]},
    }
    return told


def point_to(file: Path, url: str) -> None:
    auth = {"Type": "ManagedIdentity", "ManagedIdentity": {"Resource": "api://upstream"}}
    template = {"UrlTemplate": f"{url}/{TEMPLATE}", "Auth": auth}
    file.write_text(json.dumps({"UpstreamSettings": {"Templates": [template]}}))


def use(app: FunctionApp, service: Emulator, bearer: str, key: str) -> set[str]:
    """Negotiate, connect, send, join and call, with an access token in every place it can have."""
    handed_out = app.post("negotiate", Authorization=f"Bearer {bearer}").json()
    assert service.admits(handed_out) == 200
    message = {"target": "newMessage", "arguments": ["Hello"]}
    with client(app.url) as ann:
        connection = ann.connection_id()
        ann.invoke("joinGroup", "room")
        ann.call("send", "sendToGroup", "room", "Hello")
        ann.next("sent")
        assert ann.message()[1] == "Hello"
        assert app.post("broadcast", message, x_functions_key=key).status_code == 202
        assert ann.message() == ["Hello"]
        assert app.post(f"broadcast?code={key}", message).status_code == 202
        assert ann.message() == ["Hello"]
        action = {"action": "add", "groupName": "g", "userId": "ann"}
        assert app.post("groups", action, x_functions_key=key).status_code == 202
        url = f"{app.url}/connections/{connection}"
        gone = requests.delete(url, headers={"x-functions-key": key}, timeout=PATIENCE)
        assert gone.status_code == 204
    return {handed_out["accessToken"]}


def fail(app: FunctionApp, rest: Recorder, bearers: list[str], keys: dict[str, str]) -> list[str]:
    """Be refused and let the service refuse, fail and fall silent; return what callers are told."""
    answers = [app.post("negotiate", Authorization=f"Bearer {each}") for each in bearers[1:]]
    answers += [
        app.post("upstream/chat/messages/x", Authorization=f"Bearer {each}") for each in bearers
    ]
    message = {"target": "newMessage", "arguments": ["Hello"]}
    almost = keys["FUNCTION"][:-1] + "_"
    answers.append(app.post("broadcast", message, x_functions_key=almost))
    for status in (401, 403, 404, 500, 0):
        rest.fault = Reply(status, {"x-ms-error-code": "Broken"})
        answers.append(app.post("broadcast", message, x_functions_key=keys["MASTER"]))
    rest.fault = None
    assert {each.status_code for each in answers} >= {401, 502, 503}
    return [each.text + str(each.headers) for each in answers]


def rotate(app: FunctionApp, service: Emulator) -> set[str]:
    """Let an hour pass, so that another key and another token are fetched."""
    service.advance_clock(1.4 * HOUR)
    app.move_clock(1.4 * HOUR)
    return {app.negotiate()["accessToken"], app.negotiate()["accessToken"]}


def tokens(recorder: Recorder) -> set[str]:
    return {each.removeprefix("Bearer ") for each in recorder.headers("Authorization")}


def found(recorder: Recorder, name: str) -> set[str]:
    """Return the values of a field of the answers."""
    answers = [json.loads(body) for body in recorder.bodies() if body.startswith(b"{")]
    return {each[name] for each in answers if name in each}


KINDS = {
    "Entra tokens": 1,
    "access keys": 2,
    "client tokens": 2,
    "callers' tokens": 3,
    "tokens of the service": 1,
    "signatures of the service": 2,
    "function keys": 2,
    "connection tokens": 1,
    "identity header": 1,
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_of_a_run_at_debug_level_is_told(run: Run, kind: str) -> None:
    used = run.secrets[kind]
    assert len(used) >= KINDS[kind], "the run has not used what is looked for"
    for secret in used:
        for part in parts(secret):
            for place, output in run.outputs.items():
                assert part not in output, (
                    f"{kind} in the output of {place}: {around(output, part)}"
                )


def test_the_run_was_at_debug_level(run: Run) -> None:
    assert " DEBUG " in run.outputs["app"]
    assert "DEBUG:" in run.outputs["emulator"]
    for said in ("/api/v1/auth/accessKey: 200", "Request URL"):
        assert said in run.outputs["app"]


def parts(secret: str) -> Iterator[str]:
    """Yield a secret, and of a token the signature, which makes the rest worth something."""
    yield secret
    *_, signature = secret.split(".")
    if signature != secret:
        yield signature
    if secret.startswith("sha256="):
        yield secret.removeprefix("sha256=")


def around(output: str, part: str) -> str:
    """Return what stands before a secret, so that nobody has to print it to find it."""
    start = output.index(part)
    return output[max(0, start - 200) : start]
