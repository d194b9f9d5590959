"""Load and faults on the running app, with an account of every message: `python -m load`.

Nothing of what is tested is imported: app and emulator are processes, and are spoken to by HTTP
and WebSocket only.
"""
