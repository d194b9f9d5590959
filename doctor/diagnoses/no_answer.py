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
            "If a proxy inspects TLS here, name its certificate authority:"
            " export REQUESTS_CA_BUNDLE=/path/to/ca.pem\n"
            f"Else the host of {names} is not the one of the certificate",
        )
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return Diagnosis(f"nothing listens at {where}", _start(url, names))
    if any(isinstance(each, ConnectionResetError) for each in causes):
        return Diagnosis(
            f"{where} ended the connection without an answer",
            "Try again; if it stays, a proxy or firewall on the way ends it",
        )
    if any(isinstance(each, TimeoutError) for each in causes) or "timed out" in str(error).lower():
        return Diagnosis(f"{where} did not answer in time", _reach(names, address))
    return Diagnosis(f"no answer from {where}: {error}", f"Check {names} and the way there")


def _where_it_is_known(url: str) -> str:
    if is_emulator(url):
        return (
            "the name of a container is known inside its network only: run the doctor in a"
            " container of the same network"
        )
    return (
        'the resource has to exist: az signalr list --query "[].hostName" --output tsv\n'
        "Behind a private endpoint the name is known inside the virtual network only"
    )


def _start(url: str, names: str) -> str:
    if is_loopback(url):
        return f"Start it (make start), or correct {names}"
    return f"Correct the host and port of {names}"


def _reach(names: str, address: str) -> str:
    if address and ip_address(address).is_private and not ip_address(address).is_loopback:
        return (
            f"The name stands for the private address {address}, a private endpoint:"
            " run the doctor inside the virtual network, or connect to it by VPN"
        )
    return f"Check {names}, and that no firewall or proxy on the way drops the packets"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that led to it."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
