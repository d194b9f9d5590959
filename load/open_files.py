"""The limit on open files, which is the limit on connected clients."""

import resource

__all__ = ["raise_open_file_limit"]


def raise_open_file_limit() -> None:
    """Allow this process and those that it starts as many open files as the hard limit permits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
