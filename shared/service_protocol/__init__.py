"""The protocol of server connections: messages, framing, and a connection's life, without I/O."""
