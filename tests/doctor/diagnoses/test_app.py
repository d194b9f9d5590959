from doctor.diagnoses.app import explain_negotiate
from shared.transport.flow import Response

PROBLEM = {"Content-Type": "application/problem+json"}


def test_a_policy_that_lets_nobody_in() -> None:
    assert "policy.py" in explain_negotiate(Response(403, PROBLEM), "chat", "/api").summary


def test_a_connection_that_the_policy_prevents_is_no_app_that_does_not_run() -> None:
    asked_too_much = explain_negotiate(Response(500, PROBLEM), "chat", "/api")
    assert asked_too_much.summary.startswith("500: the app runs, and its policy or settings")
    assert "az webapp log tail" in asked_too_much.fix
    down = explain_negotiate(Response(500, {"Content-Type": "text/html"}), "chat", "/api")
    assert down.summary == "500: the app does not run"
