"""A 403: of the service, which knows roles, or of the front end, which knows networks."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

import pytest

from shared.rest.refusal import explain_refusal, is_by_network_rules
from shared.settings.endpoint import Endpoint
from shared.transport.flow import Request, Response
from shared.transport.http import Transport
from tests.scripted_service import Reply, scripted_service

CONTOSO = Endpoint("https://contoso.service.signalr.net")
TOKEN = f"e30.{urlsafe_b64encode(json.dumps({'oid': '1111'}).encode()).decode()}.sig"
PAGE = b"<html><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></html>"
RULES = "the resource's network rules refuse this machine"
ROLE = "the principal 1111 (audience <unknown>) has no role with the data action"


@pytest.mark.parametrize(
    ("headers", "body", "by_rules"),
    [
        ({"Content-Type": "text/html"}, PAGE, True),
        ({}, PAGE, True),
        ({"Content-Type": "text/plain"}, b"Public network access is disabled.", True),
        ({"Content-Type": "text/html; charset=utf-8"}, b"", True),
        ({"Content-Type": "application/json"}, b'{"error": {"code": "Forbidden"}}', False),
        ({}, b'{"code": "Forbidden"}', False),
        ({"x-ms-error-code": "Forbidden"}, b"", False),
        ({"x-ms-error-code": "Forbidden", "Content-Type": "text/plain"}, b"no", False),
        ({"Content-Type": "application/json"}, b"", False),
        ({"Content-Type": "text/plain"}, b"", None),
        ({}, b"", None),
        ({}, b"[" * 100_000, True),
    ],
)
def test_who_refuses(headers: Mapping[str, str], body: bytes, by_rules: bool | None) -> None:
    answer = Response(403, headers, body)
    assert is_by_network_rules(answer) is by_rules
    said = explain_refusal(answer, "user/read", CONTOSO, TOKEN)
    assert (RULES in said) is (by_rules is not False)
    assert (ROLE in said) is (by_rules is not True)
    assert ("az role assignment create" in said) is (by_rules is not True)


def test_how_network_rules_are_changed() -> None:
    said = explain_refusal(Response(403, {}, PAGE), "user/read", CONTOSO, TOKEN)
    assert "(public network access, IP rules, private endpoint)" in said
    assert "az signalr network-rule update --name contoso --resource-group <resource group>" in said
    assert "--public-network true --allow RESTAPI" in said


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_page_of_the_front_end_on_the_wire(method: str) -> None:
    page = Reply(403, {"content-type": "text/html"}, b"" if method == "HEAD" else PAGE)
    transport = Transport()
    with scripted_service(lambda _: page) as front_end:
        answer = transport.send(Request(method, f"{front_end.url}/api", {}))
    assert is_by_network_rules(answer)
    transport.close()
