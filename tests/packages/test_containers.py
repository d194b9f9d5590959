"""Dockerfile and compose.yaml, read as a container engine reads them, and run without one.

What they start is started here, by the commands that stand there, in an environment that has the
packages and not the checkout, in an empty folder; the names of the containers' network are made to
lead to this machine.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import yaml

from load.processes import PATIENCE, ROOT
from tests.e2e.processes import client, free_ports
from tests.packages.conftest import Environment, clean_environment
from tests.packages.servers import answers, running

NETWORK = """
import socket

_found = socket.getaddrinfo


def getaddrinfo(host, *rest, **named):
    return _found("127.0.0.1" if host in ("signalr", "app") else host, *rest, **named)


socket.getaddrinfo = getaddrinfo
"""
"""Stands for the name server of the containers' network."""


class Instruction(NamedTuple):
    """A line of the Dockerfile, with those that go on with it in one."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """What it says, without its options; a JSON array in its parts."""
        text = re.sub(r"^(--\S+\s+)+", "", self.rest).removeprefix("CMD ")
        words: list[str] = json.loads(text) if text.startswith("[") else text.split()
        return words


type Stage = list[Instruction]


def stages() -> dict[str, Stage]:
    """Read the Dockerfile: the instructions of each stage by its name."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    found: dict[str, Stage] = {"": []}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found[rest.rpartition(" AS ")[2]] = []
        found[list(found)[-1]].append(Instruction(name, rest))
    return found


STAGES = stages()
IMAGES = ("emulator", "app")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def words(stage: str, name: str) -> list[str]:
    return next((each.words for each in STAGES[stage] if each.name == name), [])


def environment_of(service: str) -> dict[str, str]:
    return dict(SERVICES[service].get("environment", {}))


def test_the_base_is_named_by_a_version_of_python_that_is_tested() -> None:
    (argument,) = STAGES[""]
    version = (ROOT / ".python-version").read_text().strip()
    assert argument == ("ARG", f"PYTHON=python:{version}-slim-trixie")
    assert {stage[0].words[0] for name, stage in STAGES.items() if name} == {"${PYTHON}"}


def test_without_a_target_the_emulator_is_built() -> None:
    assert list(STAGES)[-1] == "emulator"


def test_what_is_copied_is_there_and_is_not_left_out() -> None:
    ignored, *exceptions = (
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line[:1] not in ("", "#")
    )
    assert ignored == "*"
    kept = [each.removeprefix("!").rstrip("/") for each in exceptions if each.startswith("!")]
    copied = [
        source.rstrip("/")
        for stage in STAGES.values()
        for each in stage
        if each.name == "COPY" and "--from" not in each.rest
        for source in each.words[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in kept), source
    for pattern in kept:
        assert any(Path(source).match(pattern) for source in copied), pattern


def test_the_app_has_all_that_is_deployed() -> None:
    """Compare with what `func azure functionapp publish` would take."""
    copied = {
        source.rstrip("/")
        for each in STAGES["app"]
        if each.name == "COPY" and "--from" not in each.rest
        for source in each.words[:-1]
    }
    tracked = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ignored = (ROOT / ".funcignore").read_text().split()
    deployed = {
        name
        for name in tracked
        if not any(Path(name).match(pattern.rstrip("/")) for pattern in ignored)
    }
    # These are installed, and lie in the environment.
    assert copied == deployed - {"requirements.txt", "constraints.txt", "azure.yaml"}


@pytest.mark.parametrize("image", IMAGES)
def test_nobody_is_root_and_no_tool_that_builds_is_left(image: str) -> None:
    (user,) = words(image, "USER")
    assert int(user) > 0
    assert any(f"--uid {user}" in each.rest for each in STAGES[image] if each.name == "RUN")
    order = [each.name for each in STAGES[image]]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert not any("pip" in each.rest for each in STAGES[image] if each.name == "RUN")
    assert f"python -m venv --without-pip /opt/{image}" in STAGES["build"][3].rest


@pytest.mark.parametrize("image", IMAGES)
def test_ports_that_are_published_are_listened_on(image: str) -> None:
    (service,) = (each for each in SERVICES.values() if each["build"]["target"] == image)
    exposed = set(words(image, "EXPOSE"))
    for port in service["ports"]:
        address, _, inside = port.rpartition(":")
        # For nobody but this machine: the emulator gives tokens to whoever asks.
        assert address.startswith("127.0.0.1:")
        assert inside in exposed


def test_the_app_waits_for_an_emulator_that_is_healthy() -> None:
    assert SERVICES["app"]["depends_on"] == {"signalr": {"condition": "service_healthy"}}
    assert words("emulator", "HEALTHCHECK")
    assert words("app", "HEALTHCHECK")


class Containers(NamedTuple):
    """What runs.

    Args:
        app: Where clients negotiate.
        service: Where they connect.
        health: The command that checks the health of each, by its service.
    """

    app: str
    service: str
    health: dict[str, list[str]]


@pytest.fixture(scope="module")
def containers(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Containers]:
    """Run what both services run, with other ports, since those may be taken here."""
    app, service, control, authority = map(str, free_ports(4))
    ports = {"7071": app, "8888": service, "8889": control, "8890": authority}

    def moved(text: str) -> str:
        return re.sub("|".join(ports), lambda port: ports[port[0]], text)

    def command(name: str) -> list[str]:
        image = SERVICES[name]["build"]["target"]
        started = [moved(each) for each in words(image, "ENTRYPOINT") + SERVICES[name]["command"]]
        if started[0] == "python":
            return [str(environment.python), *started[1:]]
        return [str(environment.python.with_name(started[0])), *started[1:]]

    network = tmp_path_factory.mktemp("network")
    (network / "sitecustomize.py").write_text(NETWORK)
    surroundings = {"PYTHONPATH": str(network), "HOME": str(network)}
    health = {
        name: [moved(each) for each in words(described["build"]["target"], "HEALTHCHECK")]
        for name, described in SERVICES.items()
    }
    emulator = [*command("signalr"), "--service-port", service, "--control-port", control]
    folder = tmp_path_factory.mktemp("app")
    for each in STAGES["app"]:
        if each.name == "COPY" and "--from" not in each.rest:
            for source in each.words[:-1]:
                (folder / source).symlink_to(ROOT / source)
    settings = {name: moved(value) for name, value in environment_of("app").items()}
    url = f"http://127.0.0.1:{app}/api"
    with (
        running(
            emulator,
            tmp_path_factory.mktemp("emulator"),
            clean_environment(**surroundings),
            ready=lambda: answers(f"http://127.0.0.1:{service}/api/health"),
        ),
        running(
            [*command("app"), "--port", app],
            folder,
            clean_environment(**surroundings, **settings),
            ready=lambda: answers(f"{url}/health"),
        ),
    ):
        yield Containers(url, f"http://localhost:{service}", health)


def test_both_are_healthy_by_their_own_checks(
    containers: Containers, environment: Environment
) -> None:
    for python, *arguments in containers.health.values():
        assert python == "python"
        environment.run(*arguments)
    # And nothing is, where nobody listens.
    python, option, program = containers.health["app"]
    (other,) = free_ports(1)
    with pytest.raises(AssertionError, match="Connection refused"):
        environment.run(option, re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{other}", program))


def test_a_client_outside_of_the_network_connects_and_reaches_the_handlers(
    containers: Containers,
) -> None:
    answer = requests.post(f"{containers.app}/negotiate", timeout=PATIENCE)
    assert answer.json()["url"] == f"{containers.service}/client/?hub=chat"
    with client(containers.app) as ann:
        ann.connection_id()
        body = {"target": "newMessage", "arguments": ["Hello"]}
        sent = requests.post(f"{containers.app}/broadcast", json=body, timeout=PATIENCE)
        assert sent.status_code == 202
        assert ann.message() == ["Hello"]
        # The emulator calls the app by its name, with a token whose keys the app fetches.
        ann.call("send", "sendMessage", "Hi")
        ann.next("sent")
        assert ann.message()[1] == "Hi"
