"""A proxy of the environment before the service, and before the identity endpoint."""

from signalr_emulator.testing import RunningEmulator

from tests.doctor.conftest import Examine
from tests.scripted_service import Reply, scripted_service

SERVICE_URI = "AzureSignalRConnectionString__serviceUri"
CONTOSO = "https://contoso.service.signalr.net"


def test_a_proxy_is_asked_for_nothing_on_this_machine(
    emulator: RunningEmulator, examine: Examine
) -> None:
    with scripted_service(lambda _: Reply(502)) as proxy:
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), proxy.url)
        examined = examine({**emulator.app_settings, **proxies})
        covered = examine({**emulator.app_settings, **proxies, "NO_PROXY": "127.0.0.1"})
    assert proxy.received == []
    assert examined.broken() == covered.broken() == set()
    assert examined.step("credential")["summary"].endswith(
        f"; its endpoint is asked past the proxy {proxy.url} (HTTP_PROXY), and for other programs"
        " NO_PROXY has to name 127.0.0.1"
    )
    assert "proxy" not in covered.step("credential")["summary"]
    assert "proxy" not in examined.step("reach")["summary"]


def test_a_service_that_a_proxy_does_not_let_us_ask(
    emulator: RunningEmulator, examine: Examine
) -> None:
    with scripted_service(lambda _: Reply(407)) as proxy:
        address = proxy.url.replace("//", "//me:the-password@")
        settings = {SERVICE_URI: CONTOSO, "https_proxy": address}
        reach = examine({**emulator.app_settings, **settings}).step("reach")
    assert [each.method for each in proxy.received] == ["CONNECT"]
    assert reach["summary"].endswith(f", through the proxy {proxy.url} (https_proxy)")
    assert "407" in reach["summary"]
    assert "NO_PROXY=contoso.service.signalr.net\n" in reach["fix"]
    assert "the-password" not in str(reach)


def test_a_proxy_that_is_not_there(emulator: RunningEmulator, examine: Examine) -> None:
    settings = {SERVICE_URI: CONTOSO, "HTTPS_PROXY": "http://127.0.0.1:9"}
    reach = examine({**emulator.app_settings, **settings}).step("reach")
    assert reach["status"] == "failed"
    assert reach["summary"].endswith("through the proxy http://127.0.0.1:9 (HTTPS_PROXY)")
    assert "NO_PROXY=contoso.service.signalr.net\n" in reach["fix"]
