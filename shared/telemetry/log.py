"""What a log record says besides its text."""

from collections.abc import Iterable

from ..errors import EndpointsError, ServiceError, SignalRError
from .attributes import ENDPOINT, ERROR_TYPE, HUB, REQUEST_ID, STATUS, TRACING_ID

__all__ = ["log_fields"]


def log_fields(
    error: SignalRError | None = None, *, hub: str | None = None, endpoint: str | None = None
) -> dict[str, str | int]:
    """Return what a log record says besides its text.

    Args:
        error: What the record is about. An error of the service knows most of it by itself.
        hub: Name of the hub, if the error does not know it.
        endpoint: Name of the endpoint, if the error does not know it.
    """
    fields: dict[str, str | int | None] = {HUB: hub, ENDPOINT: endpoint}
    if error is not None:
        fields[ERROR_TYPE] = type(error).__name__
    if isinstance(error, ServiceError):
        known = list(_each(error))
        fields[HUB] = _joined(each.hub for each in known) or hub
        fields[ENDPOINT] = _joined(each.endpoint for each in known) or endpoint
        fields[REQUEST_ID] = _joined(each.request_id for each in known)
        fields[TRACING_ID] = _joined(each.tracing_id for each in known)
        fields[STATUS] = next((each.status for each in known if each.status is not None), None)
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _each(error: ServiceError) -> Iterable[ServiceError]:
    """Return the errors that one is made of: of each endpoint, and behind a missing key."""
    if isinstance(error, EndpointsError):
        for each in error.failures.values():
            yield from _each(each)
        return
    yield error
    if isinstance(error.__cause__, ServiceError):
        yield from _each(error.__cause__)


def _joined(values: Iterable[str | None]) -> str:
    return ",".join(dict.fromkeys(value for value in values if value))
