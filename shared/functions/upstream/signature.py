"""The signature by which a service with access keys shows that a call is its own.

Source: "Upstream endpoints in Azure SignalR Service": `X-ASRS-Signature` holds, for each access
key, `sha256=` and the HMAC-SHA256 of the connection id in hexadecimal digits, with commas between
them.

It proves the connection id and nothing else: neither body nor other headers, and no time. Who has
seen one call can send others for the same connection. TLS keeps calls from being seen.
"""

import hashlib
import hmac
from collections.abc import Iterable

__all__ = ["is_signed"]


def is_signed(connection_id: str, header: str, keys: Iterable[bytes]) -> bool:
    """Tell whether one of the signatures is of one of the keys.

    Args:
        connection_id: Value of `X-ASRS-Connection-Id`.
        header: Value of `X-ASRS-Signature`.
        keys: Texts of the access keys, in UTF-8.
    """
    if not connection_id:
        return False
    signatures = [each.strip().lower() for each in header.split(",")]
    return any(
        hmac.compare_digest(_bytes(signature), _bytes(_signature(connection_id, key)))
        for key in keys
        for signature in signatures
    )


def _signature(connection_id: str, key: bytes) -> str:
    return f"sha256={hmac.digest(key, _bytes(connection_id), hashlib.sha256).hex()}"


def _bytes(text: str) -> bytes:
    # A header with bytes that are not UTF-8 reaches Python as surrogates; different texts must not
    # become the same bytes.
    return text.encode(errors="surrogatepass")
