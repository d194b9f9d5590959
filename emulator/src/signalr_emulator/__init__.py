"""Azure SignalR Service on one machine.

`running` runs an emulator inside of a program, for instance in its tests; the command
`signalr-emulator` runs one on its own.
"""

from .clock import Clock
from .configuration.settings import Config
from .server import Emulator, running

__all__ = ["Clock", "Config", "Emulator", "running"]
