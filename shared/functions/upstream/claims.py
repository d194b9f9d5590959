"""The header with a client's claims.

Source: "Upstream endpoints in Azure SignalR Service": `X-ASRS-User-Claims` holds the claims as
`type: value`, with commas between them. Nothing is escaped, and a value may hold commas and colons.

A claim begins where a comma is followed by a word without quotes, a colon and a space; other commas
belong to a value, which may be JSON. So a value that holds `, role: admin` cannot be told from two
claims. Decide nothing by claims where a user can choose the value of one of them, such as a display
name. The user id has a header of its own.
"""

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["parse_claims"]

# HTTP takes the spaces off the end of a header, and with them that of an empty last value.
_TYPE: Final = re.compile(r'(?:\A|, ?)([^\s,"]+?):(?: |\Z)')


def parse_claims(header: str) -> Mapping[str, tuple[str, ...]]:
    """Return the values of claims by their types, both in the header's order.

    Args:
        header: Value of `X-ASRS-User-Claims`. Text before the first claim is left out.
    """
    claims: dict[str, tuple[str, ...]] = {}
    types = list(_TYPE.finditer(header))
    ends = [*(each.start() for each in types[1:]), len(header)]
    for found, end in zip(types, ends, strict=False):
        claims[found[1]] = (*claims.get(found[1], ()), header[found.end() : end])
    return claims
