"""Azure SignalR Service on one machine.

`running` runs an emulator inside of a program, for instance in its tests; the command
`signalr-emulator` runs one on its own.
"""

from signalr_emulator.clock import Clock
from signalr_emulator.config import Config
from signalr_emulator.server import Emulator, running

__all__ = ["Clock", "Config", "Emulator", "running"]
