"""The emulator's REST API beside the least that a server can do."""
