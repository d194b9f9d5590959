"""The targets: every parser of bytes that somebody else has written."""

from fuzz.target import TARGETS
from fuzz.targets import app, app_server, emulator, host, service_answers

__all__ = ["TARGETS", "app", "app_server", "emulator", "host", "service_answers"]
