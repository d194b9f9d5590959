"""The languages, in the order of the table."""

from typing import Final

from ..library import Language
from .java import JAVA
from .javascript import JAVASCRIPT
from .python import PYTHON

__all__ = ["LANGUAGES"]

LANGUAGES: Final[tuple[Language, ...]] = (JAVASCRIPT, PYTHON, JAVA)
