"""Every error that this package raises, in one tree.

SignalRError
├── SettingsError               a setting is missing or wrong; the app cannot start
├── InvalidArgumentError        an argument of a call is wrong
│   └── UnknownHubError         the hub is not in the allow-list
├── TokenTooLargeError          the claims do not fit in a client token
└── ServiceError                an endpoint of the service, or the way to it, fails
    ├── ConnectionNotFoundError     there is no such connection
    ├── ConnectionUserMismatchError the connection belongs to another user
    ├── AuthenticationError         no Entra token, or the service does not accept it
    ├── PermissionDeniedError       the principal lacks a role, or network rules refuse it
    ├── ServiceUnavailableError     no answer, or the service asks to come back later
    ├── UnexpectedResponseError     an answer that no document names
    └── EndpointsError              several endpoints were asked, and not all did it
"""

from collections.abc import Mapping, Sequence

__all__ = [
    "AuthenticationError",
    "ConnectionNotFoundError",
    "ConnectionUserMismatchError",
    "EndpointsError",
    "InvalidArgumentError",
    "PermissionDeniedError",
    "ServiceError",
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


class ServiceError(SignalRError):
    """An endpoint of the service, or the way to it, fails.

    Args:
        message: What was asked, what came of it, and what mends it.
        endpoint: Name of the endpoint, if one was asked.
        hub: Name of the hub, if it was about one.
        status: HTTP status of the answer, if there was one.
        code: Value of the answer's `x-ms-error-code` header, if there was one.
        request_id: Name of the request in the logs of the service, to be told to its support.
        retry_after: Seconds after which another try makes sense, or `None` when not known.
        tracing_id: Name of the message in the messaging logs of the service, if it was given one.
    """

    def __init__(
        self,
        message: str,
        *,
        endpoint: str | None = None,
        hub: str | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        tracing_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.hub = hub
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.tracing_id = tracing_id


class ConnectionNotFoundError(ServiceError):
    """There is no such connection, or no longer."""


class ConnectionUserMismatchError(ServiceError):
    """The connection belongs to another user, and its authentication stays as it was (403)."""


class AuthenticationError(ServiceError):
    """No Entra token could be got, or the service does not accept the one it was given (401)."""


class PermissionDeniedError(ServiceError):
    """No role of the principal allows the operation, or network rules keep this app out (403)."""


class ServiceUnavailableError(ServiceError):
    """The service did not answer, is overloaded, or cannot be reached for now."""


class UnexpectedResponseError(ServiceError):
    """The service answered in a way that the operation does not define."""


class EndpointsError(ServiceError):
    """Several endpoints were asked, and not all of them did it.

    Args:
        failures: What went wrong, by the names of the endpoints.
        succeeded: Names of the endpoints that did it.
    """

    def __init__(self, failures: Mapping[str, ServiceError], succeeded: Sequence[str]) -> None:
        described = "; ".join(f"{name}: {error}" for name, error in failures.items())
        done = f"; done at {', '.join(succeeded)}" if succeeded else ""
        waits = [each.retry_after for each in failures.values() if each.retry_after is not None]
        super().__init__(f"Failed at {described}{done}", retry_after=min(waits, default=None))
        self.failures = dict(failures)
        self.succeeded = tuple(succeeded)
