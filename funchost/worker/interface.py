"""The two interfaces by which Microsoft's worker library runs functions."""

from enum import StrEnum

__all__ = ["Interface"]


class Interface(StrEnum):
    """How an invocation gets into the worker library."""

    PROTOBUF = "protobuf"
    """As FunctionRpc messages, in each version."""
    NATIVE = "native"
    """As the library's own values, from 1.3.0 on."""
