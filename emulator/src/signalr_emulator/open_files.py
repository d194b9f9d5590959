"""The limit on open files, which is the limit on connected clients."""

import sys

__all__ = ["raise_open_file_limit"]


def raise_open_file_limit() -> None:
    """Allow this process as many open files as its hard limit permits."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - exists on Unix only

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        # macOS refuses a hard limit that is called unlimited; the soft one then stays.
        return
