"""An app that began as a copy takes the package, as its page says, and keeps its own rules."""

import json
import re
from pathlib import Path

from load.processes import ROOT
from tests.packages.conftest import Environment, clean_environment

PAGE = (ROOT / "docs" / "migrating-from-a-copy.md").read_text()
POLICY = """
from keyless_signalr.functions import NotAllowedError

def admit(caller, hub, connection):
    raise NotAllowedError("Nobody may connect here.")
"""
EVENTS = """
from keyless_signalr.functions import Events

events = Events()

@events.on_connected("chat")
async def connected(event): ...
"""
ASK = """
import asyncio, json
import azure.functions as func
import function_app

functions = {each.get_function_name(): each for each in function_app.app.get_functions()}
request = func.HttpRequest("POST", "http://localhost/api/negotiate", body=b"")
answer = asyncio.run(functions["negotiate"].get_user_function()(request))
handler = function_app.signalr.events is function_app.events
print(json.dumps([answer.status_code, handler, sorted(functions)]))
"""
SETTINGS = {
    "AzureSignalRConnectionString__serviceUri": "http://127.0.0.1:9",
    "SIGNALR_HUBS": "chat",
    "SIGNALR_CLIENT_TOKENS": "service",
    "NEGOTIATE_IDENTITY": "anonymous",
}


def test_policy_and_handlers_are_asked_after_it(environment: Environment, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    # The block stands in a list.
    code = "\n".join(line.removeprefix("   ") for line in code.splitlines())
    for name, text in (("function_app", code), ("policy", POLICY), ("events", EVENTS)):
        (tmp_path / f"{name}.py").write_text(text)
    settings = clean_environment(**SETTINGS)
    status, has_handlers, functions = json.loads(
        environment.run("-c", ASK, folder=tmp_path, settings=settings)
    )
    assert status == 403
    assert has_handlers
    assert {"negotiate", "broadcast", "upstream", "health", "openapi"} <= set(functions)
