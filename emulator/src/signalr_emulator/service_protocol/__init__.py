"""What app servers and the service say to each other over server connections, without I/O."""
