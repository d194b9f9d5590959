"""Sends messages: what is asked, in which order, and what became of each."""

from broadcast.functions import blueprint

__all__ = ["blueprint"]
