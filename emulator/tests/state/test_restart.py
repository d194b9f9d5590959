"""What an app and its clients hold when the emulator ends, shown to one that starts afterwards."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from azure.identity import CertificateCredential, WorkloadIdentityCredential
from signalr_emulator.configuration.settings import APP_REGISTRATION, Config
from signalr_emulator.testing import RunningEmulator, running_emulator

from emulator.tests.wire import API_VERSION, SIGNALR

TIMEOUT = 10


@dataclass(frozen=True)
class Held:
    """What is held of an emulator.

    Attributes:
        entra_token: Of the app's managed identity.
        key_id: Of a temporary access key.
        client_token: Signed with that key.
        generated_token: Signed by the service.
    """

    entra_token: str
    key_id: str
    client_token: str
    generated_token: str

    @classmethod
    def of(cls, emulator: RunningEmulator) -> "Held":
        answer = requests.get(
            emulator.app_settings["IDENTITY_ENDPOINT"],
            {"api-version": "2019-08-01", "resource": SIGNALR},
            headers={"X-IDENTITY-HEADER": emulator.app_settings["IDENTITY_HEADER"]},
            timeout=TIMEOUT,
        )
        token = answer.json()["access_token"]
        key = requests.get(
            f"{emulator.service_url}/api/v1/auth/accessKey",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        ).json()
        generated = requests.post(
            f"{emulator.service_url}/api/hubs/chat/:generateToken?api-version={API_VERSION}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        ).json()
        now = int(time.time())
        client_token = jwt.encode(
            {"aud": "http://127.0.0.1/client/?hub=chat", "nbf": now, "exp": now + 7200},
            key["AccessKey"],
            "HS256",
            headers={"kid": key["KeyId"]},
        )
        return cls(token, key["KeyId"], client_token, generated["token"])

    def statuses(self, service_url: str) -> tuple[int, int, int]:
        """Show the tokens: of the app to the service, and of clients that negotiate."""
        send = f"{service_url}/api/hubs/chat/users/ann/:send?api-version={API_VERSION}"
        negotiate = f"{service_url}/client/negotiate?hub=chat&negotiateVersion=1"
        return (
            post(send, self.entra_token),
            post(negotiate, self.client_token),
            post(negotiate, self.generated_token),
        )


def post(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(url, json={"target": "t"}, headers=headers, timeout=TIMEOUT).status_code


@dataclass(frozen=True)
class Ended:
    """What is left of an emulator that has ended.

    Attributes:
        state: Its folder.
        held: What is held of it.
        more: The same with another key.
        certificate: Of the app registration, with its key.
        federated_token: A file.
    """

    state: Path
    held: Held
    more: Held
    certificate: bytes
    federated_token: Path


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("before")
    files = ("--ca-file", str(folder / "ca.pem"), "--federated-token-file", str(folder / "token"))
    with running_emulator("--state-dir", str(folder / "state"), *files) as emulator:
        kept = folder / "kept-token"
        kept.write_bytes((folder / "token").read_bytes())
        return Ended(
            state=folder / "state",
            held=Held.of(emulator),
            more=Held.of(emulator),
            certificate=(folder / "ca-client.pem").read_bytes(),
            federated_token=kept,
        )


@dataclass(frozen=True)
class Started:
    """The emulator that comes after it.

    Attributes:
        emulator: It has a second service.
        authority_options: With these a credential finds and trusts the authority.
    """

    emulator: RunningEmulator
    authority_options: dict[str, Any]


@pytest.fixture(scope="module")
def after(
    before: Ended,
    tmp_path_factory: pytest.TempPathFactory,
    unused_tcp_port_factory: Callable[[], int],
) -> Iterator[Started]:
    port = unused_tcp_port_factory()
    ca_file = tmp_path_factory.mktemp("after") / "ca.pem"
    with running_emulator(
        *("--state-dir", str(before.state), "--service", "0"),
        *("--authority-port", str(port), "--ca-file", str(ca_file)),
    ) as emulator:
        yield Started(
            emulator,
            {
                "authority": f"https://127.0.0.1:{port}",
                "connection_verify": str(ca_file),
                "disable_instance_discovery": True,
            },
        )


def test_tokens_stay_valid(before: Ended, after: Started) -> None:
    assert before.held.statuses(after.emulator.service_url) == (202, 200, 200)
    assert after.emulator.state()["liveKeys"] == []


def test_a_key_can_be_revoked_afterwards(before: Ended, after: Started) -> None:
    after.emulator.revoke_key(before.more.key_id)
    assert before.more.statuses(after.emulator.service_url) == (202, 401, 200)


def test_another_service_has_other_keys(before: Ended, after: Started) -> None:
    other = after.emulator.app_settings["Azure__SignalR__Endpoints__local_2__serviceUri"]
    assert before.held.statuses(other) == (202, 401, 401)


def test_tokens_do_not_outlive_their_time(before: Ended) -> None:
    with running_emulator("--state-dir", str(before.state)) as emulator:
        emulator.advance_clock(90 * 60)
        assert before.held.statuses(emulator.service_url) == (202, 401, 401)


def test_new_keys_accept_nothing_of_before(before: Ended) -> None:
    with running_emulator("--state-dir", str(before.state), "--fresh") as emulator:
        assert before.held.statuses(emulator.service_url) == (401, 401, 401)


def test_a_certificate_stays_good(before: Ended, after: Started) -> None:
    with CertificateCredential(
        Config().tenant_id,
        APP_REGISTRATION.client_id,
        certificate_data=before.certificate,
        **after.authority_options,
    ) as credential:
        assert credential.get_token(f"{SIGNALR}/.default").token


def test_a_federated_token_stays_good(before: Ended, after: Started) -> None:
    with WorkloadIdentityCredential(
        tenant_id=Config().tenant_id,
        client_id=APP_REGISTRATION.client_id,
        token_file_path=str(before.federated_token),
        **after.authority_options,
    ) as credential:
        assert credential.get_token(f"{SIGNALR}/.default").token


def test_two_emulators_have_one_folder_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        contexts = [running_emulator("--state-dir", str(folder)) for _ in range(2)]
        one, other = pool.map(stack.enter_context, contexts)
        assert Held.of(one).statuses(other.service_url) == (202, 200, 200)
        assert Held.of(other).statuses(one.service_url) == (202, 200, 200)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("app-registration.pem", "seed", "tenant.pem")
    ]
