"""Whether a sign-in can be renewed: at the service, with a connection of the doctor's own."""

from typing import Final

from shared.errors import PermissionDeniedError, ServiceError
from shared.rest import operations as op

from ..diagnoses.refresh import explain_absence, explain_missing_role, is_absence
from ..diagnoses.service import is_network_access
from ..finding import Finding
from .client import negotiate
from .endpoint import EndpointUnderTest

__all__ = ["check_refresh"]

_ACTION: Final = op.REFRESH_AUTH.permission


def check_refresh(tested: EndpointUnderTest) -> Finding:
    """Renew the authentication of a connection that is negotiated and never opened.

    Its claims stay, so what is asked for is the operation and nothing else.
    """
    if tested.refresh_off:
        return Finding.skipped(tested.refresh_off)
    negotiated = negotiate(tested)
    if isinstance(negotiated, Finding):
        return Finding.skipped("the service does not negotiate, see “Client handshake”")
    connection_token = negotiated.get("connectionToken")
    if not isinstance(connection_token, str) or not connection_token:
        diagnosis = explain_absence("its negotiation names no connection token", tested.endpoint)
        return Finding.warning(diagnosis.summary, diagnosis.fix)
    held = tested.network.ask(
        tested.rest.refresh_authentication(
            tested.hub, connection_token, expires_on=None, claims=None
        )
    )
    if not isinstance(held, ServiceError):
        return Finding.ok(
            "the service renews the sign-in of a connection, which keeps its claims",
            dataActions=[_ACTION],
            claims=[each.type for each in held],
        )
    return _not_renewed(tested, held)


def _not_renewed(tested: EndpointUnderTest, error: ServiceError) -> Finding:
    outcome, kept_out = tested.network.last, tested.kept_out
    if is_absence(outcome):
        said = f"{outcome.status} to a connection that it has just negotiated"
        diagnosis = explain_absence(said, tested.endpoint)
        return Finding.warning(diagnosis.summary, diagnosis.fix, status=outcome.status)
    diagnosis = tested.explain(op.REFRESH_AUTH)
    if isinstance(error, PermissionDeniedError) and not is_network_access(
        outcome, kept_out=kept_out
    ):
        diagnosis = explain_missing_role(diagnosis)
    return Finding.failed(
        diagnosis,
        operation=op.REFRESH_AUTH.name,
        status=error.status,
        dataAction=_ACTION,
        requestId=error.request_id,
    )
