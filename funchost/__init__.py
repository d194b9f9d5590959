"""Azure Functions host for one machine: an HTTP front end over Microsoft's worker library."""

__version__ = "0.1.0"
