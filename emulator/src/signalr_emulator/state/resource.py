"""One SignalR resource: what belongs to it alone, whatever else runs in the same process."""

import hmac
from dataclasses import dataclass, field
from typing import Self

from ..authentication.access_keys import AccessKeys
from ..authentication.callers import Authenticator
from ..clients.event_queue import EventQueue
from ..clients.events import ClientHandler
from ..clients.hubs import Hubs
from ..clients.negotiations import Negotiations
from ..clients.user_groups import UserGroups
from ..clock import Clock
from ..configuration.settings import Config, ResourceConfig
from ..entra.tenant import Tenant
from ..server_connections.registry import ServerConnections
from ..upstream.handler import UpstreamHandler
from ..upstream.identity import make_upstream
from ..upstream.sender import Upstream
from .journal import Journal

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
        servers: Its server connections.
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
    servers: ServerConnections = field(default_factory=ServerConnections)
    activity: ResourceActivity = field(default_factory=ResourceActivity)
    handler: ClientHandler | None = None
    events: EventQueue = field(default_factory=EventQueue)

    @classmethod
    def create(
        cls,
        resource_config: ResourceConfig,
        config: Config,
        *,
        clock: Clock,
        tenant: Tenant,
        seed: bytes,
        journal: Journal,
    ) -> Self:
        """Make the state of a new resource.

        Args:
            resource_config: What is chosen for this resource.
            config: What is chosen for the emulator.
            clock: The emulator's clock.
            tenant: Whose Entra tokens are accepted.
            seed: What its keys are derived from, and those of other resources.
            journal: Keeps the calls of its upstream.
        """
        # The ids of Azure resources have no case.
        name = f"access keys {resource_config.resource_id.casefold()}"
        access_keys = AccessKeys(
            clock, hmac.digest(seed, name.encode(), "sha256"), resource_config.access_keys
        )
        hubs = Hubs()
        upstream = make_upstream(
            config.upstream,
            resource_config.resource_id,
            tenant,
            clock,
            signing_keys=lambda: access_keys.local,
            called=journal.happened,
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
