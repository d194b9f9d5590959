"""Which handler runs for which event."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from ...errors import InvalidArgumentError
from ...settings.hubs import Hubs, check_hubs, fitting
from ..places import placed
from .event import Category
from .parameters import Parameters, parameters_of

__all__ = ["Events", "Handler"]


class Handler(NamedTuple):
    """A function that runs for an event.

    Args:
        function: The function.
        parameters: What it takes.
        is_async: Whether it is a coroutine function; any other runs in a thread.
    """

    function: Callable[..., Any]
    parameters: Parameters
    is_async: bool


class Events:
    """The handlers of an app, registered by decorators.

    A handler takes the event; after it, if it wants, the service client (annotated with the
    awaitable `SignalRServiceClient`); and for a message the arguments of the invocation, which
    are checked against its annotations. What it returns goes back to the client that called.
    """

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, Category, str], Handler] = {}
        self._hubs: Hubs | None = None

    def on_connected[F: Callable[..., Any]](self, hub: str) -> Callable[[F], F]:
        """Register a handler for clients that have connected.

        Args:
            hub: Name of the hub, in any case, or a pattern such as `tenant_*`. Of several handlers
                for a hub the one that names it runs, or else that of the longest pattern.

        Raises:
            InvalidArgumentError: It is no name of a hub, or of none that the app serves.
        """
        return self._registers(hub, Category.CONNECTIONS, "connected")

    def on_disconnected[F: Callable[..., Any]](self, hub: str) -> Callable[[F], F]:
        """Register a handler for clients that are gone; otherwise as `on_connected`."""
        return self._registers(hub, Category.CONNECTIONS, "disconnected")

    def on_message[F: Callable[..., Any]](self, hub: str, target: str) -> Callable[[F], F]:
        """Register a handler for a method that clients call; otherwise as `on_connected`.

        Args:
            hub: Name of the hub, in any case, or a pattern.
            target: Name of the method, in any case.
        """
        return self._registers(hub, Category.MESSAGES, target)

    def serve(self, hubs: Hubs) -> None:
        """Take handlers of these hubs alone from now on.

        Args:
            hubs: The hubs that the app serves.

        Raises:
            InvalidArgumentError: A handler is there already that would never run.
        """
        self._hubs = hubs
        for (hub, _, _), handler in self._handlers.items():
            self._check_served(hub, handler.function)

    def handler(self, hub: str, category: Category, event: str) -> Handler | None:
        """Return the handler of an event.

        Args:
            hub: Name of the hub, in any case.
            category: Kind of the event.
            event: Name of the event or method, in any case.
        """
        found = self._handlers.get((hub.lower(), category, event.lower()))
        if found is not None:
            return found
        handlers = {
            hubs: handler
            for (hubs, *handled), handler in self._handlers.items()
            if handled == [category, event.lower()]
        }
        return next((handlers[each] for each in fitting(hub.lower(), handlers)), None)

    def _registers[F: Callable[..., Any]](
        self, hub: str, category: Category, event: str
    ) -> Callable[[F], F]:
        key = (check_hubs(hub), category, event.lower())

        def register(function: F) -> F:
            if key in self._handlers:
                there = placed(self._handlers[key].function)
                raise ValueError(
                    f"{placed(function)}: {event!r} of hub {hub!r} has a handler already, {there}"
                )
            parameters = parameters_of(function)
            if category is Category.CONNECTIONS and (parameters.arguments or parameters.rest):
                raise TypeError(
                    f"{placed(function)}: {event!r} has no arguments, so it takes the event and the"
                    " service client alone: service: SignalRServiceClient, of the module aio"
                )
            self._check_served(key[0], function)
            is_async = inspect.iscoroutinefunction(function)
            self._handlers[key] = Handler(function, parameters, is_async)
            return function

        return register

    def _check_served(self, hub: str, function: Callable[..., Any]) -> None:
        if self._hubs is None or self._hubs.overlap(hub):
            return
        hubs = ",".join([*self._hubs.listed, hub])
        raise InvalidArgumentError(
            "events", f"has the handler {placed(function)} for the hub {hub!r}, which the app"
            f" does not serve. Add the hub, for example SIGNALR_HUBS={hubs}, or take the handler"
            " away"
        )  # fmt: skip
