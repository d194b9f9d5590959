"""App servers of Microsoft's SDK in front of the emulator: their clients, and what they share."""
