"""Why a request got no answer at all."""

import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from socket import gaierror
from urllib.parse import urlsplit

from shared.settings.endpoint import is_emulator, is_loopback

from ..finding import Diagnosis

__all__ = ["explain_no_answer"]


def explain_no_answer(
    error: BaseException, url: str, names: str, *, address: str = ""
) -> Diagnosis:
    """Say why nobody answered, and how to fix it.

    Args:
        error: What ended the attempt; the errors that led to it are looked at as well.
        url: Where it went.
        names: The setting or option that names the address.
        address: What the host's name stands for, if that is known.
    """
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc}"
    causes = list(_causes(error))
    if any(isinstance(each, gaierror) for each in causes):
        return Diagnosis(
            f"no name server knows the host {parts.hostname}",
            f"Correct {names}; {_where_it_is_known(url)}",
        )
    if any(isinstance(each, ssl.SSLError) for each in causes):
        reason = next(each for each in causes if isinstance(each, ssl.SSLError))
        return Diagnosis(
            f"TLS with {where} fails: {reason.reason or reason}",
            "export REQUESTS_CA_BUNDLE=/path/to/ca.pem   # of a proxy that inspects TLS\n"
            f"Else the certificate is not for the host of {names}",
        )
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return Diagnosis(f"nothing listens at {where}", _start(url, names))
    if any(isinstance(each, ConnectionResetError) for each in causes):
        return Diagnosis(
            f"{where} ended the connection without an answer",
            "Try again; a proxy or firewall may end it",
        )
    if any(isinstance(each, TimeoutError) for each in causes) or "timed out" in str(error).lower():
        return Diagnosis(f"{where} did not answer in time", _reach(names, address))
    return Diagnosis(f"no answer from {where}: {error}", f"Check {names} and the way there")


def _where_it_is_known(url: str) -> str:
    if is_emulator(url):
        return "the name of a container is known inside its network only: run the doctor there"
    return (
        "or run this inside the virtual network of its private endpoint\n"
        'az signalr list --query "[].hostName" --output tsv   # those that exist'
    )


def _start(url: str, names: str) -> str:
    if is_loopback(url):
        return f"Start it (make start), or correct {names}"
    return f"Correct the host and port of {names}"


def _reach(names: str, address: str) -> str:
    if address and ip_address(address).is_private and not ip_address(address).is_loopback:
        return f"{address} is of a private endpoint: run the doctor inside its virtual network"
    return f"Check {names}, firewalls and proxies on the way"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that led to it."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
