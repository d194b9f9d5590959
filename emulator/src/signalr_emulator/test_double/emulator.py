"""An emulator as a test has it: what was recorded, what can be changed, and its clients."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..documents.json_text import Json
from .access import Access
from .async_client import AsyncClient
from .client import Client
from .connecting import connected
from .control import Control, ControlError
from .recorded import Message, UpstreamCall
from .waiting import wait_until

__all__ = ["RunningEmulator"]


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that runs. Its methods block, for some milliseconds unless they wait.

    Attributes:
        service_url: Where the (first) SignalR service listens.
        control_url: Where the control plane listens.
        app_settings: The settings with which an app finds the emulator.
        connection_strings: The connection string of each service, with its access key; none where
            local authentication is disabled.
    """

    service_url: str
    control_url: str
    app_settings: Mapping[str, str]
    connection_strings: tuple[str, ...] = field(default=(), repr=False)

    @property
    def connection_string(self) -> str:
        """The connection string of the (first) service, for an app with an access key.

        Raises:
            ControlError: There is none, since local authentication is disabled.
        """
        if not self.connection_strings:
            raise ControlError("There is no access key: local authentication is disabled.")
        return self.connection_strings[0]

    @property
    def messages(self) -> list[Message]:
        """The messages that were sent to clients, the oldest first."""
        return [Message.of(each) for each in self._control.call("GET", "messages")["messages"]]

    @property
    def upstream_calls(self) -> list[UpstreamCall]:
        """The requests to upstreams that have ended, the oldest first."""
        return [
            UpstreamCall.of(call, resource)
            for resource, upstream in self._control.call("GET", "upstream").items()
            for call in upstream["calls"]
        ]

    def wait_for_message(
        self,
        target: str | None = None,
        where: Callable[[Message], bool] = lambda _: True,
        *,
        timeout: float = 5.0,
    ) -> Message:
        """Give the first message that is meant, as soon as it is sent.

        Args:
            target: Name of the clients' handler; any if None.
            where: Tells which of these is meant.
            timeout: How long to wait, in seconds.

        Raises:
            NotSeenError: There was none in time.
        """
        return wait_until(
            lambda: self.messages,
            lambda message: target in {None, message.target} and where(message),
            f"message {target or ''}".rstrip(),
            timeout,
        )

    def wait_for_upstream_call(
        self,
        event: str | None = None,
        where: Callable[[UpstreamCall], bool] = lambda _: True,
        *,
        timeout: float = 5.0,
    ) -> UpstreamCall:
        """Give the first call of an upstream that is meant, as soon as it has ended.

        Args:
            event: `connected`, `disconnected`, or the method that a client calls; any if None.
            where: Tells which of these is meant.
            timeout: How long to wait, in seconds.

        Raises:
            NotSeenError: There was none in time.
        """
        return wait_until(
            lambda: self.upstream_calls,
            lambda call: event in {None, call.event} and where(call),
            f"upstream call {event or ''}".rstrip(),
            timeout,
        )

    def client(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Mapping[str, Json] | None = None,
        groups: Collection[str] = (),
        connection_string: str | None = None,
    ) -> Client:
        """Give a client, which is a context in which it is connected.

        Args:
            hub: Name of the hub.
            user_id: Who the client is; nobody if None.
            claims: More of what its token says.
            groups: What it joins at once.
            connection_string: Of one of several services; the first if None.

        Raises:
            ConnectionError: The service refuses.
            ControlError: There is no access key that could sign its token.
        """
        return Client(
            self.async_client(
                hub,
                user_id=user_id,
                claims=claims,
                groups=groups,
                connection_string=connection_string,
            )
        )

    def async_client(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Mapping[str, Json] | None = None,
        groups: Collection[str] = (),
        connection_string: str | None = None,
    ) -> AbstractAsyncContextManager[AsyncClient]:
        """Connect a client on the test's own event loop; arguments and errors as for `client`."""
        now: float = self._control.call("GET", "clock")["now"]
        return connected(
            Access.of(
                connection_string or self.connection_string,
                self.app_settings.get("SSL_CERT_FILE"),
            ),
            now,
            hub,
            user_id=user_id,
            claims=claims or {},
            groups=groups,
        )

    def set_role(self, role: str) -> None:
        """Give the app another role, as `--role` does at the start; `reset` gives the first back.

        Args:
            role: Name of a role, for instance `SignalR App Server`, or `none`.

        Raises:
            ControlError: There is no such role; the message lists those that there are.
        """
        self._control.call("PUT", "role", {"role": role})

    def reset(self) -> None:
        """Begin anew for the next test, while the app goes on.

        Clients, groups, faults, messages, upstream calls and counters are gone; roles and clock
        are as at the start. Keys and tokens of the app, and its server connections, stay.
        """
        self._control.call("POST", "reset")

    def advance_clock(self, seconds: float) -> float:
        """Let time pass for keys and tokens; gives the new time in epoch seconds.

        Args:
            seconds: How much, not negative.
        """
        clock: dict[str, float] = self._control.call("POST", "clock", {"advance": seconds})
        return clock["now"]

    def reset_clock(self) -> None:
        """Move the emulator's clock back to real time."""
        self._control.call("DELETE", "clock")

    def state(self) -> dict[str, Any]:
        """Give what `GET /emulator/state` answers: counts, live keys, connections, roles."""
        state: dict[str, Any] = self._control.call("GET", "state")
        return state

    def add_fault(self, **fault: Json) -> str:
        """Disturb requests; gives the fault's id.

        Args:
            fault: The fields of `POST /emulator/faults`, for instance `operation="sendToUser"`,
                `status=429`, `headers={"Retry-After": "1"}`, `times=3`, `share=0.1`, `delay=2`
                or `action="reset"`.

        Raises:
            ControlError: A field is not understood.
        """
        added: dict[str, str] = self._control.call("POST", "faults", fault)
        return added["id"]

    def clear_fault(self, fault_id: str) -> None:
        """Take a fault away.

        Raises:
            ControlError: There is no such fault.
        """
        self._control.call("DELETE", f"faults/{quote(fault_id, safe='')}")

    def clear_faults(self) -> None:
        """Take every fault away."""
        self._control.call("DELETE", "faults")

    def revoke_key(self, key_id: str) -> None:
        """End a temporary access key before its time.

        Raises:
            ControlError: There is no such key.
        """
        self._control.call("POST", f"keys/{quote(key_id, safe='')}/revoke")

    def drop_clients(self, **chosen: Json) -> int:
        """Cut connections as a broken network does; gives how many.

        Args:
            chosen: Which: `hub`, `userId`, `connectionId`, `share` with `seed`; all if empty.
        """
        dropped: dict[str, int] = self._control.call("POST", "clients/drop", chosen)
        return dropped["dropped"]

    def drop_server_connections(self, **chosen: Json) -> int:
        """Cut connections of app servers as a broken network does; gives how many.

        Args:
            chosen: Which: `hub`, `serverId`, `connectionId`, `share` with `seed`; all if empty.
        """
        dropped: dict[str, int] = self._control.call("POST", "server-connections/drop", chosen)
        return dropped["dropped"]

    def rebalance(self, **chosen: Json) -> int:
        """Ask on server connections for one more each; gives on how many.

        Args:
            chosen: Which, as in `drop_server_connections`.
        """
        told: dict[str, int] = self._control.call("POST", "server-connections/rebalance", chosen)
        return told["told"]

    def go_offline(self, **chosen: Json) -> int:
        """End clients of app servers as with the instance of the service that has them.

        Gives to how many server connections this was told.

        Args:
            chosen: Whose clients: server connections, as in `drop_server_connections`.
        """
        told: dict[str, int] = self._control.call("POST", "server-connections/offline", chosen)
        return told["told"]

    @property
    def _control(self) -> Control:
        return Control(self.control_url)
