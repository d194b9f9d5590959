"""Every exception of the emulator.

EmulatorError
├── JsonError                    text is not JSON, or a value has no JSON form
├── ProtocolError                a client's bytes break the hub protocol, or a server's the framing
├── ServiceMessageError          a message of the service protocol cannot be read or written
├── WebSocketError               bytes break the WebSocket protocol
├── AuthenticationError          no token, or one that is not valid here (401)
├── UnknownIdentityError         no managed identity answers to the given id
├── TokenRequestError            Entra refuses a token request (400, 401)
├── ManagementError              Resource Manager refuses a request (400, 401, 403, 404, 409)
├── UnknownConnectionError       no negotiated connection has this token
├── ConnectionInUseError         the negotiated connection is already connected
├── ClientResultError            a client did not give the result that it was asked for
├── PortUnavailableError         a port cannot be listened on
├── ConfigFileError              a configuration file is not acceptable
├── UpstreamSettingsError        an upstream template is not acceptable
├── DocumentError                the JSON body of an `/emulator/…` route is not acceptable
├── FileUnavailableError         a file cannot be written
├── StateFolderError             the folder of the keys cannot be used
└── RequestError                 a REST request is refused
├── InvalidRequestError      400
├── ForbiddenError           403
├── NotExistedError          404
├── MethodNotAllowedError    405
├── PayloadTooLargeError     413
└── UnsupportedContentError  415
"""

from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

__all__ = [
    "AuthenticationError",
    "ClientResultError",
    "ConfigFileError",
    "ConnectionInUseError",
    "DocumentError",
    "EmulatorError",
    "FileUnavailableError",
    "ForbiddenError",
    "InvalidRequestError",
    "JsonError",
    "ManagementError",
    "MethodNotAllowedError",
    "NotExistedError",
    "PayloadTooLargeError",
    "PortUnavailableError",
    "ProtocolError",
    "RequestError",
    "ServiceMessageError",
    "StateFolderError",
    "TokenRequestError",
    "UnknownConnectionError",
    "UnknownIdentityError",
    "UnsupportedContentError",
    "UpstreamSettingsError",
    "WebSocketError",
]


class EmulatorError(Exception):
    """Base of every exception that the emulator raises on purpose."""


class JsonError(EmulatorError):
    """Text is not JSON (RFC 8259), or a value has no JSON form."""


class ProtocolError(EmulatorError):
    """A client's bytes break the hub protocol, or a server's the framing.

    The text may be shown to whoever sent them.
    """


class ServiceMessageError(EmulatorError):
    """A message of the service protocol cannot be read or written; the text has no value of it.

    Args:
        message: The type of the message, or `Message` if that is not known.
        item: The field that is wrong.
        reason: What is wrong with it.
    """

    def __init__(self, message: str, item: str, reason: str) -> None:
        super().__init__(f"{message}: {item} {reason}")
        self.message = message
        self.item = item


class WebSocketError(EmulatorError):
    """What comes by a WebSocket breaks its protocol, or is too long.

    Args:
        text: What is wrong.
        code: The status with which the WebSocket is closed.
    """

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class AuthenticationError(EmulatorError):
    """No token came, or one that is not valid here; the text never contains token contents."""


class UnknownIdentityError(EmulatorError):
    """No managed identity answers to the given id."""


class TokenRequestError(EmulatorError):
    """Entra refuses a token request.

    Args:
        status: HTTP status of the answer.
        error: OAuth error code (RFC 6749, section 5.2).
        number: Entra's own code, without AADSTS before it.
        message: What is wrong; never contains what the client sent.
    """

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number


class ManagementError(EmulatorError):
    """Resource Manager refuses a request.

    Args:
        status: HTTP status of the answer.
        code: Azure's name for what is wrong.
        message: What is wrong, for the developer who reads the response.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class UnknownConnectionError(EmulatorError):
    """No negotiated connection has this connection token, or it waited too long."""


class ConnectionInUseError(EmulatorError):
    """The negotiated connection is already connected."""


class ClientResultError(EmulatorError):
    """A client answered an invocation with an error, not in time, or not at all."""


class PortUnavailableError(EmulatorError):
    """A port cannot be listened on.

    Args:
        plane: `service`, `control` or `authority`.
        port: The port that was asked for.
        reason: What the operating system says.
    """

    def __init__(self, plane: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on port {port}: {reason}")
        self.plane = plane
        self.port = port
        self.reason = reason


class ConfigFileError(EmulatorError):
    """A configuration file cannot be read, or holds something wrong; the text tells all of it."""


class UpstreamSettingsError(EmulatorError):
    """An upstream template is not acceptable; the text never contains its URL."""


class DocumentError(EmulatorError):
    """The JSON body of an `/emulator/…` route is not acceptable.

    Args:
        pointer: JSON pointer to the wrong property, as a URI fragment.
        detail: What is wrong.
    """

    def __init__(self, pointer: str, detail: str) -> None:
        end = "" if detail.endswith("?") else "."
        super().__init__(f"{pointer} {detail}{end}")
        self.pointer = pointer
        self.detail = detail


class FileUnavailableError(EmulatorError):
    """A file cannot be written.

    Args:
        path: The file.
        reason: What the operating system says.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}")
        self.path = path
        self.reason = reason


class StateFolderError(EmulatorError):
    """The folder of the keys cannot be used, or is not for its owner alone; the text says why."""


class RequestError(EmulatorError):
    """A REST request is refused.

    Args:
        message: What is wrong, for the developer who reads the response.
        target: The parameter or property that is wrong, if it is one.
        code: Replaces the class's own error code.
    """

    status: ClassVar[HTTPStatus]
    default_code: ClassVar[str]

    def __init__(self, message: str, *, target: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.target = target
        self.code = code or self.default_code


class InvalidRequestError(RequestError):
    """A parameter, property or body is not acceptable."""

    status = HTTPStatus.BAD_REQUEST
    default_code = "Error.Request.Invalid"


class ForbiddenError(RequestError):
    """The caller is known and may not do this: it lacks a data action, or `code` says what."""

    status = HTTPStatus.FORBIDDEN
    default_code = "Forbidden"


class NotExistedError(RequestError):
    """The connection, user or group is not there; `code` says which."""

    status = HTTPStatus.NOT_FOUND
    default_code = "Error.Unknown.NotExisted"


class MethodNotAllowedError(RequestError):
    """The path exists and does not have this method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    default_code = "MethodNotAllowed"


class PayloadTooLargeError(RequestError):
    """The body is larger than the service takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "PayloadTooLarge"


class UnsupportedContentError(RequestError):
    """The body's content type is not one that is understood."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    default_code = "UnsupportedMediaType"
