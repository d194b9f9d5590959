"""The API's description, for people and programs that call it."""

from openapi.functions import blueprint
from openapi.settings import is_offered

__all__ = ["blueprint", "is_offered"]
