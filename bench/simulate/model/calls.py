"""Calls to the identity endpoint and the auth API, as an app grows. Pure."""

from dataclasses import dataclass

from .limits import ENTRA_TOKEN_LIFETIME
from .rotation import rotation_interval

__all__ = ["Calls", "calls"]


@dataclass(frozen=True, slots=True)
class Calls:
    """What an app asks for.

    Args:
        key_requests_an_hour: Access keys from the auth API, all processes together.
        at_one_resource_an_hour: Those that one SignalR resource is asked for.
        tokens_a_day: Entra tokens from the identity endpoint, all processes together.
        at_one_instance_at_once: Most requests at the identity endpoint of one instance when all
            of its processes start.
    """

    key_requests_an_hour: float
    at_one_resource_an_hour: float
    tokens_a_day: float
    at_one_instance_at_once: int


def calls(instances: int, processes: int, endpoints: int) -> Calls:
    """Return what an app asks for once it runs.

    Args:
        instances: Instances of the Function App.
        processes: Worker processes of each.
        endpoints: SignalR resources.
    """
    workers = instances * processes
    # Jitter is even, so the mean interval is the one of its middle.
    hourly = workers * 3_600 / rotation_interval(0.5)
    return Calls(
        key_requests_an_hour=hourly * endpoints,
        at_one_resource_an_hour=hourly,
        tokens_a_day=workers * 86_400 / ENTRA_TOKEN_LIFETIME,
        at_one_instance_at_once=processes,
    )
