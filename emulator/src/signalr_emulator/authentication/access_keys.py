"""The access keys of a resource: temporary ones, its own two, and the one it signs with itself.

An app gets a temporary key for an Entra token and signs client tokens with it. The resource's own
keys are those of a connection string; a resource without local authentication has none.

Source: "Authorize access with Microsoft Entra ID for Azure SignalR Service": a key lives for 90
minutes. How many are alive at once is not documented; here every request makes one more.
"""

import math
import secrets
from dataclasses import dataclass, field

from ..clock import Clock

__all__ = ["EMULATOR_KEY", "LIFETIME", "AccessKey", "AccessKeys"]

EMULATOR_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
"""The constant key of the official emulator, which is no secret."""

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
    """The access keys that are valid.

    Args:
        clock: Tells when temporary keys end.
        local: The resource's own keys, the primary first; none without local authentication.
    """

    def __init__(self, clock: Clock, local: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._keys: dict[str, AccessKey] = {}
        self.local = local
        self.service_key = _new_key(expires_at=math.inf)
        """The key with which the service itself signs client tokens; nobody else has it."""

    def issue(self) -> AccessKey:
        """Make a new key; older ones stay valid."""
        self._purge()
        key = _new_key(expires_at=self._clock.now() + LIFETIME)
        self._keys[key.key_id] = key
        return key

    def find(self, key_id: str) -> AccessKey | None:
        """Give the temporary key with this id if it is alive."""
        self._purge()
        return self._keys.get(key_id)

    def revoke(self, key_id: str) -> bool:
        """End a key before its time; gives False if there is no such key."""
        self._purge()
        return self._keys.pop(key_id, None) is not None

    def secrets_for(self, key_id: str | None) -> tuple[str, ...]:
        """Give every secret with which a token may be signed.

        Args:
            key_id: The `kid` of the token. It tells temporary keys apart and is ignored for the
                resource's own keys.
        """
        if key_id is None:
            return self.local
        if key_id == self.service_key.key_id:
            return (self.service_key.secret,)
        key = self.find(key_id)
        return self.local if key is None else (key.secret, *self.local)

    def live(self) -> list[AccessKey]:
        """Give the temporary keys that are alive, the oldest first."""
        self._purge()
        return list(self._keys.values())

    def _purge(self) -> None:
        now = self._clock.now()
        while self._keys:
            # All keys live equally long, so that the oldest is the first to expire.
            oldest = next(iter(self._keys.values()))
            if now < oldest.expires_at:
                return
            del self._keys[oldest.key_id]


def _new_key(expires_at: float) -> AccessKey:
    return AccessKey(
        key_id=secrets.token_hex(16),
        secret=secrets.token_urlsafe(_KEY_BYTES),
        expires_at=expires_at,
    )
