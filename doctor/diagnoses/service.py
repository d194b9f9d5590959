"""What an answer of the service's data plane means, and how to fix it."""

from http import HTTPStatus
from typing import Final

from shared.identity.permissions import missing_permission, token_claims
from shared.rest.operations import Operation
from shared.rest.refusal import is_by_network_rules
from shared.settings.endpoint import AUDIENCE, Endpoint, is_emulator
from shared.transport.flow import NoAnswerError, Response

from ..emulator import EmulatorState, is_moved, span
from ..finding import Diagnosis
from ..network import Outcome
from .commands import emulator_option, find_resource, signalr
from .no_answer import explain_no_answer

__all__ = [
    "SERVICE_URI",
    "explain_access",
    "explain_denied",
    "explain_error",
    "explain_status",
    "is_network_access",
]

SERVICE_URI: Final = "AzureSignalRConnectionString__serviceUri"


def explain_error(
    outcome: Outcome | None,
    operation: Operation,
    endpoint: Endpoint,
    token: str,
    *,
    kept_out: bool = False,
    emulator: EmulatorState | None = None,
) -> Diagnosis:
    """Say why an operation did not succeed.

    Args:
        outcome: What the request came to.
        operation: What was asked for.
        endpoint: Who was asked.
        token: The Entra token that was shown, of which only who and what for is read.
        kept_out: Whether another answer has shown that network rules keep this machine out.
        emulator: What was changed in the emulator that was asked, if it was one.
    """
    if not isinstance(outcome, Response):
        nobody = NoAnswerError("nothing was asked", delivered=False)
        return explain_no_answer(outcome or nobody, endpoint.server_url, SERVICE_URI)
    if outcome.status == HTTPStatus.UNAUTHORIZED:
        return _explain_unauthorized(endpoint, token, emulator)
    if outcome.status == HTTPStatus.FORBIDDEN:
        if is_network_access(outcome, kept_out=kept_out):
            return explain_access(endpoint, "RESTAPI")
        return explain_denied(endpoint, token, [operation.permission], emulator)
    if outcome.status == operation.success:
        return Diagnosis(
            f"{outcome.status}, and the body is not what this operation gives",
            f"A gateway may answer instead: check {SERVICE_URI} and …__serverEndpoint",
        )
    return explain_status(outcome, endpoint)


def is_network_access(outcome: Outcome | None, *, kept_out: bool = False) -> bool:
    """Tell whether a 403 comes from the network access control and not from a missing role.

    Args:
        outcome: What the request came to.
        kept_out: What another answer has shown, where this one does not tell.
    """
    if not isinstance(outcome, Response) or outcome.status != HTTPStatus.FORBIDDEN:
        return False
    found = is_by_network_rules(outcome)
    return kept_out if found is None else found


def explain_denied(
    endpoint: Endpoint,
    token: str,
    data_actions: list[str],
    emulator: EmulatorState | None = None,
) -> Diagnosis:
    """Say which role is missing, where, and how to assign it.

    Args:
        endpoint: Who refuses.
        token: The Entra token that was refused.
        data_actions: What it may not do, after `Microsoft.SignalRService/SignalR/`.
        emulator: As of `explain_error`.
    """
    missing = missing_permission(data_actions[0], endpoint, token)
    switched_off = emulator.switched_off.get(missing.principal) if emulator else None
    if emulator and switched_off:
        return Diagnosis(
            f"403: {', '.join(switched_off)} is switched off in the inspector, and nothing else"
            f" allows {', '.join(data_actions)}",
            f"Switch it on there: {emulator.control_url}",
        )
    in_emulator = (
        f"\n{emulator.give_role(missing.role)}   # the emulator"
        if emulator
        else emulator_option(endpoint, f'--role "{missing.role}"')
    )
    find = "" if is_emulator(endpoint.url) else f"\n{find_resource(endpoint)}   # the scope"
    return Diagnosis(
        f"403: no role of the principal {missing.principal} at this SignalR resource allows"
        f" {', '.join(data_actions)}",
        f"{missing.command}{find}\n"
        f"az role assignment list --assignee {missing.principal} --all"
        "   # a role at another resource does not count\n"
        f"'{missing.narrower}' is enough for this step. It can take up to 30 minutes" + in_emulator,
    )


def explain_access(endpoint: Endpoint, kind: str) -> Diagnosis:
    """Say that the network access control keeps this machine out.

    Args:
        endpoint: Who refuses.
        kind: What is to be allowed: `RESTAPI` or `ClientConnection`.
    """
    update = signalr("network-rule update", endpoint, f"--public-network true --allow {kind}")
    return Diagnosis(
        f"403 by the network access control of the resource: {kind} is not allowed from here",
        f"{update}\nOr run the doctor inside the virtual network of a private endpoint",
    )


def explain_status(answer: Response, endpoint: Endpoint) -> Diagnosis:
    """Say what a status means that has nothing to do with who asks."""
    status = answer.status
    if status == HTTPStatus.NOT_FOUND:
        return Diagnosis(
            "404: what answers there does not have this operation",
            f"Correct {SERVICE_URI} to one of these:\n"
            'az signalr list --query "[].hostName" --output tsv',
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        scale = signalr("update", endpoint, "--sku Standard_S1 --unit-count <units>")
        return Diagnosis("429: the resource has reached a limit of its tier", f"Wait, or:\n{scale}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Diagnosis(
            f"{status}: the service has a fault or is being changed",
            f"Try again in a minute, then:\n"
            f"{signalr('show', endpoint, '--query provisioningState')}",
        )
    return Diagnosis(
        f"{status}, which this operation does not give",
        f"Check that {SERVICE_URI} is the address of a SignalR resource",
    )


def _explain_unauthorized(
    endpoint: Endpoint, token: str, emulator: EmulatorState | None
) -> Diagnosis:
    claims = token_claims(token)
    if is_moved(emulator):
        return Diagnosis(
            f"401: the emulator's clock was moved, {span(emulator.seconds_ahead)} ahead, and by it"
            " the token has ended",
            emulator.reset_clock,
        )
    if "oid" not in claims:
        return Diagnosis(
            "401: the service does not accept the access key of the connection string",
            "Take the emulator's: the line that it prints as it starts",
        )
    audience, tenant = claims.get("aud", "?"), claims.get("tid", "?")
    if str(audience).rstrip("/") != AUDIENCE:
        return Diagnosis(
            f"401: the token is for the audience {audience}, and the service takes {AUDIENCE}",
            f"Remove …__audience, or: AzureSignalRConnectionString__audience={AUDIENCE}",
        )
    return Diagnosis(
        f"401: the service does not accept the token, which is of the tenant {tenant}",
        f"az account show --subscription <subscription of {endpoint.resource_name}>"
        " --query tenantId --output tsv   # the tenant that it has to be\n"
        "az login --tenant <that tenant>   # a person; for an app: docs/other-tenant.md\n"
        f"{signalr('show', endpoint, '--query disableAadAuth')}   # if it is; and the clock, below",
    )
