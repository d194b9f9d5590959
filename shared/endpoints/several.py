"""What several endpoints need that a single one does not: a router, health checks, one result."""

import functools
from collections.abc import Callable, Sequence
from typing import Final, cast

from ..errors import ServiceUnavailableError
from ..transport.driver import Driver
from ..transport.flow import Flow, Gather, run
from ..transport.http import Timeouts, Transport
from .endpoint import ServiceEndpoint
from .fan_out import GRACE, FanOut, combine, settles
from .health import Health, HealthMonitor
from .router import Candidate, RendezvousRouter, Router

__all__ = ["SeveralEndpoints"]

_HEALTH_TIMEOUTS: Final = Timeouts(connect=2.0, read=2.0)
"""What an endpoint has for its health check: as in the SDK for .NET."""


class SeveralEndpoints:
    """Chooses among endpoints, and makes one operation of what each of them does.

    Args:
        endpoints: The endpoints, of which each gets its health.
        router: Chooses the endpoint that a client is sent to; by weight and user if not given.
    """

    def __init__(self, endpoints: Sequence[ServiceEndpoint], router: Router | None) -> None:
        self._endpoints = endpoints
        self._by_address = {each.endpoint: each for each in endpoints}
        self._router = router or RendezvousRouter()
        self._transport = Transport(_HEALTH_TIMEOUTS)
        self._driver = Driver(self._transport)
        checks: dict[str, tuple[Health, Callable[[], bool]]] = {}
        for each in endpoints:
            each.health = Health()
            checks[each.endpoint.name] = (each.health, self._check(each))
        self.monitor = HealthMonitor(checks)

    def route(self, hub: str, user_id: str | None) -> Sequence[ServiceEndpoint]:
        """Return the endpoints in the order in which they are tried for a client.

        Args:
            hub: Name of the hub.
            user_id: The client's user, or `None` for an anonymous one.

        Raises:
            ServiceUnavailableError: The router chose none.
        """
        self.monitor.start()
        candidates = [Candidate(each.endpoint, each.available) for each in self._endpoints]
        chosen = self._router(candidates, hub.lower(), user_id)
        if not chosen:
            raise ServiceUnavailableError("The router chose no endpoint")
        return [self._by_address[each] for each in chosen]

    def combined[T](self, fan_out: FanOut, flows: Sequence[Flow[T]]) -> Flow[T]:
        """Run a flow at every endpoint, all at once, and return the one result.

        Args:
            fan_out: How many of the endpoints it concerns.
            flows: The flow of each endpoint, in their order.
        """
        self.monitor.start()
        settled = functools.partial(settles, fan_out)
        outcomes = cast("Sequence[T]", (yield Gather(flows, settled, GRACE)))
        names = [each.endpoint.name for each in self._endpoints]
        return combine(fan_out, dict(zip(names, outcomes, strict=True)))

    def after_fork(self) -> None:
        """Make it usable in a child process, which has none of its threads."""
        self._transport.renew()
        self._driver.after_fork()
        self.monitor.after_fork()

    def close(self) -> None:
        """End the health checks."""
        self.monitor.close()
        self._driver.close()
        self._transport.close()

    def _check(self, endpoint: ServiceEndpoint) -> Callable[[], bool]:
        return lambda: run(endpoint.rest.service_is_healthy(), self._driver.perform)
