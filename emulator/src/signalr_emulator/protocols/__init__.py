"""The hub protocols of SignalR, without I/O."""
