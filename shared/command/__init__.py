"""The command `keyless-signalr`: hears what a hub sends, and sends to it, from a terminal."""
