"""What several endpoints made of one operation, taken together. Pure."""

from collections.abc import Mapping
from typing import Final, Literal

from ..errors import (
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    EndpointsError,
    ServiceError,
    UnexpectedResponseError,
)

__all__ = ["GRACE", "FanOut", "combine", "settles"]

GRACE: Final = 1.0
"""Seconds that the other endpoints have, once one has done what only one can do."""


type FanOut = Literal["all", "any", "one", "only"]
"""How many of several endpoints an operation concerns.

`all`: every endpoint has to do it. `any`: it is a question, one endpoint's yes settles it, and all
together can say no. `one`: it concerns a connection, and the endpoint that has it does it. `only`:
it concerns the connection with a secret token, which one endpoint knows and no other.
"""


def combine[T](fan_out: FanOut, outcomes: Mapping[str, T | ServiceError]) -> T:
    """Return the one result of an operation.

    Args:
        fan_out: How many endpoints it concerns.
        outcomes: What each endpoint, by its name, returned or raised.

    Raises:
        ConnectionNotFoundError: No endpoint has the connection.
        ConnectionUserMismatchError: It belongs to another user.
        UnexpectedResponseError: More than one did what only one can do.
        EndpointsError: An endpoint failed, and the others' results do not settle it.
    """
    results = {name: each for name, each in outcomes.items() if not isinstance(each, ServiceError)}
    failures = {name: each for name, each in outcomes.items() if isinstance(each, ServiceError)}
    settled: list[T] = []
    match fan_out:
        case "any":
            settled = [each for each in results.values() if each is True]
        case "one" | "only":
            if fan_out == "only" and len(results) > 1:
                raise UnexpectedResponseError(
                    f"The endpoints {' and '.join(results)} know the same connection token. Do two"
                    " settings name the same service?"
                )
            settled = [*results.values()]
            failures = failures if settled else _without_missing_connections(failures)
        case "all":
            pass
    if settled:
        return settled[0]
    if failures:
        raise EndpointsError(failures, list(results))
    return next(iter(results.values()))


def settles(fan_out: FanOut, outcome: object) -> bool:
    """Tell whether the outcome of one endpoint is enough, so that one that is silent may be."""
    match fan_out:
        case "all":
            return False
        case "any":
            return outcome is True
        case "one" | "only":
            return not isinstance(outcome, ServiceError) or isinstance(
                outcome, ConnectionUserMismatchError
            )


def _without_missing_connections(failures: Mapping[str, ServiceError]) -> dict[str, ServiceError]:
    """Leave out the endpoints that do not have the connection, which one at most can have.

    Raises:
        ConnectionNotFoundError: None has it.
        ConnectionUserMismatchError: One has it, and it is another user's.
    """
    for each in failures.values():
        if isinstance(each, ConnectionUserMismatchError):
            raise each
    missing = [each for each in failures.values() if isinstance(each, ConnectionNotFoundError)]
    if missing and len(missing) == len(failures):
        raise missing[0]
    return {name: each for name, each in failures.items() if each not in missing}
