"""Every error that this package raises, in one tree.

SignalRError
├── SettingsError               a setting is missing or wrong; the app cannot start
├── InvalidArgumentError        an argument of a call is wrong
│   └── UnknownHubError         the hub is not in the allow-list
├── ConnectionNotFoundError     there is no such connection to put into a group
├── TokenTooLargeError          the claims do not fit in a client token
├── AuthenticationError         no Entra token, or the service does not accept it
├── PermissionDeniedError       the principal lacks a role at the SignalR resource
├── ServiceUnavailableError     no answer, or the service asks to come back later
└── UnexpectedResponseError     the service answered with something that no document names
"""

from collections.abc import Sequence

__all__ = [
    "AuthenticationError",
    "ConnectionNotFoundError",
    "InvalidArgumentError",
    "PermissionDeniedError",
    "ServiceUnavailableError",
    "SettingsError",
    "SignalRError",
    "TokenTooLargeError",
    "UnexpectedResponseError",
    "UnknownHubError",
]


class SignalRError(Exception):
    """Base of all errors of this package: catch it to catch them all."""


class SettingsError(SignalRError):
    """A setting is missing or wrong.

    Args:
        setting: Name of the setting.
        problem: What is wrong with it, as the end of a sentence that begins with the name.
        example: A right value.
        instead: Name of the setting that the example is for, when it is another one.
    """

    def __init__(
        self, setting: str, problem: str, example: str, *, instead: str | None = None
    ) -> None:
        super().__init__(f"{setting} {problem}. Example: {instead or setting}={example}")
        self.setting = setting


class InvalidArgumentError(SignalRError):
    """An argument of a call breaks a rule of the service.

    Args:
        argument: Name of the argument.
        problem: What is wrong with it, as the end of a sentence that begins with the name.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument} {problem}")
        self.argument = argument
        self.problem = problem


class UnknownHubError(InvalidArgumentError):
    """The hub is not in the allow-list of the settings."""

    def __init__(self, hub: str) -> None:
        super().__init__("hub", f"{hub!r} is not known here")
        self.hub = hub


class ConnectionNotFoundError(SignalRError):
    """There is no such connection, or no longer."""

    def __init__(self, connection_id: str) -> None:
        super().__init__(f"There is no connection {connection_id!r}")
        self.connection_id = connection_id


class TokenTooLargeError(SignalRError):
    """The claims make a client token longer than the service accepts.

    Args:
        size: Length of the token in bytes.
        limit: Longest accepted token in bytes.
        largest_claims: Names of the largest claims, the largest first.
    """

    def __init__(self, size: int, limit: int, largest_claims: Sequence[str]) -> None:
        super().__init__(
            f"The client token is {size} bytes long and the service accepts {limit}. "
            f"Largest claims: {', '.join(largest_claims)}"
        )
        self.size = size
        self.largest_claims = tuple(largest_claims)


class AuthenticationError(SignalRError):
    """No Entra token could be got, or the service does not accept the one it was given (401)."""


class PermissionDeniedError(SignalRError):
    """The service knows the principal, and none of its roles allows the operation (403)."""


class ServiceUnavailableError(SignalRError):
    """The service did not answer, is overloaded, or cannot be reached for now.

    Args:
        message: What happened.
        retry_after: Seconds after which another try makes sense, or `None` when not known.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnexpectedResponseError(SignalRError):
    """The service answered in a way that the operation does not define.

    Args:
        message: What was asked and what came.
        status: HTTP status of the answer.
        code: Value of the `x-ms-error-code` header, if there was one.
    """

    def __init__(self, message: str, status: int, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
