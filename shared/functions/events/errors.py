"""The error that a handler raises on purpose."""

__all__ = ["ClientError"]


class ClientError(Exception):
    """An invocation fails, and its client is told why.

    The text of any other exception stays in the app's log.

    Args:
        message: What the client is told.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
