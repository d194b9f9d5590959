"""Holds the data plane against the service's own OpenAPI files."""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from signalr_emulator import Config, Emulator, running
from signalr_emulator.entra.tenant import SigningKey

from emulator.tests.wire import SIGNALR

FOLDER = Path(
    os.environ.get("SIGNALR_SWAGGER_DIR")
    or Path(__file__).parents[4] / "shared" / "reference" / "swagger"
)
FILES = {"2022-06-01": ("V20220601.json", 19), "2023-07-01": ("V20230701.json", 22)}
"""The file of each version, and how many operations it has."""

DEPTH = settings().max_examples // 100
"""How often the usual number of requests is made: once, unless a profile asks for more examples."""

EXAMPLES = 20 * DEPTH

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir() and "SIGNALR_SWAGGER_DIR" not in os.environ,
    reason="the OpenAPI files of the service are not part of this repository;"
    " SIGNALR_SWAGGER_DIR names their folder",
)


@pytest.fixture(scope="module")
def emulator(signing_key: SigningKey) -> Iterator[Emulator]:
    """An emulator on a thread of its own: the fuzzer waits for its answers."""
    started: Future[tuple[Emulator, asyncio.Event, asyncio.AbstractEventLoop]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with running(Config(service_port=0, control_port=0), signing_key=signing_key) as it:
            started.set_result((it, stop, asyncio.get_running_loop()))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    emulator, stop, loop = started.result(10)
    yield emulator
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture(scope="module")
def session(emulator: Emulator) -> Iterator[requests.Session]:
    """A session that shows a valid token."""
    with requests.Session() as session:
        reply = session.get(
            f"{emulator.control_url}/msi/token",
            params={"api-version": "2019-08-01", "resource": SIGNALR},
            headers={"X-IDENTITY-HEADER": "local-emulator"},
            timeout=10,
        )
        session.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        yield session


def operations(file: str) -> list[Any]:
    path = FOLDER / file
    if not path.is_file():
        pytest.fail(f"{path} is missing: it is the contract that this test holds up")
    schema: Any = schemathesis.openapi.from_path(path)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.parametrize("version", FILES)
def test_answers_conform_to_the_contract(
    emulator: Emulator,
    session: requests.Session,
    version: str,
    record_property: Callable[[str, object], None],
) -> None:
    seen: Counter[int] = Counter()
    file, count = FILES[version]
    called = operations(file)
    assert len(called) == count
    for operation in called:
        seen += statuses(operation, emulator.service_url, session, version)
    # Fuzzing that is only ever refused would show nothing.
    assert {200, 202, 204, 400, 404} <= seen.keys()
    record_property("requests", seen.total())


def statuses(
    operation: Any,  # noqa: ANN401 - the fuzzer has no types
    url: str,
    session: requests.Session,
    version: str,
) -> Counter[int]:
    """Fuzz one operation, and give the statuses that came."""
    seen: Counter[int] = Counter()
    wanted = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    unwanted = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES,
        derandomize=DEPTH == 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(wanted, unwanted), is_version_known=st.integers(0, 5).map(bool))
    def fuzz(case: Any, *, is_version_known: bool) -> None:  # noqa: ANN401 - as above
        if is_version_known:
            case.query["api-version"] = version
        response = case.call(base_url=url, session=session)
        seen[response.status_code] += 1
        assert response.status_code < 500
        checks = [status_code_conformance, response_headers_conformance]
        if response.content:
            # An answer without a body has no type and no shape.
            checks += [content_type_conformance, response_schema_conformance]
        case.validate_response(response, checks=checks)
        if response.status_code >= 400 and operation.method != "head":
            detail = response.json()
            assert set(detail) <= {"code", "message", "target", "details", "inner"}
            assert all(isinstance(detail[name], str) for name in ("code", "message"))

    fuzz()
    return seen
