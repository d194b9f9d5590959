"""The languages, in the order of the table."""

from typing import Final

from ..library import Language
from .dotnet import DOTNET
from .java import JAVA
from .javascript import JAVASCRIPT
from .python import PYTHON

__all__ = ["LANGUAGES"]

LANGUAGES: Final[tuple[Language, ...]] = (JAVASCRIPT, DOTNET, JAVA, PYTHON)
