"""What a connection asks for, in the order in which it has to be carried out."""

from dataclasses import dataclass

from ..protocols.messages import Completion, ReceivedInvocation
from ..protocols.supported import TransferFormat

__all__ = ["Answered", "Closed", "Event", "Invoked", "Opened", "Send"]


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes have to go to the client."""

    payload: bytes
    transfer_format: TransferFormat = TransferFormat.TEXT


@dataclass(frozen=True, slots=True)
class Opened:
    """The handshake is done: the client can be reached from now on."""


@dataclass(frozen=True, slots=True)
class Invoked:
    """The client calls a method; `record` is the message as it came, without its framing."""

    message: ReceivedInvocation
    record: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The client ends an invocation of the service."""

    completion: Completion


@dataclass(frozen=True, slots=True)
class Closed:
    """The transport has to be closed; `error` is None for an orderly end."""

    error: str | None


type Event = Send | Opened | Invoked | Answered | Closed
