"""WebSocket frames as a server reads them (RFC 6455, sections 5 and 8.1), without I/O.

No extension is spoken, so that no reserved bit may be set.
"""

import codecs
from typing import NamedTuple

from ..errors import WebSocketError
from .frames import CloseCode, Opcode

__all__ = ["FrameReader", "Received"]

_HEAD = 2
"""Bytes that tell how long the header of a frame is."""

_FINAL = 0x80
_RESERVED = 0x70
_OPCODE = 0x0F
_MASKED = 0x80
_LENGTH = 0x7F
_EXTENDED = {126: 2, 127: 8}
"""Bytes of the length that follows, by what stands in its place."""

_MOST_EXTENDED = 1 << 63
_MASK = 4
_MAX_CONTROL = 125
_CLOSE_CODE = 2

_SHORT = 256
"""Up to how many bytes a payload is unmasked in one go."""

_PIECE = 4096
"""How much of a longer one is unmasked or checked at a time: a multiple of the mask's length."""

_OPCODES = {int(opcode): opcode for opcode in Opcode}
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""Those that may be sent (section 7.4, and the registry that section 11.7 has made)."""


class Received(NamedTuple):
    """A whole message, or a frame that controls the connection.

    Attributes:
        opcode: Anything but `CONTINUATION`.
        payload: What it carries, unmasked and in one piece; of `TEXT`, valid UTF-8.
    """

    opcode: Opcode
    payload: bytes


class FrameReader:
    """Takes bytes of a client as they come, and gives what they mean.

    Args:
        max_message: The longest message that is taken, in bytes.
    """

    __slots__ = ("_data", "_max_message", "_message", "_opcode", "_start")

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        # What has come and is not read yet: of one read all from `_start` on, of several all.
        self._data: bytes | bytearray = b""
        self._start = 0
        # The fragments so far of a message that goes on.
        self._message: bytearray | None = None
        self._opcode = Opcode.CONTINUATION

    def feed(self, data: bytes) -> None:
        """Take bytes, whatever part of a frame they are."""
        if not self._data:
            self._data = data
            return
        if not isinstance(self._data, bytearray):
            self._data, self._start = bytearray(self._data[self._start :]), 0
        self._data += data

    def next(self) -> Received | None:
        """Give what comes next, or None until there is more of it.

        Raises:
            WebSocketError: The bytes break the protocol; nothing more can be read.
        """
        while (frame := self._frame()) is not None:
            is_final, opcode, payload = frame
            if opcode >= Opcode.CLOSE:
                if opcode is Opcode.CLOSE:
                    _check_close(payload)
                return Received(opcode, payload)
            if is_final and self._message is None:
                return _message(opcode, payload)
            if self._message is None:
                self._message, self._opcode = bytearray(), opcode
            self._message += payload
            if is_final:
                payload, self._message = bytes(self._message), None
                return _message(self._opcode, payload)
        return None

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        """Give whether it is final, the opcode and the payload of the next frame, if it is there.

        What its header has wrong is told without waiting for the rest.
        """
        data, start = self._data, self._start
        there = len(data) - start
        if there < _HEAD:
            return None
        is_final = bool(data[start] & _FINAL)
        opcode = self._checked_opcode(data[start], is_final=is_final)
        length = data[start + 1] & _LENGTH
        if not data[start + 1] & _MASKED:
            raise _broken("A frame is not masked.")
        if opcode >= Opcode.CLOSE and length > _MAX_CONTROL:
            raise _broken("A control frame is longer than 125 bytes.")
        payload = start + _HEAD + _MASK
        if (extended := _EXTENDED.get(length)) is not None:
            payload += extended
            if there < _HEAD + extended:
                return None
            length = int.from_bytes(data[start + _HEAD : start + _HEAD + extended])
            if length >= _MOST_EXTENDED:
                raise _broken("The length of a frame has its highest bit set.")
        if opcode < Opcode.CLOSE:
            self._check_length(length)
        if len(data) < payload + length:
            return None
        content = self._content(payload, length)
        self._forget(payload + length)
        return is_final, opcode, content

    def _content(self, start: int, length: int) -> bytes:
        """Give a part of the data without the mask, which stands before it."""
        mask = self._data[start - _MASK : start]
        if length <= _SHORT:
            masked = self._data[start : start + length]
            key = (mask * (length // _MASK + 1))[:length]
            return (int.from_bytes(masked) ^ int.from_bytes(key)).to_bytes(length)
        if not isinstance(self._data, bytearray):
            self._data = bytearray(self._data)
        with memoryview(self._data) as data, data[start : start + length] as payload:
            _unmask(payload, bytes(mask))
            return bytes(payload)

    def _forget(self, end: int) -> None:
        """Give back the memory of what is read, as far as that costs no copy of the rest."""
        if end == len(self._data):
            self._data, self._start = b"", 0
        elif isinstance(self._data, bytearray):
            del self._data[:end]
            self._start = 0
        else:
            self._start = end

    def _checked_opcode(self, first: int, *, is_final: bool) -> Opcode:
        if first & _RESERVED:
            raise _broken("A frame has a reserved bit set.")
        opcode = _OPCODES.get(first & _OPCODE)
        if opcode is None:
            raise _broken("A frame has a reserved opcode.")
        if opcode >= Opcode.CLOSE:
            if not is_final:
                raise _broken("A control frame is fragmented.")
        elif (opcode is Opcode.CONTINUATION) is (self._message is None):
            raise _broken("A fragment does not continue a message.")
        return opcode

    def _check_length(self, length: int) -> None:
        before = 0 if self._message is None else len(self._message)
        if before + length > self._max_message:
            text = f"A message is longer than {self._max_message} bytes."
            raise WebSocketError(text, CloseCode.TOO_BIG)


def _message(opcode: Opcode, payload: bytes) -> Received:
    if opcode is Opcode.TEXT:
        _check_text(payload)
    return Received(opcode, payload)


def _unmask(masked: memoryview, mask: bytes) -> None:
    """Take away the mask that was laid over a payload (section 5.3)."""
    key = int.from_bytes(mask * (_PIECE // _MASK))
    for start in range(0, len(masked), _PIECE):
        piece = masked[start : start + _PIECE]
        plain = int.from_bytes(piece) ^ (key >> 8 * (_PIECE - len(piece)))
        masked[start : start + len(piece)] = plain.to_bytes(len(piece))


def _check_text(payload: bytes) -> None:
    if payload.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(payload), _PIECE):
            decoder.decode(payload[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise WebSocketError("Text is not UTF-8.", CloseCode.INVALID_TEXT) from error


def _check_close(payload: bytes) -> None:
    """Refuse a frame that closes with a code or a reason that it may not have (section 5.5.1)."""
    if not payload:
        return
    if len(payload) < _CLOSE_CODE or int.from_bytes(payload[:_CLOSE_CODE]) not in _CLOSE_CODES:
        raise _broken("A frame closes with a code that does not exist.")
    _check_text(payload[_CLOSE_CODE:])


def _broken(text: str) -> WebSocketError:
    return WebSocketError(text, CloseCode.PROTOCOL_ERROR)
