"""WebSocket frames as a server writes them (RFC 6455, section 5.2): final, unmasked."""

import struct

__all__ = ["text_frame"]

_FINAL_TEXT = 0x81
_MAX_7_BIT = 125
_MAX_16_BIT = 0xFFFF
_LENGTH_16_FOLLOWS = 126
_LENGTH_64_FOLLOWS = 127


def text_frame(payload: bytes) -> bytes:
    """Frame UTF-8 text as one unfragmented WebSocket message."""
    length = len(payload)
    if length <= _MAX_7_BIT:
        return struct.pack("!BB", _FINAL_TEXT, length) + payload
    if length <= _MAX_16_BIT:
        return struct.pack("!BBH", _FINAL_TEXT, _LENGTH_16_FOLLOWS, length) + payload
    return struct.pack("!BBQ", _FINAL_TEXT, _LENGTH_64_FOLLOWS, length) + payload
