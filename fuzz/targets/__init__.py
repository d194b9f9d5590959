"""The targets: every parser of bytes that somebody else has written."""

from fuzz.target import TARGETS
from fuzz.targets import app, emulator, host, service_answers

__all__ = ["TARGETS", "app", "emulator", "host", "service_answers"]
