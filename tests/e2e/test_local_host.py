"""The app in the local host as it may run in Azure: logins, function keys, several processes."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from websockets.sync.client import connect

from tests.e2e.processes import PATIENCE, ROOT, Emulator, Process

SETTINGS = {
    "SIGNALR_HUBS": "chat",
    "NEGOTIATE_IDENTITY": "app-service",
    "FUNCTIONS_WORKER_PROCESS_COUNT": "2",
    "FUNCHOST_FUNCTION_KEY": "the-function-key",
}


@dataclass(frozen=True)
class Site:
    url: str
    log: Path

    def sign_in(self, user_id: str) -> requests.Session:
        session = requests.Session()
        answer = session.post(
            f"{self.url}/.auth/login/aad",
            data={"user_id": user_id},
            timeout=PATIENCE,
            allow_redirects=False,
        )
        assert answer.status_code == 302, answer.text
        return session

    def negotiate(self, session: requests.Session, **headers: str) -> requests.Response:
        return session.post(f"{self.url}/api/negotiate", headers=headers, timeout=PATIENCE)

    def send(
        self,
        message: Any,  # noqa: ANN401  whatever JSON can say
        **headers: str,
    ) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(
            f"{self.url}/api/broadcast", json=message, headers=named, timeout=PATIENCE
        )


@pytest.fixture(scope="module")
def site(service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    settings = folder / "local.settings.json"
    settings.write_text(json.dumps({"Values": {**service.app_settings, **SETTINGS}}))
    process = Process(
        [
            *(sys.executable, "-m", "funchost", "--app-dir", str(ROOT)),
            *("--port", "0", "--settings", str(settings), "--auth", "--keys"),
        ],
        folder / "functions.log",
    )
    try:
        yield Site(
            process.wait_for(r"^Functions host ready on (\S+)$")[1], folder / "functions.log"
        )
    finally:
        assert process.stop() == 0, process.output
        assert "Traceback" not in process.output


def user_of(negotiated: requests.Response) -> object:
    assert negotiated.status_code == 200, negotiated.text
    token = negotiated.json()["accessToken"]
    return jwt.decode(token, options={"verify_signature": False})["asrs.s.uid"]


def test_who_signs_in_is_the_user_in_the_client_token(site: Site) -> None:
    ann, bob = site.sign_in("ann"), site.sign_in("bob")
    # More than once, so that every process is asked.
    for _ in range(3):
        assert user_of(site.negotiate(ann)) == "ann"
        assert user_of(site.negotiate(bob)) == "bob"


def test_nobody_negotiates_by_a_header_of_its_own(site: Site) -> None:
    spoofed = {"X-MS-CLIENT-PRINCIPAL-ID": "admin", "X-MS-CLIENT-PRINCIPAL": "e30="}
    assert site.negotiate(requests.Session(), **spoofed).status_code == 401
    assert user_of(site.negotiate(site.sign_in("ann"), **spoofed)) == "ann"


def test_who_has_signed_out_negotiates_no_more(site: Site) -> None:
    ann = site.sign_in("ann")
    ((name, value),) = ann.cookies.items()
    ann.get(f"{site.url}/.auth/logout", timeout=PATIENCE)
    for session, headers in ((ann, {}), (requests.Session(), {"Cookie": f"{name}={value}"})):
        assert site.negotiate(session, **headers).status_code == 401


def test_a_signed_in_client_receives_what_is_sent_to_its_user(site: Site) -> None:
    negotiated = site.negotiate(site.sign_in("ann")).json()
    message = {"target": "newMessage", "arguments": ["for ann"], "userId": "ann"}
    url = f"{negotiated['url']}&access_token={negotiated['accessToken']}"
    with connect(url.replace("http", "ws", 1)) as connected:
        connected.send('{"protocol":"json","version":1}\x1e')
        assert connected.recv(PATIENCE) == "{}\x1e"
        assert (site.send(message).status_code, site.send(message).content) == (401, b"")
        assert site.send(message, x_functions_key="wrong").status_code == 401
        assert site.send(message, x_functions_key="the-function-key").status_code == 202
        received = json.loads(str(connected.recv(PATIENCE)).removesuffix("\x1e"))
        assert received == {"type": 1, "target": "newMessage", "arguments": ["for ann"]}
    assert "the-function-key" not in site.log.read_text()


def test_make_start_stands_in_for_app_service_authentication(
    ports: list[int], tmp_path: Path
) -> None:
    port, service_port, control_port = map(str, ports)
    options = ("--port", port, "--service-port", service_port, "--control-port", control_port)
    start = Process([sys.executable, "start.py", *options], tmp_path / "start.log")
    try:
        start.wait_for(r"Ctrl-C stops both\.")
        me = requests.get(f"http://127.0.0.1:{port}/.auth/me", timeout=PATIENCE)
        assert (me.status_code, me.json()) == (200, [])
    finally:
        assert start.stop() == 0, start.output
