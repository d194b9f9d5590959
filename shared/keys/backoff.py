"""How long to wait after failures. Pure."""

__all__ = ["backoff"]


def backoff(attempt: int, first: float, longest: float, jitter: float) -> float:
    """Return seconds to wait after failures: doubled each time, bounded, with full jitter.

    Args:
        attempt: Failures so far, at least 1.
        first: Seconds after the first failure.
        longest: Upper bound in seconds.
        jitter: A number from 0 to 1: the share of the bound that is waited, so that callers who
            failed together do not come back together.
    """
    # Past 2**20 every bound in use is reached, and a float would overflow in the end.
    bound = min(longest, first * 2.0 ** min(attempt - 1, 20))
    return bound * jitter
