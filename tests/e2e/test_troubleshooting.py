"""What docs/troubleshooting.md says of clients and settings, seen with the real client."""

from pathlib import Path

import pytest

from tests.e2e.processes import Emulator, FunctionApp, client, function_app

NOBODY = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("name", ["authorization", "Authorization"])
def test_an_authorization_among_its_headers_keeps_a_client_out(
    anonymous_app: FunctionApp, name: str
) -> None:
    with client(anonymous_app.url, **{name: "Bearer of-the-app"}) as own:
        assert own.next("refused")
    with client(anonymous_app.url, **{"x-any-other": "header"}) as other:
        assert other.connection_id()


def test_the_client_does_not_look_at_the_case_of_a_target(anonymous_app: FunctionApp) -> None:
    with client(anonymous_app.url) as listening:
        listening.connection_id()
        message = {"target": "NEWMESSAGE", "arguments": ["Hello"]}
        assert anonymous_app.post("broadcast", message).status_code == 202
        assert listening.message() == ["Hello"]


def test_azure_client_id_names_no_managed_identity(service: Emulator, tmp_path: Path) -> None:
    settings = {**service.app_settings, "AZURE_CLIENT_ID": NOBODY}
    with function_app(settings, tmp_path) as app:
        assert service.admits(app.negotiate()) == 200
    settings = {**service.app_settings, "AzureSignalRConnectionString__clientId": NOBODY}
    with function_app(settings, tmp_path) as app:
        assert app.post("negotiate").status_code == 503
        app.process.wait_for(f"Assign the app the identity with the client id {NOBODY}")
