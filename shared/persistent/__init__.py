"""Sends by server connections: for programs that live long and send much.

`PersistentSender` blocks, the one of the module `aio` is awaitable. Both need the extra
`persistent`; nothing else imports it.
"""

from .blocking import PersistentSender

__all__ = ["PersistentSender"]
