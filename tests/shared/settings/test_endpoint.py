import pytest

from shared.settings.endpoint import Endpoint, is_loopback


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        (
            "https://contoso.service.signalr.net",
            "https://contoso.service.signalr.net/client/?hub=chat",
        ),
        ("http://127.0.0.1:8888", "http://127.0.0.1/client/?hub=chat"),
        ("http://[::1]:8888", "http://[::1]/client/?hub=chat"),
        ("https://a.bc:8443/prefix", "https://a.bc/client/?hub=chat"),
    ],
)
def test_audience_is_the_host_without_its_port(url: str, audience: str) -> None:
    assert Endpoint(url).client_audience("chat") == audience


def test_clients_connect_to_the_endpoint_itself() -> None:
    assert Endpoint("http://127.0.0.1:8888").client_hub_url("chat") == (
        "http://127.0.0.1:8888/client/?hub=chat"
    )


def test_client_and_server_endpoints_replace_the_address_and_not_the_audience() -> None:
    endpoint = Endpoint("https://a.bc", "https://cdn.example/signalr", "https://private.example")
    assert endpoint.client_hub_url("chat") == "https://cdn.example/signalr/client/?hub=chat"
    assert endpoint.server_url == "https://private.example"
    assert endpoint.client_audience("chat") == "https://a.bc/client/?hub=chat"


def test_resource_name_is_the_first_label() -> None:
    assert Endpoint("https://contoso.service.signalr.net").resource_name == "contoso"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8888", True),
        ("http://127.0.0.2", True),
        ("http://[::1]:1", True),
        ("http://127.evil.example", False),
        ("http://example.com", False),
    ],
)
def test_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected
