"""Messages, groups and connections: what is asked, in which order, and what became of it."""

from broadcast.functions import blueprint

__all__ = ["blueprint"]
