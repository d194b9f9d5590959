"""Frames as clients write them, right and wrong."""

MASK = b"\x37\xfa\x21\x3d"
"""That of the examples of RFC 6455, section 5.7."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, mask: bytes = MASK
) -> bytes:
    """Frame a payload, with a mask that may be changed."""
    length = len(payload)
    if length <= 125:
        header = bytes([0x80 | length])
    elif length <= 0xFFFF:
        header = bytes([0x80 | 126]) + length.to_bytes(2)
    else:
        header = bytes([0x80 | 127]) + length.to_bytes(8)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes([final << 7 | reserved << 4 | opcode]) + header + mask + masked


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)
