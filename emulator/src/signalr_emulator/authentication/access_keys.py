"""The access keys of a resource: temporary ones, its own two, and the one it signs with itself.

An app gets a temporary key for an Entra token and signs client tokens with it. The resource's own
keys are those of a connection string; a resource without local authentication has none.

Source: "Authorize access with Microsoft Entra ID for Azure SignalR Service": a key lives for 90
minutes. How many are alive at once is not documented; here every request makes one more.

A temporary key need not be remembered: its id says when it ends, and its secret follows from the
id and a seed. So whoever has the seed knows the keys of an emulator that ran before.
"""

import base64
import hmac
import math
import re
import secrets
from dataclasses import dataclass, field

from ..clock import Clock

__all__ = ["EMULATOR_KEY", "LIFETIME", "AccessKey", "AccessKeys"]

EMULATOR_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
"""The constant key of the official emulator, which is no secret."""

LIFETIME = 90 * 60
"""How long a temporary access key lives, in seconds."""

_KEY_ID = re.compile(r"([0-9a-f]{1,12})-[0-9a-f]{16}")
"""When a key ends, in milliseconds since the epoch, and what tells it from others of that time."""


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
        seed: What they are derived from; nobody else may know it.
        local: The resource's own keys, the primary first; none without local authentication.
    """

    def __init__(self, clock: Clock, seed: bytes, local: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._seed = seed
        self._issued: dict[str, AccessKey] = {}
        self._revoked: set[str] = set()
        self.local = local
        self.service_key = self._key("service", math.inf)
        """The key with which the service itself signs client tokens; nobody else has it."""

    def issue(self) -> AccessKey:
        """Make a new key; older ones stay valid."""
        self._purge()
        milliseconds = int((self._clock.now() + LIFETIME) * 1000)
        key = self._key(f"{milliseconds:x}-{secrets.token_hex(8)}", milliseconds / 1000)
        self._issued[key.key_id] = key
        return key

    def find(self, key_id: str) -> AccessKey | None:
        """Give the temporary key with this id if it is alive.

        To an id that somebody has made up belongs a key as well, which nobody has.
        """
        found = _KEY_ID.fullmatch(key_id)
        if found is None or key_id in self._revoked:
            return None
        expires_at = int(found[1], 16) / 1000
        return self._key(key_id, expires_at) if self._clock.now() < expires_at else None

    def revoke(self, key_id: str) -> bool:
        """End a key before its time; gives False if there is no such key."""
        if self.find(key_id) is None:
            return False
        self._revoked.add(key_id)
        self._issued.pop(key_id, None)
        return True

    def restore_revoked(self) -> None:
        """Let the keys live again that have been revoked before their time."""
        self._revoked.clear()

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
        """Give the temporary keys that were issued here and are alive, the oldest first."""
        self._purge()
        return list(self._issued.values())

    def _purge(self) -> None:
        # The oldest may end last: it was issued before the clock was reset.
        now = self._clock.now()
        for key in [each for each in self._issued.values() if each.expires_at <= now]:
            del self._issued[key.key_id]

    def _key(self, key_id: str, expires_at: float) -> AccessKey:
        digest = hmac.digest(self._seed, key_id.encode(), "sha384")
        return AccessKey(key_id, base64.urlsafe_b64encode(digest).decode(), expires_at)
