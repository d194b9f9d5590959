import pytest

from shared.settings.endpoint import passes_proxies_by


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8888", True),
        ("http://localhost:42356/msi/token", True),
        ("http://[::1]:8888", True),
        ("http://169.254.169.254/metadata", True),
        ("http://169.254.255.2:8081/msi/token", True),
        ("http://[fe80::1%25eth0]/", True),
        ("https://contoso.service.signalr.net", False),
        ("https://10.0.0.1", False),
        ("http://127.0.0.1.example", False),
        ("http://", False),
        ("", False),
    ],
)
def test_what_only_this_machine_reaches(url: str, expected: bool) -> None:
    assert passes_proxies_by(url) is expected
