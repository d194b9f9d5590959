import os

import pytest

from doctor.diagnoses.proxies import explain_proxy, past_proxy, through_proxy
from doctor.finding import Diagnosis

CONTOSO = "https://contoso.service.signalr.net/api/health"
BROKEN = Diagnosis("502: a fault", "Try again")


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"ALL_PROXY": "me:hidden@proxy.example:3128", "NO_PROXY": "example.org"}
    monkeypatch.setattr(os, "environ", settings)


@pytest.mark.usefixtures("proxied")
def test_a_proxy_is_named_with_its_variable() -> None:
    assert through_proxy(CONTOSO) == ", through the proxy http://proxy.example:3128 (ALL_PROXY)"
    said = explain_proxy(BROKEN, CONTOSO)
    assert said.summary.startswith("502: a fault, through the proxy http://proxy.example:3128")
    assert "NO_PROXY=contoso.service.signalr.net" in said.fix
    assert said.fix.endswith("Try again")


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("url", ["https://example.org/", "http://127.0.0.1:8888/api/health"])
def test_an_address_that_is_asked_without_it(url: str) -> None:
    assert through_proxy(url) == ""
    assert explain_proxy(BROKEN, url) is BROKEN


@pytest.mark.usefixtures("proxied")
def test_an_identity_endpoint_is_asked_past_it() -> None:
    assert "NO_PROXY has to name 169.254.169.254" in past_proxy("http://169.254.169.254")
    assert past_proxy("http://example.org/msi/token") == ""


def test_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    assert through_proxy(CONTOSO) == past_proxy("http://169.254.169.254") == ""
