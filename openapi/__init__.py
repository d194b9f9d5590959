"""The API's description, for people and programs that call it."""

from openapi.functions import blueprint

__all__ = ["blueprint"]
