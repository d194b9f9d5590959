"""What an emulator signs with. Azure's keys outlive a restart, so these can be kept in a folder."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ..entra.certificates import ClientCertificate
from ..entra.tenant import SigningKey
from .folder import kept

__all__ = ["Keys", "new_seed"]

_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything behind the signatures that others may hold when an emulator ends.

    Attributes:
        seed: What access keys and the key of the external issuer are derived from, 32 bytes.
        tenant: Signs the tenant's tokens.
        application: With it the app registration signs.
    """

    seed: bytes = field(repr=False)
    tenant: SigningKey
    application: ClientCertificate

    @classmethod
    def generate(cls) -> Self:
        """Make new ones; this takes some tens of milliseconds for each key pair."""
        return cls(new_seed(), SigningKey.generate(), ClientCertificate.generate())

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """Give those of a folder; what is not there is made.

        Args:
            folder: Where they are; is made if it is not there.

        Raises:
            StateFolderError: The folder cannot be used.
        """
        return cls(
            kept(folder, "seed", lambda: new_seed().hex(), _seed),
            kept(folder, "tenant.pem", lambda: SigningKey.generate().pem(), SigningKey.from_pem),
            kept(
                folder,
                "app-registration.pem",
                lambda: ClientCertificate.generate().pem,
                ClientCertificate.from_pem,
            ),
        )


def new_seed() -> bytes:
    """Give 32 random bytes."""
    return secrets.token_bytes(_SEED_BYTES)


def _seed(text: str) -> bytes:
    seed = bytes.fromhex(text)
    if len(seed) != _SEED_BYTES:
        raise ValueError(len(seed))
    return seed
