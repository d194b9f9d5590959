"""The state behind every plane: the emulator's, and that of each SignalR resource."""
