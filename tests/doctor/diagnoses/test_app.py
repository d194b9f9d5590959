from doctor.diagnoses.app import explain_negotiate
from shared.transport.flow import Response

PROBLEM = {"Content-Type": "application/problem+json"}


def test_a_policy_that_lets_nobody_in() -> None:
    assert "policy.py" in explain_negotiate(Response(403, PROBLEM), "chat", "/api").summary
