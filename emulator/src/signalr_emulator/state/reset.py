"""Everything as it was at the start, for the next test, while emulator and app go on."""

from .resource import Resource
from .service import Service

__all__ = ["reset"]

_REASON = "The emulator was reset."
_GRACE = 5.0
"""How long upstreams may take for what is still to be told to them, in seconds."""


async def reset(service: Service) -> None:
    """End clients and faults, put roles and clock back, and forget what happened.

    What an app has stays valid: keys that were revoked live again, and server connections go on,
    since an app keeps both for longer than a test.

    Args:
        service: The emulator's state.
    """
    service.faults.clear_all()
    service.clock.reset()
    service.roles.reset()
    for resource in service.resources:
        await _reset(resource)
    service.journal.clear()
    service.activity.identity_requests = 0


async def _reset(resource: Resource) -> None:
    resource.access_keys.restore_revoked()
    resource.negotiations.forget_waiting()
    for member in resource.hubs.members():
        member.disconnect(_REASON, allow_reconnect=False)
    resource.user_groups.clear()
    # An upstream is told of the ends, and may send because of them: all that belongs to before.
    await resource.events.finish(_GRACE)
    resource.upstream.forget_calls()
    resource.activity.key_requests = 0
