"""WebSocket frames as a server writes them (RFC 6455, section 5.2): final, unmasked."""

import struct
from enum import IntEnum

__all__ = ["CloseCode", "Opcode", "binary_frame", "close_frame", "pong_frame", "text_frame"]

_FINAL = 0x80
_MAX_7_BIT = 125
_MAX_16_BIT = 0xFFFF
_LENGTH_16_FOLLOWS = 126
_LENGTH_64_FOLLOWS = 127


class Opcode(IntEnum):
    """What a frame is; from `CLOSE` on it controls the connection (section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(IntEnum):
    """Why a side closes a WebSocket (section 7.4.1)."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    INVALID_TEXT = 1007
    TOO_BIG = 1009


def text_frame(payload: bytes) -> bytes:
    """Frame UTF-8 text as one unfragmented WebSocket message."""
    return _frame(_FINAL | Opcode.TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """Frame bytes as one unfragmented WebSocket message."""
    return _frame(_FINAL | Opcode.BINARY, payload)


def pong_frame(payload: bytes) -> bytes:
    """Frame the answer to a ping, whose payload it repeats (section 5.5.3)."""
    return _frame(_FINAL | Opcode.PONG, payload)


def close_frame(code: CloseCode) -> bytes:
    """Frame the end of what this side sends, with its reason (section 7.4)."""
    return _frame(_FINAL | Opcode.CLOSE, struct.pack("!H", code))


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length <= _MAX_7_BIT:
        return struct.pack("!BB", first, length) + payload
    if length <= _MAX_16_BIT:
        return struct.pack("!BBH", first, _LENGTH_16_FOLLOWS, length) + payload
    return struct.pack("!BBQ", first, _LENGTH_64_FOLLOWS, length) + payload
