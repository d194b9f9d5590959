"""What this app may do by REST, shown by operations that reach no client of the app.

Groups, users and connections that are asked for have names that nobody has; a message to a whole
hub goes to a hub that nobody is in. Data actions are checked for the resource, not for a hub.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Final

from shared.errors import PermissionDeniedError, ServiceError
from shared.rest import operations as op
from shared.rest.operations import Operation
from shared.transport.flow import Flow

from ..diagnoses.service import explain_denied, is_network_access
from ..finding import Finding
from .endpoint import EndpointUnderTest
from .invocations import receives

__all__ = ["check_manage", "check_read", "check_send"]

_TARGET: Final = "doctor"
_DELIVERY_TIMEOUT: Final = 5.0

type Probes = Sequence[tuple[Operation, Flow[object]]]


def check_read(tested: EndpointUnderTest) -> Finding:
    """Ask whether a connection, a user and a group exist that do not."""
    nobody = _nobody()
    return _tried(
        tested,
        [
            (op.CONNECTION_EXISTS, tested.rest.connection_exists(tested.hub, nobody)),
            (op.USER_EXISTS, tested.rest.user_exists(tested.hub, nobody)),
            (op.GROUP_EXISTS, tested.rest.group_exists(tested.hub, nobody)),
        ],
        "it may ask who is connected",
    )


def check_manage(tested: EndpointUnderTest) -> Finding:
    """Take a user that does not exist out of a group, and close a connection that does not."""
    nobody = _nobody()
    return _tried(
        tested,
        [
            (
                op.REMOVE_USER_FROM_GROUP,
                tested.rest.remove_user_from_group(tested.hub, nobody, nobody),
            ),
            (op.CLOSE_CONNECTION, tested.rest.close_connection(tested.hub, nobody)),
        ],
        "it may change groups and close connections",
    )


def check_send(tested: EndpointUnderTest) -> Finding:
    """Send to the doctor's own client, and to a group and a hub where nobody is."""
    nobody, nonce = _nobody(), secrets.token_hex(8)
    connection = tested.client.connection_id if tested.client is not None else nobody
    rest = tested.rest
    began = time.monotonic()
    finding = _tried(
        tested,
        [
            (op.SEND_TO_USER, rest.send_to_user(tested.hub, tested.user_id, _TARGET, [nonce])),
            (op.SEND_TO_CONNECTION, rest.send_to_connection(tested.hub, connection, _TARGET, [])),
            (op.SEND_TO_GROUP, rest.send_to_group(tested.hub, nobody, _TARGET, [])),
            (op.SEND_TO_ALL, rest.send_to_all(nobody, _TARGET, [])),
        ],
        "it may send to users, connections, groups and everyone",
    )
    if finding.fix or tested.client is None:
        return finding
    if not receives(tested.client, _TARGET, nonce, _DELIVERY_TIMEOUT):
        return Finding.warning(
            "the service accepts messages, and one to the doctor's own client did not arrive",
            "Try again; clientEndpoint may lead to another resource than serviceUri",
            **finding.details,
        )
    milliseconds = round((time.monotonic() - began) * 1000)
    return Finding.ok(
        f"{finding.summary}; one message arrived at the doctor's own client",
        **finding.details,
        milliseconds=milliseconds,
    )


def _nobody() -> str:
    """Return a name that no hub, group, user or connection has."""
    return f"doctor_{secrets.token_hex(12)}"


def _tried(tested: EndpointUnderTest, probes: Probes, success: str) -> Finding:
    """Do each operation, and say what is not allowed."""
    denied: list[str] = []
    for operation, flow in probes:
        error = tested.network.ask(flow)
        outcome, kept_out = tested.network.last, tested.kept_out
        if isinstance(error, PermissionDeniedError) and not is_network_access(
            outcome, kept_out=kept_out
        ):
            denied.append(operation.permission)
        elif isinstance(error, ServiceError):
            return Finding.failed(
                tested.explain(operation),
                operation=operation.name,
                status=error.status,
                requestId=error.request_id,
            )
    if denied:
        diagnosis = explain_denied(tested.endpoint, tested.entra_token, denied, tested.emulator)
        return Finding.failed(diagnosis, dataActions=denied, status=403)
    return Finding.ok(success, dataActions=[each.permission for each, _ in probes])
