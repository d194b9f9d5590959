import pytest
from signalr_emulator.testing import RunningEmulator

from tests.doctor.conftest import PRINCIPAL, Examine

ALL = [
    "reach", "credential", "token", "clock", "key", "client", "mode", "read", "manage", "send",
    "refresh", "upstream", "cors",
]  # fmt: skip


def test_a_service_without_upstream(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine(emulator.app_settings, "--origin", "https://contoso.com")
    assert examined.status == 0
    assert [each["id"] for each in examined.steps] == ["settings", "hub", *ALL, "app"]
    unusual = {name: each for name, each in examined.statuses().items() if each != "ok"}
    assert unusual == {"upstream": "warning", "app": "skipped"}
    assert "--upstream" in examined.step("upstream")["fix"]


def test_hubs_of_an_application(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine({**emulator.app_settings, "SIGNALR_APPLICATION": "alice"})
    assert examined.status == 0
    assert "hubs chat, news of the application alice" in examined.step("settings")["summary"]
    assert examined.step("hub")["details"] == {"hub": "chat"}
    assert "one message arrived" in examined.step("send")["summary"]


@pytest.mark.parametrize(
    ("hubs", "default", "tried"),
    [
        ("tenant_*", "", "tenant_doctor (one of tenant_*, since there is no default hub; --hub"),
        ("tenant_*", "tenant_main", "tenant_main (the default hub)"),
    ],
)
def test_hubs_by_pattern(
    emulator: RunningEmulator, examine: Examine, hubs: str, default: str, tried: str
) -> None:
    patterns = {"SIGNALR_HUBS": hubs, "SIGNALR_DEFAULT_HUB": default}
    examined = examine({**emulator.app_settings, **patterns})
    assert examined.status == 0
    assert "hubs tenant_*" in examined.step("settings")["summary"]
    assert examined.step("hub")["summary"].startswith(tried)
    assert f"at hub {tried.partition(' ')[0]}," in examined.step("client")["summary"]


def test_what_is_told_of_identity_and_key(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine(emulator.app_settings)
    credential = examined.step("credential")
    assert credential["details"]["credential"] == "managedidentity"
    assert credential["summary"] == (
        "managed identity, since App Service offers one (IDENTITY_ENDPOINT)"
    )
    token = examined.step("token")["details"]
    assert token["principal"] == PRINCIPAL
    assert token["tenant"] == "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
    assert token["audience"] == "https://signalr.azure.com"
    key = examined.step("key")["details"]
    assert key["keyId"] in emulator.state()["liveKeys"]
    assert key["expires"] < token["expires"]


def test_nobody_stays_behind(emulator: RunningEmulator, examine: Examine) -> None:
    assert examine(emulator.app_settings).status == 0
    assert emulator.state()["connections"] == {}


def test_a_message_arrives_at_the_doctors_own_client(
    emulator: RunningEmulator, examine: Examine
) -> None:
    sent = examine(emulator.app_settings).step("send")
    assert "one message arrived at the doctor's own client" in sent["summary"]
    assert sent["details"]["dataActions"] == [
        "user/send/action",
        "clientConnection/send/action",
        "group/send/action",
        "hub/send/action",
    ]


def test_default_azure_credential_tells_which_of_its_members_answers(
    emulator: RunningEmulator, examine: Examine
) -> None:
    settings = {**emulator.app_settings, "AzureSignalRConnectionString__credential": "default"}
    token = examine(settings).step("token")
    assert token["status"] == "ok"
    assert token["details"]["answeredBy"] == "ManagedIdentityCredential"
    assert token["summary"].endswith(" from ManagedIdentityCredential")


def test_tokens_that_the_service_makes(emulator: RunningEmulator, examine: Examine) -> None:
    settings = {**emulator.app_settings, "SIGNALR_CLIENT_TOKENS": "service"}
    before = emulator.state()["keyRequests"]
    examined = examine(settings)
    assert "the service makes client tokens" in examined.step("key")["summary"]
    assert examined.step("client")["status"] == "ok"
    assert emulator.state()["keyRequests"] == before


@pytest.mark.parametrize("hub", ["news", "NEWS"])
def test_another_hub(emulator: RunningEmulator, examine: Examine, hub: str) -> None:
    examined = examine(emulator.app_settings, "--hub", hub)
    assert examined.step("client")["details"]["hub"] == "news"


def test_a_hub_that_the_app_does_not_serve(emulator: RunningEmulator, examine: Examine) -> None:
    examined = examine(emulator.app_settings, "--hub", "Other")
    assert examined.status == 1
    assert examined.broken() == {"hub"}
    assert examined.step("hub")["fix"] == "Add it: SIGNALR_HUBS=chat,news,other"
    assert examined.step("client")["details"]["hub"] == "chat"


def test_the_access_key_of_an_emulator(emulator: RunningEmulator, examine: Examine) -> None:
    key = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
    text = f"Endpoint={emulator.service_url};AccessKey={key};Version=1.0;"
    examined = examine({"AzureSignalRConnectionString": text})
    assert examined.status == 0
    credential = examined.step("credential")
    assert credential["status"] == "warning"
    assert "AzureSignalRConnectionString has an AccessKey" in credential["summary"]
    assert "For an emulator on this machine only" in credential["fix"]
    for name in ("token", "key", "client", "read", "manage", "send"):
        assert examined.step(name)["status"] == "ok"
