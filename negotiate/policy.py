"""Who may connect to which hub, and as what: the one place for this app's own rules.

`docs/negotiate.md` has examples, also of rules for each hub, and of those that look at the request,
ask the service or choose the hub.
"""

from shared.functions import Caller, Connection

__all__ = ["admit"]


def admit(caller: Caller, hub: str, connection: Connection) -> Connection:  # noqa: ARG001  for your rules
    """Return the connection that a caller gets.

    Args:
        caller: Who asks, by a proven identity.
        hub: Name of the hub in lower case.
        connection: What the settings would give it.

    Raises:
        NotAllowedError: The caller may not connect.
    """
    return connection
