"""Azure Functions host for one machine: an HTTP front over Microsoft's Python worker library."""
