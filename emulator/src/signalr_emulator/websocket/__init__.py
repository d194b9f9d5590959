"""WebSockets (RFC 6455): frames without I/O, the upgrade of a request, one connection."""
