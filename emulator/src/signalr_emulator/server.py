"""Every plane on its port."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from .clock import Clock
from .configuration.settings import Config
from .control.app_service import MSI_PATH
from .control.authority import authority
from .control.plane import control_plane
from .data_plane import data_plane
from .entra.applications import Application
from .entra.certificates import ServerCertificate
from .entra.tenant import SigningKey
from .errors import PortUnavailableError
from .http_log import RequestLogger, http_logger, request_logger
from .sockets.receiving import with_one_buffer
from .state.service import Service

__all__ = ["Emulator", "running"]

_BACKLOG = 4096
_MAX_HEADER_BYTES = 16 * 1024
"""The longest request line and the longest header, in bytes."""

_SHUTDOWN_TIMEOUT = 3.0
"""How long requests and closing handshakes may take when the emulator stops, in seconds."""

_TLS_SHUTDOWN_TIMEOUT = 1.0
"""How long a client may take to answer to the end of TLS, in seconds."""

_FEDERATED_LIFETIME = 365 * 24 * 3600
"""How long a federated token is valid, in seconds: nobody renews it."""

_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - not bound here


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator that runs.

    Attributes:
        service: Its state.
        service_urls: Where each SignalR resource listens, in the order of the resources, without
            a trailing slash.
        control_url: Where the control plane listens, without a trailing slash.
        authority_url: Where Entra's authority listens, over TLS, without a trailing slash.
        ca_certificate: Certificate in PEM that clients of the authority, and with TLS those of the
            services, have to trust.
    """

    service: Service
    service_urls: tuple[str, ...]
    control_url: str
    authority_url: str
    ca_certificate: str

    @property
    def service_url(self) -> str:
        """Where the first SignalR resource listens, without a trailing slash."""
        return self.service_urls[0]

    def federated_token(self, application: Application) -> str:
        """Give a token from outside that stands for an app registration.

        Args:
            application: One of the emulator's, with a federated credential of its issuer.

        Raises:
            ValueError: It has no such credential.
        """
        service = self.service
        issuer = service.external_issuer
        for credential in application.federated_credentials:
            if credential.issuer == issuer.url:
                clock = service.clock
                return issuer.issue(
                    credential.subject,
                    credential.audience,
                    # The authority measures what comes from outside in real time.
                    now=clock.now() - clock.offset,
                    lifetime=_FEDERATED_LIFETIME,
                )
        raise ValueError("The application has no federated credential of this issuer.")

    def app_settings(self) -> dict[str, str]:
        """Give the settings with which an app finds this emulator."""
        return {
            "AzureSignalRConnectionString__serviceUri": self.service_url,
            **self._endpoint_settings(),
            "IDENTITY_ENDPOINT": f"{self.control_url}{MSI_PATH}",
            "IDENTITY_HEADER": self.service.config.identity_header,
        }

    def connection_strings(self) -> list[str]:
        """Give the connection string of each resource; none without local authentication.

        Each holds the primary key, in the form of the official emulator.
        """
        strings = []
        for resource, url in zip(self.service.resources, self.service_urls, strict=True):
            endpoint, _, port = url.rpartition(":")
            strings += [
                f"Endpoint={endpoint};Port={port};AccessKey={key};Version=1.0;"
                for key in resource.config.access_keys[:1]
            ]
        return strings

    def _endpoint_settings(self) -> dict[str, str]:
        """Give the settings of several endpoints; a single one needs no name."""
        if len(self.service_urls) == 1:
            return {}
        # A hyphen has no place in the name of an environment variable.
        names = (resource.config.name.replace("-", "_") for resource in self.service.resources)
        return {
            f"Azure__SignalR__Endpoints__{name}__serviceUri": url
            for name, url in zip(names, self.service_urls, strict=True)
        }


@asynccontextmanager
async def running(
    config: Config,
    *,
    clock: Clock | None = None,
    signing_key: SigningKey | None = None,
    seed: bytes | None = None,
) -> AsyncIterator[Emulator]:
    """Run an emulator for as long as the context lasts.

    Args:
        config: What is chosen.
        clock: The emulator's clock; a new one if None.
        signing_key: The tenant's key pair; a new one if None.
        seed: What all other keys are derived from, 32 bytes; a new one if None.

    Raises:
        PortUnavailableError: One of the ports cannot be listened on.
    """
    service = Service.create(config, clock=clock, signing_key=signing_key, seed=seed)
    certificate = ServerCertificate.generate(_certificate_names(config))
    async with AsyncExitStack() as stack:
        service_ports = [
            await _listen(
                stack,
                data_plane(service, resource),
                config.host,
                resource.config.port,
                "service",
                tls=certificate.context if config.tls else None,
            )
            for resource in service.resources
        ]
        authority_port = await _listen(
            stack,
            authority(service),
            config.host,
            config.authority_port,
            "authority",
            tls=certificate.context,
            linger=0,
        )
        authority_url = _url(config.host, authority_port, "https")
        control_port = await _listen(
            stack,
            control_plane(service, authority_url),
            config.host,
            config.control_port,
            "control",
        )
        scheme = "https" if config.tls else "http"
        yield Emulator(
            service=service,
            service_urls=tuple(_url(config.host, port, scheme) for port in service_ports),
            control_url=_url(config.host, control_port),
            authority_url=authority_url,
            ca_certificate=certificate.ca_certificate,
        )


async def _listen(
    stack: AsyncExitStack,
    app: web.Application,
    host: str,
    port: int,
    plane: str,
    *,
    tls: ssl.SSLContext | None = None,
    linger: float = _SHUTDOWN_TIMEOUT,
) -> int:
    """Serve an application until the stack unwinds, and give its port.

    Args:
        stack: What unwinds.
        app: What is served.
        host: Address to listen on.
        port: Port to listen on; 0 takes any free one.
        plane: What the port is for.
        tls: How TLS is spoken; None for none.
        linger: How long closing handshakes of WebSockets may take at the end, in seconds.

    Raises:
        PortUnavailableError: The port cannot be listened on.
    """
    runner = web.AppRunner(
        app,
        access_log=request_logger(),
        # aiohttp's own would write client tokens, which browsers send in the query.
        access_log_class=RequestLogger,
        logger=http_logger(),
        # A poll or an event stream ends with its client, and does not wait for its time limit.
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_TIMEOUT,
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
    )
    await runner.setup()
    try:
        server = await asyncio.get_running_loop().create_server(
            with_one_buffer(cast("web.Server", runner.server)),
            host,
            port,
            backlog=_BACKLOG,
            ssl=tls,
            ssl_shutdown_timeout=None if tls is None else _TLS_SHUTDOWN_TIMEOUT,
        )
    except OSError as error:
        await runner.cleanup()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise PortUnavailableError(plane, port, reason) from error
    stack.push_async_callback(_end_connections, server, linger)
    stack.push_async_callback(runner.cleanup)
    stack.callback(server.close)
    bound: int = server.sockets[0].getsockname()[1]
    return bound


async def _end_connections(server: asyncio.Server, seconds: float) -> None:
    """Wait for the closing handshakes of WebSockets, and cut what does not close in time.

    A client may take long to answer to the end of TLS, so that nobody waits for that.
    """
    with suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), seconds)
    if sys.version_info >= (3, 13):
        server.abort_clients()
        await asyncio.sleep(0)
    elif not seconds:
        # There asyncio does not tell its clients, and cuts them itself when their time is over.
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 2 * _TLS_SHUTDOWN_TIMEOUT)


def _certificate_names(config: Config) -> list[str]:
    chosen = {config.host, *(name.strip("[]") for name in config.host_names)}
    names = ["localhost", "127.0.0.1", "::1"]
    return [*names, *sorted(chosen - {*names, *_ANY_ADDRESS})]


def _url(host: str, port: int, scheme: str = "http") -> str:
    name = _ANY_ADDRESS.get(host) or (f"[{host}]" if ":" in host else host)
    return f"{scheme}://{name}:{port}"
