"""The official emulator's settings.json, which may be edited while the emulator runs."""

import logging
from pathlib import Path

from ..errors import UpstreamSettingsError
from .settings import UpstreamTemplate, parse_upstream_settings

__all__ = ["UpstreamFile"]

_LOGGER = logging.getLogger(__name__)

type _Version = tuple[int, int, int]


class UpstreamFile:
    """Gives the templates of a settings.json, always those of its present text.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        UpstreamSettingsError: It is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = self._present_version()
        self._templates = self._read()

    def templates(self) -> tuple[UpstreamTemplate, ...]:
        """Give the templates; those of before, with a line in the log, if the file is broken."""
        version = self._present_version()
        if version == self._version:
            return self._templates
        # Before the file is read, so that one that cannot be used is logged once.
        self._version = version
        try:
            self._templates = self._read()
        except OSError as error:
            self._complain(error.strerror or str(error))
        except UpstreamSettingsError as error:
            self._complain(str(error))
        return self._templates

    def _present_version(self) -> _Version | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        # Two changes may fall into one tick of the clock; editors that replace a file give it a
        # new number.
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> tuple[UpstreamTemplate, ...]:
        return parse_upstream_settings(self._path.read_bytes())

    def _complain(self, reason: str) -> None:
        _LOGGER.warning("%s: %s. The templates stay as they were.", self._path, reason)
