"""One SignalR resource: what belongs to it alone, whatever else runs in the same process."""

from dataclasses import dataclass, field
from typing import Self

from signalr_emulator.access_keys import AccessKeys
from signalr_emulator.authentication import Authenticator
from signalr_emulator.client_events import ClientHandler
from signalr_emulator.clock import Clock
from signalr_emulator.config import Config, ResourceConfig
from signalr_emulator.entra import Tenant
from signalr_emulator.event_queue import EventQueue
from signalr_emulator.hubs import Hubs
from signalr_emulator.negotiations import Negotiations
from signalr_emulator.upstream import Upstream
from signalr_emulator.upstream_handler import UpstreamHandler
from signalr_emulator.upstream_identity import make_upstream
from signalr_emulator.user_groups import UserGroups

__all__ = ["Resource", "ResourceActivity"]


@dataclass(slots=True)
class ResourceActivity:
    """What has been asked of a resource since its start, refused requests included.

    Attributes:
        key_requests: Requests for a temporary access key.
    """

    key_requests: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """The state behind one data plane.

    Attributes:
        config: Its name, resource id and port.
        authenticator: Tells who calls it.
        access_keys: Its access keys.
        negotiations: Its negotiated connections.
        hubs: Its connected clients.
        upstream: Where events of its clients go.
        user_groups: The groups of its users.
        activity: What was asked of it.
        handler: Answers what its clients do; None for nobody.
        events: What its clients did and the handler has yet to hear.
    """

    config: ResourceConfig
    authenticator: Authenticator
    access_keys: AccessKeys
    negotiations: Negotiations
    hubs: Hubs
    upstream: Upstream
    user_groups: UserGroups
    activity: ResourceActivity = field(default_factory=ResourceActivity)
    handler: ClientHandler | None = None
    events: EventQueue = field(default_factory=EventQueue)

    @classmethod
    def create(
        cls, resource_config: ResourceConfig, config: Config, *, clock: Clock, tenant: Tenant
    ) -> Self:
        """Make the state of a new resource.

        Args:
            resource_config: What is chosen for this resource.
            config: What is chosen for the emulator.
            clock: The emulator's clock.
            tenant: Whose Entra tokens are accepted.
        """
        access_keys = AccessKeys(clock, resource_config.access_keys)
        hubs = Hubs()
        upstream = make_upstream(
            config.upstream,
            resource_config.resource_id,
            tenant,
            clock,
            signing_keys=lambda: access_keys.local,
        )
        return cls(
            config=resource_config,
            authenticator=Authenticator(tenant, access_keys, clock),
            access_keys=access_keys,
            negotiations=Negotiations(config.timing.connect),
            hubs=hubs,
            user_groups=UserGroups(hubs, clock),
            upstream=upstream,
            handler=UpstreamHandler(upstream) if config.upstream.is_wanted else None,
        )
