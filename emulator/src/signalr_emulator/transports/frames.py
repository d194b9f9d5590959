"""WebSocket frames as a server writes them (RFC 6455, section 5.2): final, unmasked."""

import struct

__all__ = ["binary_frame", "close_frame", "pong_frame", "text_frame"]

_FINAL_TEXT = 0x81
_FINAL_BINARY = 0x82
_CLOSE = 0x88
_PONG = 0x8A
_MAX_7_BIT = 125
_MAX_16_BIT = 0xFFFF
_LENGTH_16_FOLLOWS = 126
_LENGTH_64_FOLLOWS = 127


def text_frame(payload: bytes) -> bytes:
    """Frame UTF-8 text as one unfragmented WebSocket message."""
    return _frame(_FINAL_TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """Frame bytes as one unfragmented WebSocket message."""
    return _frame(_FINAL_BINARY, payload)


def pong_frame(payload: bytes) -> bytes:
    """Frame the answer to a ping, whose payload it repeats (RFC 6455, section 5.5.3)."""
    return _frame(_PONG, payload)


def close_frame(code: int) -> bytes:
    """Frame the end of what this side sends, with its reason (RFC 6455, section 7.4)."""
    return _frame(_CLOSE, struct.pack("!H", code))


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length <= _MAX_7_BIT:
        return struct.pack("!BB", first, length) + payload
    if length <= _MAX_16_BIT:
        return struct.pack("!BBH", first, _LENGTH_16_FOLLOWS, length) + payload
    return struct.pack("!BBQ", first, _LENGTH_64_FOLLOWS, length) + payload
