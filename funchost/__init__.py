"""Azure Functions host for one machine: an HTTP front end over Microsoft's worker library."""
