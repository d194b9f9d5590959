"""A page to see it all work: a chat in a hub and in groups."""

from demo.functions import blueprint

__all__ = ["blueprint"]
