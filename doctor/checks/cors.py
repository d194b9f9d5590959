"""Whether browsers let a web page call: preflights, as browsers make them (Fetch, 4.8)."""

from collections.abc import Sequence
from typing import Final

from shared.transport.flow import NoAnswerError

from ..diagnoses.cors import Host, judge_preflight
from ..diagnoses.no_answer import explain_no_answer
from ..finding import Finding
from ..network import Network

__all__ = ["NEGOTIATION", "REFRESH", "preflight"]

NEGOTIATION: Final = ("authorization", "x-requested-with", "x-signalr-user-agent")
"""What `@microsoft/signalr` sends with a negotiation beside the headers that need no leave."""

REFRESH: Final = ("authorization", "x-requested-with", "x-signalr-connection-token")
"""What a client sends to renew its sign-in."""


def preflight(network: Network, url: str, origin: str, host: Host, asked: Sequence[str]) -> Finding:
    """Ask whether a page may send a request.

    Args:
        network: The way there.
        url: Where the page's client asks.
        origin: Origin of the page.
        host: Whose CORS settings answer.
        asked: Headers that the request has, in lower case and in order.
    """
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join(asked),
    }
    outcome = network.request("OPTIONS", url, headers)
    if isinstance(outcome, NoAnswerError):
        return Finding.failed(explain_no_answer(outcome, url, host.address))
    allowed = outcome.headers.get("Access-Control-Allow-Origin")
    problem = judge_preflight(outcome, origin, asked, host)
    if problem is not None:
        return Finding.failed(problem, origin=origin, allowed=allowed, status=outcome.status)
    return Finding.ok(f"{host.name} lets pages of {origin} in, with credentials", origin=origin)
