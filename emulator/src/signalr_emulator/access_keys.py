"""Temporary access keys: what the app gets for an Entra token and signs client tokens with.

Source: "Authorize access with Microsoft Entra ID for Azure SignalR Service": a key lives for 90
minutes. How many are alive at once is not documented; here every request makes one more.
"""

import secrets
from dataclasses import dataclass, field

from signalr_emulator.clock import Clock

__all__ = ["LIFETIME", "AccessKey", "AccessKeys"]

LIFETIME = 90 * 60
"""How long a temporary access key lives, in seconds."""

_KEY_BYTES = 48


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A temporary access key.

    Attributes:
        key_id: Goes into the `kid` header of client tokens.
        secret: Text whose UTF-8 bytes sign client tokens.
        expires_at: Seconds since the epoch.
    """

    key_id: str
    secret: str = field(repr=False)
    expires_at: float


class AccessKeys:
    """The temporary access keys that are alive.

    Args:
        clock: Tells when they end.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys: dict[str, AccessKey] = {}

    def issue(self) -> AccessKey:
        """Make a new key; older ones stay valid."""
        self._purge()
        key = AccessKey(
            key_id=secrets.token_hex(16),
            secret=secrets.token_urlsafe(_KEY_BYTES),
            expires_at=self._clock.now() + LIFETIME,
        )
        self._keys[key.key_id] = key
        return key

    def find(self, key_id: str) -> AccessKey | None:
        """Give the key with this id if it is alive."""
        self._purge()
        return self._keys.get(key_id)

    def revoke(self, key_id: str) -> bool:
        """End a key before its time; gives False if there is no such key."""
        self._purge()
        return self._keys.pop(key_id, None) is not None

    def live(self) -> list[AccessKey]:
        """Give the keys that are alive, the oldest first."""
        self._purge()
        return list(self._keys.values())

    def live_ids(self) -> list[str]:
        """Give the ids of the keys that are alive, the oldest first."""
        self._purge()
        return list(self._keys)

    def _purge(self) -> None:
        now = self._clock.now()
        while self._keys:
            # All keys live equally long, so that the oldest is the first to expire.
            oldest = next(iter(self._keys.values()))
            if now < oldest.expires_at:
                return
            del self._keys[oldest.key_id]
