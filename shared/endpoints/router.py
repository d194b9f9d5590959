"""Which endpoint a client is sent to. Pure."""

import math
import random
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

from ..settings.endpoint import Endpoint, EndpointType

__all__ = ["Candidate", "RendezvousRouter", "Router"]

_BITS: Final = 52
"""Bits of a random number: as many as a float between 0 and 1, both excluded, can hold."""


class Candidate(NamedTuple):
    """An endpoint that a client may be sent to.

    Args:
        endpoint: The endpoint.
        healthy: Whether it answers its health check and gives access keys.
    """

    endpoint: Endpoint
    healthy: bool


class Router(Protocol):
    """Chooses endpoints for clients."""

    def __call__(
        self, candidates: Sequence[Candidate], hub: str, user_id: str | None
    ) -> Sequence[Endpoint]:
        """Return the endpoints in the order in which they are tried, the best first; at least one.

        Args:
            candidates: Every endpoint of the settings.
            hub: The hub's name in lower case.
            user_id: The client's user, or `None` for an anonymous one.
        """


class RendezvousRouter:
    """Healthy primary endpoints first, then healthy secondary ones, then those that are not.

    Among equals the weights decide, by rendezvous hashing: a user's connections meet at one
    endpoint, and when an endpoint comes or goes only its own users move. An anonymous client goes
    anywhere.

    Args:
        random_bits: Random whole numbers of so many bits.
    """

    def __init__(self, random_bits: Callable[[int], int] = random.getrandbits) -> None:
        self._random_bits = random_bits

    def __call__(
        self,
        candidates: Sequence[Candidate],
        hub: str,  # noqa: ARG002  the protocol's own
        user_id: str | None,
    ) -> Sequence[Endpoint]:
        """Return the endpoints in the order in which they are tried, the best first."""

        def rank(candidate: Candidate) -> tuple[bool, bool, float]:
            endpoint = candidate.endpoint
            secondary = endpoint.type is EndpointType.SECONDARY
            bits = self._random_bits(_BITS) if user_id is None else _bits(user_id, endpoint.name)
            number = (bits + 0.5) / 2.0**_BITS
            # The larger of these falls to each endpoint in proportion to its weight (Thaler and
            # Ravishankar's hashing with the logarithmic weights of Schindelhauer and Schomaker).
            score = -endpoint.weight / math.log(number)
            return not candidate.healthy, secondary, -score

        return [each.endpoint for each in sorted(candidates, key=rank)]


def _bits(user_id: str, name: str) -> int:
    """Return a number that a user and an endpoint share."""
    digest = blake2b(f"{name}\n{user_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> (64 - _BITS)
