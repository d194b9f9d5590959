"""Which claims of a caller go into the client token, and under which names."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...bodies.values import as_json
from ...errors import InvalidArgumentError
from ...keys.client_token import RESERVED_CLAIMS, SYSTEM_PREFIX, ClaimValue

__all__ = ["ClaimMapping", "parse_claim_mappings", "selected_claims"]

_logger = logging.getLogger(__name__)


class ClaimMapping(NamedTuple):
    """One claim that passes.

    Args:
        source: Its name at the caller: in full, or what follows the last slash of a name that is an
            address, as .NET writes them.
        target: Its name in the client token.
    """

    source: str
    target: str


def parse_claim_mappings(text: str) -> tuple[ClaimMapping, ...]:
    """Read an allow-list: names separated by commas, each with another name after '=' if wanted.

    Args:
        text: For instance `name, roles=role`.

    Raises:
        ValueError: A name is empty, comes twice, or belongs to tokens or to the service itself.
    """
    mappings = tuple(_mapping(item.strip()) for item in text.split(",") if item.strip())
    targets = [each.target for each in mappings]
    for target in targets:
        if targets.count(target) > 1:
            raise ValueError(f"{target!r} comes twice")
    return mappings


def selected_claims(
    mappings: Sequence[ClaimMapping], claims: Mapping[str, ClaimValue]
) -> dict[str, ClaimValue]:
    """Return the claims that pass, by their names in the client token.

    One that cannot be written is left out, with a warning: it must not cost the caller the
    connection.

    Args:
        mappings: Which pass.
        claims: What is known of the caller.
    """
    return {
        mapping.target: value
        for mapping in mappings
        for value in _found(mapping.source, claims)
        if _can_be_written(mapping.source, value)
    }


def _mapping(item: str) -> ClaimMapping:
    source, renamed, target = (part.strip() for part in item.partition("="))
    if not renamed:
        target = source.rpartition("/")[2]
    if not source or not target:
        raise ValueError(f"{item!r} has no name")
    # A caller's issuer, audience or end in another's token once broke every negotiation.
    if target in RESERVED_CLAIMS or target.startswith(SYSTEM_PREFIX):
        raise ValueError(f"{target!r} means something to the service: give it another name")
    return ClaimMapping(source, target)


def _can_be_written(name: str, value: ClaimValue) -> bool:
    # Nearly every claim is text like this.
    if isinstance(value, str) and value.isprintable():
        return True
    try:
        as_json(name, value)
    except InvalidArgumentError as error:
        _logger.warning("A claim of a caller is left out: %s", error)
        return False
    return True


def _found(name: str, claims: Mapping[str, ClaimValue]) -> Iterator[ClaimValue]:
    if name in claims:
        yield claims[name]
        return
    for long_name, value in claims.items():
        if long_name.rpartition("/")[2] == name:
            yield value
            return
