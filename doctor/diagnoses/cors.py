"""What the answer to a preflight means, and how to fix it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.transport.flow import Response

from ..finding import Diagnosis

__all__ = ["Host", "judge_preflight"]


@dataclass(frozen=True, slots=True)
class Host:
    """Whose CORS settings answer.

    Args:
        name: What it is called.
        address: What names its address: a setting or an option.
        allow_origin: What lets an origin in; `{origin}` stands for it.
        allow_credentials: What lets pages send credentials.
    """

    name: str
    address: str
    allow_origin: str
    allow_credentials: str


def judge_preflight(
    answer: Response, origin: str, headers: Sequence[str], host: Host
) -> Diagnosis | None:
    """Say what keeps a browser from calling, or return `None` for nothing.

    SignalR clients in browsers send credentials unless they are told not to, so that the answer has
    to name the origin and allow credentials (Fetch, 4.10).

    Args:
        answer: The answer to the preflight.
        origin: Origin of the page.
        headers: Headers in lower case that the page asks to send.
        host: Whose CORS settings answer.
    """
    allowed = answer.headers.get("Access-Control-Allow-Origin", "")
    add = host.allow_origin.format(origin=origin)
    if not allowed:
        return Diagnosis(f"{host.name} does not let pages of {origin} in ({answer.status})", add)
    if allowed == "*":
        return Diagnosis(
            f"{host.name} lets every origin in, which browsers do not take with credentials",
            f"{add}\nOr build the client with withUrl(url, {{ withCredentials: false }})",
        )
    if allowed != origin:
        return Diagnosis(f"{host.name} lets {allowed} in, and not {origin}", add)
    if answer.headers.get("Access-Control-Allow-Credentials", "") != "true":
        return Diagnosis(
            f"{host.name} lets pages of {origin} in, but not with credentials",
            f"{host.allow_credentials}\n"
            "Or build the client with withUrl(url, { withCredentials: false })",
        )
    permitted = answer.headers.get("Access-Control-Allow-Headers", "").lower()
    refused = [each for each in headers if each not in permitted.replace(" ", "").split(",")]
    if refused:
        return Diagnosis(
            f"{host.name} does not let pages send {', '.join(refused)}",
            "A gateway before it has to allow these headers",
        )
    return None
