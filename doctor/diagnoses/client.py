"""What the service's answers to a client mean, and how to fix it."""

import re
from http import HTTPStatus
from typing import Any, Final

from shared.settings.endpoint import Endpoint
from shared.transport.flow import Response

from ..emulator import EmulatorState, is_moved, span
from ..finding import Diagnosis, Finding
from .commands import emulator_option, signalr
from .service import explain_access, explain_status

__all__ = [
    "explain_handshake",
    "explain_mode",
    "explain_negotiation",
    "explain_upgrade",
    "explain_upstream",
    "is_mode_error",
]

_FAILED: Final = re.compile(r"Invocation failed, status code (\d{3})")
"""What a client is told when an upstream answers with an error (AzureSignalR-samples,
issue 263)."""

_ROUTE: Final = "/upstream/{hub}/{category}/{event}"


def explain_negotiation(
    answer: Response, endpoint: Endpoint, emulator: EmulatorState | None = None
) -> Diagnosis:
    """Say why the service does not negotiate with a client."""
    if answer.status == HTTPStatus.OK:
        return Diagnosis(
            f"the answer to the negotiation is none of a SignalR service: {answer.body[:80]!r}",
            "What …__clientEndpoint names has to pass /client on",
        )
    if answer.status == HTTPStatus.UNAUTHORIZED and is_moved(emulator):
        return Diagnosis(
            f"401: the emulator's clock was moved, {span(emulator.seconds_ahead)} ahead, and by it"
            " client tokens have ended",
            emulator.reset_clock,
        )
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return Diagnosis(
            "401: the service does not accept the client token that its own key has signed",
            f"Check …__serviceUri (the token is for {endpoint.audience_base}) and this machine's"
            " clock",
        )
    if answer.status == HTTPStatus.FORBIDDEN:
        return explain_access(endpoint, "ClientConnection")
    return explain_status(answer, endpoint)


def explain_upgrade(status: int, endpoint: Endpoint) -> Diagnosis:
    """Say why the service, or what stands before it, opens no WebSocket."""
    if status == HTTPStatus.FORBIDDEN:
        return explain_access(endpoint, "ClientConnection")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        scale = signalr("update", endpoint, "--sku Standard_S1 --unit-count <units>")
        return Diagnosis("429: the resource has no connection left", scale)
    return Diagnosis(
        f"{status} instead of 101: the negotiation succeeds, and the WebSocket does not open",
        "Have the proxy or gateway on the way pass WebSockets on: the headers Upgrade, Connection",
    )


def is_mode_error(error: str) -> bool:
    """Tell whether the handshake was refused for want of an app server.

    The service's text names its mode (AzureSignalR-samples, issue 133).
    """
    return "service mode" in error and "Default" in error


def explain_handshake(error: str) -> Diagnosis:
    """Say why the service refuses the handshake."""
    if is_mode_error(error):
        return Diagnosis(
            "the service refuses the handshake, since its mode is Default",
            "See “Service mode” below",
        )
    return Diagnosis(
        f"the service refuses the handshake: {error}",
        "Look the text up in the troubleshooting guide of Azure SignalR Service",
    )


def explain_mode(endpoint: Endpoint) -> Diagnosis:
    """Say that the resource waits for an app server."""
    return Diagnosis(
        "Default: the resource lets clients in only while an app server (.NET) is connected",
        signalr("update", endpoint, "--service-mode Serverless")
        + emulator_option(endpoint, "--service-mode Serverless"),
    )


def explain_upstream(
    answer: Any,  # noqa: ANN401  JSON
    endpoint: Endpoint,
    base_path: str,
    emulator: EmulatorState | None = None,
) -> Finding:
    """Say what the answer to the call of a method that does not exist tells of the upstream.

    Args:
        answer: The completion or close message, or `None` when there was none in time.
        endpoint: The service.
        base_path: What the paths of the app's functions begin with: `/api`, or "".
        emulator: What was changed in the emulator that was asked, if it was one.
    """
    route = f"{base_path}{_ROUTE}"
    show = signalr("upstream list", endpoint, "").rstrip()
    template = f"https://<function app>.azurewebsites.net{route}"
    if answer is None:
        return Finding.failed(
            Diagnosis(
                "a client's call got no answer",
                f"The app hangs, or no upstream is set:\n{show}",
            )
        )
    error = answer.get("error")
    status = _FAILED.search(error) if isinstance(error, str) else None
    if status is not None and int(status[1]) == HTTPStatus.UNAUTHORIZED and is_moved(emulator):
        return Finding.failed(_explain_moved_upstream(emulator), answer=error)
    if status is not None:
        diagnosis = _explain_upstream_status(int(status[1]), show, base_path)
        return Finding.failed(diagnosis, answer=error)
    if error is None and answer.get("type") == 3:  # noqa: PLR2004  a completion
        return Finding.warning(
            "some app answers methods that do not exist; it is not this one",
            f"{show}   # should it be {template}?",
        )
    closed = "the service closed the connection" if error is None else f"the service says: {error}"
    return Finding.warning(
        f"no upstream answers calls of clients ({closed})",
        "Nothing to fix, unless clients call methods:\n"
        + signalr("upstream update", endpoint, f'--template url-template="{template}"')
        + emulator_option(
            endpoint,
            f'--upstream "http://127.0.0.1:7071{route} managed-identity=<UPSTREAM_AUDIENCE>"',
        ),
        answer=error,
    )


def _explain_moved_upstream(emulator: EmulatorState) -> Diagnosis:
    return Diagnosis(
        f"401: the emulator's clock was moved, {span(emulator.seconds_ahead)} ahead, and by the"
        " app's the token of its calls is not valid yet",
        emulator.reset_clock,
    )


def _explain_upstream_status(status: int, show: str, base_path: str) -> Diagnosis:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Diagnosis(
            f"{status}: what the upstream settings name refuses the service's calls",
            "The app's log says why. Compare UPSTREAM_TENANT_ID, UPSTREAM_AUDIENCE and"
            " UPSTREAM_IDENTITIES with the upstream settings; App Service authentication has to"
            f" exclude {base_path}/upstream\n{show}",
        )
    if status == HTTPStatus.NOT_FOUND:
        return Diagnosis(
            "404: the URL of the upstream settings leads to no upstream function, or the app does"
            " not serve this hub",
            f"{show}   # has to end with {base_path}{_ROUTE}\n"
            "SIGNALR_HUBS of the app has to have the hub",
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Diagnosis(
            "503: the app cannot tell whether the service's calls are genuine, or is not running",
            "The app has to reach UPSTREAM_KEYS_URL, if set, else login.microsoftonline.com",
        )
    return Diagnosis(
        f"{status}: the service's call of the app fails",
        f"The app's log says why. The URL that is called:\n{show}",
    )
