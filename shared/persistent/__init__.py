"""Sends by server connections: for programs that live long and send much.

`PersistentSender` blocks, the one of the module `aio` is awaitable. Both need the extra
`persistent`; nothing else imports it.
"""

try:
    import msgspec  # noqa: F401  that it is there
    import websockets  # noqa: F401  as above
except ImportError as error:
    raise ImportError(
        "PersistentSender needs more packages: pip install 'keyless-signalr[persistent]'"
    ) from error

from .blocking import PersistentSender

__all__ = ["PersistentSender"]
